/** A reader of TensorBoard event files that knows the format and not the writer. */
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { expect } from "vitest";

/** CRC-32C bit by bit, from its definition. */
export function crc32c(bytes: Uint8Array): number {
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
export function records(file: Uint8Array): Uint8Array[] {
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
export function fields(bytes: Uint8Array): Map<number, (number | Uint8Array)[]> {
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

/** The step of each record; 0 for one without. */
export function eventSteps(file: Uint8Array): number[] {
  return records(file).map((record) => Number(fields(record).get(2)?.[0] ?? 0));
}
