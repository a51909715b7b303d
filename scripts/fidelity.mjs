/**
 * Draws what scripts/fidelity.sh measured as docs/fidelity/*.svg, and writes the figures into docs/fidelity.md, between the lines
 * <!-- NAME --> and <!-- end NAME --> (rebuilding, loss, blends). Usage: node scripts/fidelity.mjs [MODEL [FOLDER]], as scripts/fidelity.sh.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chart } from "./chart.mjs";
import { blendTable, fill, interval, table } from "./documents.mjs";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const [model = "pocket", folder = join("runs/measures", basename(model))] = process.argv.slice(2);
const measured = (name) => JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"));

const LENGTHS = [8, 16, 24, 32, 48, 64];
const TEXTS = ["generated", "natural"];
const byLength = Object.fromEntries(TEXTS.map((text) => [text, LENGTHS.map((n) => measured(`${text}-${n}`))]));

/** One line for each kind of texts: a measure by length. */
const lines = (field, label, dashed = false) =>
  TEXTS.map((text, i) => ({
    label: `${text}${label}`,
    color: i,
    dashed,
    points: byLength[text].map((report, at) => ({ x: LENGTHS[at], ...report[field] })),
  }));

const CHARTS = {
  "edit-similarity": {
    title: "Texts rebuilt from their latent: edit similarity by length",
    xLabel: "tokens of the text",
    yLabel: "edit similarity",
    yFrom: 0,
    yTo: 1,
    lines: [...lines("editSimilarity", ""), ...lines("editSimilaritySampled", ", sampled z", true)],
  },
  loss: {
    title: "Loss of the decoder with z, and of the base without it, by length",
    xLabel: "tokens of the text",
    yLabel: "nats per token",
    yFrom: 0,
    lines: [...lines("recNllMean", ", with z"), ...lines("lossBase", ", base", true)],
  },
};

function rebuilding() {
  const rows = LENGTHS.map((n, at) => [
    `${n}`,
    ...TEXTS.flatMap((text) => {
      const report = byLength[text][at];
      return [interval(report.editSimilarity), interval(report.editSimilaritySampled), interval(report.bleu4, 1)];
    }),
  ]);
  const columns = TEXTS.flatMap((text) => [`${text}: edit similarity`, "z sampled", "BLEU-4"]);
  return table([["tokens", ...columns], ...rows]);
}

function loss() {
  const rows = LENGTHS.map((n, at) => [
    `${n}`,
    ...TEXTS.flatMap((text) => {
      const report = byLength[text][at];
      return [interval(report.recNllMean), interval(report.lossBase), interval(report.forcedTokenAccuracy)];
    }),
  ]);
  const columns = TEXTS.flatMap((text) => [`${text}: with z`, "base", "right tokens"]);
  return table([["tokens", ...columns], ...rows]);
}

mkdirSync("docs/fidelity", { recursive: true });
for (const [name, options] of Object.entries(CHARTS)) writeFileSync(`docs/fidelity/${name}.svg`, chart(options));
fill("docs/fidelity.md", { rebuilding: rebuilding(), loss: loss(), blends: blendTable(measured) });
