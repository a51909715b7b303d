/**
 * Held-out losses of the run of vae.sh, as docs/smollm2/losses.svg and as a table on standard output:
 * node scripts/smollm2/vaeCurves.mjs runs/smollm2
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chart } from "../chart.mjs";

const [folder] = process.argv.slice(2);
if (!folder) throw new Error("usage: vaeCurves.mjs FOLDER");

/** Held-out losses of a stage, its steps counted from `from` on. */
function heldOut(stage, from) {
  const lines = readFileSync(join(folder, stage, "log.jsonl"), "utf8")
    .trim()
    .split("\n");
  const found = lines.map((line) => JSON.parse(line)).filter((line) => line.heldOut);
  return found.map(({ step, heldOut: { rec, shuffled, kl } }) => ({ stage, x: from + step, rec, shuffled, kl }));
}

const stages = [];
for (const name of ["short", "long", "noisy", "packed"]) stages.push(heldOut(name, stages.at(-1)?.at(-1).x ?? 0));
const [short] = stages;
const points = (of, what) => of.map(({ x, [what]: value }) => ({ x, value, low: value, high: value }));
const line = (of, what, label) => ({
  label,
  color: what === "rec" ? 0 : 1,
  dashed: of === short,
  points: points(of, what),
});
mkdirSync("docs/smollm2", { recursive: true });
writeFileSync(
  "docs/smollm2/losses.svg",
  chart({
    title: "Held-out reconstruction loss, nats per token",
    xLabel: "step (spans of 8 tokens: dashed; then up to 64)",
    yLabel: "nats per token",
    yFrom: 0,
    lines: stages.flatMap((stage) => {
      const isLast = stage === stages.at(-1);
      return [
        line(stage, "rec", isLast ? "the text's own z" : ""),
        line(stage, "shuffled", isLast ? "another text's z" : ""),
      ];
    }),
  }),
);
for (const { stage, x, rec, shuffled, kl } of stages.flat())
  process.stdout.write(`| ${stage} | ${x} | ${rec.toFixed(2)} | ${shuffled.toFixed(2)} | ${kl.toFixed(0)} |\n`);
