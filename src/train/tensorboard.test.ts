/** The event files, read with a reader that knows the format and not the writer. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { expect, it } from "vitest";
import { RunLog } from "./runLog.js";

/** CRC-32C bit by bit, from its definition. */
function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0;
}

/** ((crc >> 15) | (crc << 17)) + 0xa282ead8, TFRecord's mask. */
const masked = (bytes: Uint8Array) => {
  const crc = BigInt(crc32c(bytes));
  return Number((((crc >> 15n) | (crc << 17n)) + 0xa282ead8n) & 0xffffffffn);
};

/** The records of a TFRecord file; throws where a length or a checksum is wrong. */
function records(file: Uint8Array): Uint8Array[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const found: Uint8Array[] = [];
  for (let at = 0; at < file.length; ) {
    const length = Number(view.getBigUint64(at, true));
    expect(view.getUint32(at + 8, true)).toBe(masked(file.subarray(at, at + 8)));
    const data = file.subarray(at + 12, at + 12 + length);
    expect(data.length).toBe(length);
    expect(view.getUint32(at + 12 + length, true)).toBe(masked(data));
    found.push(data);
    at += length + 16;
  }
  return found;
}

/** Fields of a message by number: scalars as they are, messages and texts as bytes. */
function fields(bytes: Uint8Array): Map<number, (number | Uint8Array)[]> {
  const reader = new BinaryReader(bytes);
  const found = new Map<number, (number | Uint8Array)[]>();
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    const value =
      [() => Number(reader.int64()), () => reader.double(), () => reader.bytes()][type] ?? (() => reader.float());
    found.set(field, [...(found.get(field) ?? []), value()]);
  }
  return found;
}

const text = (value: unknown) => new TextDecoder().decode(value as Uint8Array);

it("knows the test vector of CRC-32C", () => {
  expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
});

it("an event file holds its version and every scalar of every step", async () => {
  const folder = await mkdtemp(join(tmpdir(), "bigvae-events-"));
  try {
    const log = await RunLog.open(folder);
    const common = { totalSteps: 3, lr: 0.25, tokens: 300, seconds: 2, applied: true };
    await log.step({ ...common, step: 1, metrics: { loss: 1.5, kl: 0.125 }, gradientNorm: 0.5 });
    await log.step({
      ...common,
      step: 2,
      metrics: { loss: Number.NaN, kl: 0 },
      gradientNorm: Number.POSITIVE_INFINITY,
      applied: false,
    });
    await log.look(2, { loss: 0.75, kl: Number.NaN });
    await log.record({ step: 2, sample: { text: "Ende \u2028 \n gut" } });
    await log.close();
    const [events, lines] = (await readdir(folder)).sort();
    expect(events).toMatch(/^events\.out\.tfevents\.\d+\.bigvae\.\d+$/);
    const [version, ...steps] = records(await readFile(join(folder, events!))).map(fields);
    expect(text(version!.get(3)![0])).toBe("brain.Event:2");
    const scalars = steps.map((event) => {
      const values = (fields(event.get(5)![0] as Uint8Array).get(1) as Uint8Array[]).map(fields);
      expect(Math.abs((event.get(1)![0] as number) - Date.now() / 1000)).toBeLessThan(60);
      return [event.get(2)![0], Object.fromEntries(values.map((value) => [text(value.get(1)![0]), value.get(2)![0]]))];
    });
    const rates = { lr: 0.25, tokensPerSecond: 150 };
    expect(scalars).toEqual([
      [1, { loss: 1.5, kl: 0.125, gradientNorm: 0.5, ...rates }],
      [2, { loss: Number.NaN, kl: 0, gradientNorm: Number.POSITIVE_INFINITY, ...rates }],
      [2, { "heldOut/loss": 0.75, "heldOut/kl": Number.NaN }],
    ]);
    const parsed = (await readFile(join(folder, lines!), "utf8"))
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(parsed.map(({ time, ...rest }) => [typeof time, rest])).toEqual([
      ["string", { step: 1, loss: 1.5, kl: 0.125, gradientNorm: 0.5, ...rates }],
      ["string", { step: 2, loss: "NaN", kl: 0, gradientNorm: "Infinity", ...rates, applied: false }],
      ["string", { step: 2, heldOut: { loss: 0.75, kl: "NaN" } }],
      ["string", { step: 2, sample: { text: "Ende \u2028 \n gut" } }],
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
