/**
 * Opens files whose headers promise far more than they hold, one after another; prints for each the error, the processor's time and by
 * how much the peak of resident memory grew: node bombs.mjs FOLDER
 */
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const { openGguf, openSafetensors } = await import(new URL("../../dist/formats/index.js", import.meta.url));
const [, , folder] = process.argv;
/** Larger than any limit, so that it is not the file's end that is found first. It takes no room: its zeros are not stored. */
const LARGE = 300e6;

const u32 = (value) => Buffer.from(Uint32Array.of(value).buffer);
const u64 = (value) => Buffer.from(BigUint64Array.of(BigInt(value)).buffer);
const text = (value) => Buffer.concat([u64(value.length), Buffer.from(value)]);
const [UINT8, UINT32, STRING, ARRAY] = [0, 4, 8, 9];

const safetensors = (header, length = Buffer.byteLength(header)) => Buffer.concat([u64(length), Buffer.from(header)]);
const tensor = (shape, end = 4) => JSON.stringify({ t: { dtype: "F32", shape, data_offsets: [0, end] } });
const gguf = (tensors, entries, ...rest) =>
  Buffer.concat([Buffer.from("GGUF"), u32(3), u64(tensors), u64(entries), ...rest]);
const MOST = 2n ** 64n - 1n;
/** A llama of 2^32 - 1 layers without a tensor. */
const LLAMA = [
  ["general.architecture", [u32(STRING), text("llama")]],
  ...["embedding_length", "feed_forward_length", "attention.head_count", "context_length"].map((key) => [
    `llama.${key}`,
    [u32(UINT32), u32(64)],
  ]),
  ["llama.block_count", [u32(UINT32), u32(0xffffffff)]],
];

const BOMBS = {
  "header of 2^63 bytes.safetensors": safetensors("{}", 2n ** 63n),
  "header of 100 MB and a byte.safetensors": safetensors("{}", 100_000_001),
  "a million brackets.safetensors": safetensors(`{"t":${"[".repeat(1e6)}`),
  "a million objects.safetensors": safetensors('{"t":'.repeat(2e5)),
  "a shape of 2^60 elements.safetensors": safetensors(tensor([2 ** 30, 2 ** 30])),
  "a shape of 50,000 dimensions.safetensors": safetensors(tensor(Array(5e4).fill(2 ** 40))),
  "2^64-1 entries.gguf": gguf(0, MOST),
  "2^64-1 tensors.gguf": gguf(MOST, 0),
  "a key of 2^63 bytes.gguf": gguf(0, 1, u64(2n ** 63n)),
  "a text of 2^40 bytes.gguf": gguf(0, 1, text("a"), u32(STRING), u64(2n ** 40n)),
  "a list of 2^60 bytes.gguf": gguf(0, 1, text("a"), u32(ARRAY), u32(UINT8), u64(2n ** 60n)),
  "a list of 2^32 texts.gguf": gguf(0, 1, text("a"), u32(ARRAY), u32(STRING), u64(2n ** 32n)),
  "2^32-1 dimensions.gguf": gguf(1, 0, text("t"), u32(0xffffffff)),
  "a tensor of 2^63 elements.gguf": gguf(1, 0, text("t"), u32(2), u64(2n ** 32n), u64(2n ** 31n), u32(0), u64(0)),
  "2^25 empty texts.gguf": gguf(0, 1, text("a"), u32(ARRAY), u32(STRING), u64(2n ** 25n), u64(2n ** 62n)),
  "2^32-1 blocks.gguf": gguf(0, LLAMA.length, ...LLAMA.flatMap(([key, value]) => [text(key), ...value])),
  "alignment 0.gguf": gguf(0, 1, text("general.alignment"), u32(UINT32), u32(0)),
};

async function open(name, bytes) {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  truncateSync(
    path,
    name.includes("blocks")
      ? Math.ceil(bytes.length / 32) * 32
      : name.includes("shape")
        ? bytes.length + 4
        : Math.max(LARGE, bytes.length),
  );
  const [peak, cpu] = [process.resourceUsage().maxRSS, process.cpuUsage()];
  const error = await (name.endsWith(".gguf") ? openGguf : openSafetensors)(path).then(
    () => "",
    ({ name, message }) => `${name}: ${message}`,
  );
  const { user } = process.cpuUsage(cpu);
  return { name, error, ms: user / 1000, grownBytes: (process.resourceUsage().maxRSS - peak) * 1024 };
}

// The code is read and compiled at its first use.
for (const name of ["header of 2^63 bytes.safetensors", "alignment 0.gguf"]) await open(name, BOMBS[name]);
const reports = [];
for (const [name, bytes] of Object.entries(BOMBS)) reports.push(await open(name, bytes));
process.stdout.write(JSON.stringify(reports));
