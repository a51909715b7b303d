/** CRC-32 of what a memory keeps: a flipped bit anywhere in a record shows when it is read. */
import { crc32 } from "node:zlib";

/** Columns of a record without its latents. */
export interface RecordColumns {
  id: number;
  time: number;
  score: number | null;
  text: string;
  tokens: Uint8Array;
  /** A JSON array. */
  tags: string;
}

export function recordChecksum({ id, time, score, text, tokens, tags }: RecordColumns): number {
  return crc32(tokens, crc32(JSON.stringify([id, time, score, text, tags, tokens.length])));
}

/** Of the latents of a record: z, and that of its context where there is one. */
export function latentsChecksum(id: number, z: Uint8Array, context: Uint8Array | null): number {
  const ofZ = crc32(z, crc32(JSON.stringify([id, z.length, context?.length ?? null])));
  return context ? crc32(context, ofZ) : ofZ;
}

export function factChecksum(name: string, value: string): number {
  return crc32(JSON.stringify([name, value]));
}

/** Values as they are kept and summed up. */
export function bytesOf({ buffer, byteOffset, byteLength }: Int32Array | Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
