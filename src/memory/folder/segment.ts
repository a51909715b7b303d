/** A part of an index in a file of its own: the rows of records from one id to another. A file is never changed: one that holds more takes its place. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { writeFileAtomic } from "../../formats/atomic.js";
import { type CodeTable, ROW_BYTES } from "./codeTable.js";

/** Where a segment is saved, and what it holds. */
export interface SegmentPlace {
  /** Name of the file, in the memory's folder. */
  file: string;
  /** It is complete from this id on. */
  first: number;
  /** Up to this one. */
  last: number;
  /** Rows in it: one for each record that there was. */
  count: number;
  bytes: number;
  /** CRC-32 of the file. */
  checksum: number;
}

/** Rows of the table that are, or will be, in one file. */
export interface Segment {
  /** As it is saved; undefined where it never was. */
  place?: SegmentPlace;
  /** It is complete from this id on. */
  first: number;
  /** Up to this one. */
  last: number;
  /** Its first row. */
  row: number;
  count: number;
}

/** Whether it holds what its file does not. */
export function isChanged({ last, place }: Segment): boolean {
  return last !== place?.last;
}

/** Writes a segment under a new name. @throws BigVaeError("disk"). */
export async function saveSegment(folder: string, file: string, table: CodeTable, segment: Segment): Promise<void> {
  const { first, last, row, count } = segment;
  // Copied: the table may move while the file is written.
  const content = new Uint8Array(Buffer.concat(table.bytesOf(row, count)));
  await writeFileAtomic(join(folder, file), content);
  segment.place = { file, first, last, count, bytes: content.length, checksum: crc32(content) };
}

/** The rows of a saved segment; undefined where its file is not what was written. */
export function savedRows(folder: string, { file, bytes, count, checksum }: SegmentPlace): Uint8Array | undefined {
  try {
    const content = readFileSync(join(folder, file));
    const isSound = content.length === bytes && bytes === count * ROW_BYTES && crc32(content) === checksum;
    return isSound ? content : undefined;
  } catch {
    return undefined;
  }
}
