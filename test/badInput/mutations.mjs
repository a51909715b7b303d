/**
 * Opens a base whose files were changed at random, many times, and reads all of its weights as they are packed; prints how it ended, and the most time and
 * memory that one took: node --expose-gc mutations.mjs BASE QUANT COUNT. BASE is a folder or a .gguf file.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const built = (path) => import(new URL(`../../dist/${path}`, import.meta.url));
const { openWeights } = await built("host/modelFiles.js");
const { Rng } = await built("rng.js");
const [, , base, quant, count] = process.argv;
const rng = Rng.fromSeed(`mutations ${quant}`);

const files = existsSync(join(base, "config.json"))
  ? ["config.json", "model.safetensors"].map((name) => join(base, name))
  : [base];
const sound = files.map((path) => readFileSync(path));
/** Ranges in which a change matters most: the header, and the JSON of bitsandbytes' states. */
const places = sound.map((bytes) => [
  [0, Math.min(bytes.length, 6000)],
  [0, bytes.length],
  ...Array.from(bytes.toString("latin1").matchAll(/"quant_type"/g), ({ index }) => [index, index + 200]),
]);

const pick = (all) => all[rng.integer(all.length)];
const WORDS = ["0", "-1", "9", "1e9", "1e999", "null", "[", "{", '"', "true", "99999999999", "nested_", "\\u0000"];

/** The bytes changed in one of several ways. */
function spoilt(bytes, ranges) {
  const [begin, end] = pick(ranges);
  const at = begin + rng.integer(Math.max(1, Math.min(end, bytes.length) - begin));
  const random = (length) => Uint8Array.from({ length }, () => rng.integer(256));
  const put = (middle, cut) => Buffer.concat([bytes.subarray(0, at), middle, bytes.subarray(at + cut)]);
  switch (rng.integer(7)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return put(random(rng.integer(9)), rng.integer(9));
    case 2: {
      const word = Buffer.from(pick(WORDS));
      return put(word, word.length);
    }
    case 3: {
      // Another digit, so that the header stays JSON of its length.
      const digit = bytes.subarray(at).findIndex((byte) => byte >= 0x30 && byte <= 0x39);
      if (digit < 0) return put(random(1), 1);
      const copy = Buffer.from(bytes);
      copy[at + digit] = 0x30 + rng.integer(10);
      return copy;
    }
    case 4:
      // Where a value of F32 begins in the data: infinity or NaN.
      return put(Uint8Array.of(0, 0, pick([0x80, 0xc0]), 0x7f), 4);
    default: {
      const length = 1 + rng.integer(8);
      return put(random(length), length);
    }
  }
}

async function open() {
  const { weights } = await openWeights(base, quant);
  try {
    for (const name of weights.options.shapes.keys()) await weights.read(name);
  } finally {
    await weights.close();
  }
}

const report = { ends: {}, faults: [], slowestMs: 0, grownBytes: 0 };
await open();
globalThis.gc();
const peak = process.resourceUsage().maxRSS;
for (let i = 0; i < Number(count); i++) {
  const file = files.length > 1 && rng.integer(8) > 0 ? 1 : 0;
  const bytes = spoilt(sound[file], places[file]);
  writeFileSync(files[file], bytes);
  const cpu = process.cpuUsage();
  const end = await open().then(
    () => "read",
    (error) => {
      if (
        error.name !== "BigVaeError" ||
        error.kind === "internal" ||
        error.message.length > 500 ||
        error.message.includes("\n")
      )
        report.faults.push(`${error.stack}`.slice(0, 1000));
      return error.kind ?? error.name;
    },
  );
  report.slowestMs = Math.max(report.slowestMs, process.cpuUsage(cpu).user / 1000);
  report.ends[end] = (report.ends[end] ?? 0) + 1;
  writeFileSync(files[file], sound[file]);
  // What earlier ones have left behind is not counted.
  if (i % 50 === 0) globalThis.gc();
}
report.grownBytes = (process.resourceUsage().maxRSS - peak) * 1024;
process.stdout.write(JSON.stringify(report));
