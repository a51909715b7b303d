/**
 * Draws what scripts/fidelity.sh measured as docs/fidelity/*.svg, and writes the figures into docs/fidelity.md, between the lines
 * <!-- NAME --> and <!-- end NAME --> (rebuilding, loss, blends), and what scripts/shapes.sh (shapes) and scripts/noise.sh (noise) measured, if they did.
 * Usage: node scripts/fidelity.mjs [MODEL [FOLDER [SHAPES [NOISE]]]], as those scripts.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chart } from "./chart.mjs";
import { blendTable, fill, interval, signed, table } from "./documents.mjs";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const [
  model = "pocket",
  folder = join("runs/measures", basename(model)),
  shapesFolder = "runs/measures/shapes",
  noiseFolder = "runs/measures/noise",
] = process.argv.slice(2);
const read = (from) => (name) => JSON.parse(readFileSync(join(from, `${name}.json`), "utf8"));
const measured = read(folder);

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

/** A row for each short run: how it was made, and what came of it. */
const RUNS = [
  ["16 slots, 1,024 values", "k16-z1024"],
  ["32 slots, 1,024 values", "k32-z1024"],
  ["64 slots, 1,024 values", "k64-z1024"],
  ["32 slots, 768 values", "k32-z768"],
];

function shapes() {
  const of = read(shapesFolder);
  const rows = RUNS.map(([what, name]) => {
    const [short, long, plain, space] = ["16", "64", "plain", "space"].map((part) => of(`${name}-${part}`));
    const mean = space.points.find(({ point, guidance }) => point === "mean" && guidance);
    const exact = Math.round(plain.exactMatch.value * plain.sentences);
    return [
      what,
      interval(long.editSimilarity),
      interval(long.editSimilaritySampled),
      interval(short.editSimilarity),
      `${exact} of ${plain.sentences}`,
      signed(mean.excess),
    ];
  });
  return table([
    ["run", "64 tokens", "64 tokens, z sampled", "16 tokens", "plain sentences", "mean of four: base loss"],
    ...rows,
  ]);
}

/** A row for each noise and KL weight. */
const NOISES = [
  ["0.1, 0.0005", "noise-0.1"],
  ["0.5, 0.003", "noise-0.5"],
  ["1, 0.012", "noise-1"],
  ["1, 0.04", "noise-1-kl-0.04"],
];

function noise() {
  const of = read(noiseFolder);
  const rows = NOISES.map(([what, name]) => {
    const [long, blends, space] = ["64", "blends", "space"].map((part) => of(`${name}-${part}`));
    const halfWay = (guidance) => blends.blends.find((rule) => rule.guidance === guidance);
    const point = (kind, guidance) =>
      signed(space.points.find((of) => of.point === kind && of.guidance === guidance).excess);
    return [
      what,
      interval(long.editSimilarity),
      interval(long.editSimilaritySampled),
      interval(halfWay(false).bothEnds),
      signed(halfWay(false).fluencyDip),
      point("mean", false),
      point("aggregate", false),
    ];
  });
  const points = ["half-way: words of both", "half-way: base loss", "mean of four", "random z"];
  return table([["noise, KL weight", "64 tokens", "64 tokens, z sampled", ...points], ...rows]);
}

mkdirSync("docs/fidelity", { recursive: true });
for (const [name, options] of Object.entries(CHARTS)) writeFileSync(`docs/fidelity/${name}.svg`, chart(options));
fill("docs/fidelity.md", {
  rebuilding: rebuilding(),
  loss: loss(),
  blends: blendTable(measured),
  ...(existsSync(shapesFolder) ? { shapes: shapes() } : {}),
  ...(existsSync(noiseFolder) ? { noise: noise() } : {}),
});
