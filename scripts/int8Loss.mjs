/** Held-out losses of the two runs of int8Loss.sh, side by side: node scripts/int8Loss.mjs FP32 INT8 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

const runs = process.argv.slice(2);
if (runs.length !== 2) throw new Error("usage: int8Loss.mjs FP32 INT8");
const [fp32, int8] = runs.map((folder) => {
  const lines = readFileSync(join(folder, "log.jsonl"), "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line)).filter(({ heldOut }) => heldOut);
});
const round = (value) => value.toFixed(4);
console.log("| step | held-out loss, fp32 | int8 | int8 / fp32 |\n|---|---|---|---|");
for (const { step, heldOut } of fp32) {
  const other = int8.find((line) => line.step === step)?.heldOut.rec;
  if (other !== undefined)
    console.log(`| ${step} | ${round(heldOut.rec)} | ${round(other)} | ${round(other / heldOut.rec)} |`);
}
