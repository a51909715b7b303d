/**
 * The log of writes beside an SQLite file ("-wal"; sqlite.org/fileformat2.html#the_write_ahead_log). SQLite takes the frames of it up to the first
 * that is not as it was written, which is right for the end of a log that a process was killed at, and silently drops what was kept behind one
 * that was damaged since. Here the two are told apart.
 */
import { closeSync, openSync, readSync } from "node:fs";
import { errorCode } from "./fileOps.js";

const HEADER = 32;
const FRAME_HEADER = 24;

type Sums = readonly [number, number];
type ReadWord = (bytes: Buffer, at: number) => number;

/** How the checksums read their words, by the number that the log begins with. */
const WORDS = new Map<number, ReadWord>([
  [0x377f0682, (bytes, at) => bytes.readUInt32LE(at)],
  [0x377f0683, (bytes, at) => bytes.readUInt32BE(at)],
]);

/** Whether changes were kept in a log behind a frame that is not as it was written. False where there is no log. */
export function isLogDamaged(path: string): boolean {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return false;
    throw error;
  }
  try {
    return hasCommitBehindDamage(file);
  } finally {
    closeSync(file);
  }
}

function hasCommitBehindDamage(file: number): boolean {
  const header = Buffer.alloc(HEADER);
  if (readSync(file, header) < HEADER) return false;
  const readWord = WORDS.get(header.readUInt32BE(0));
  const sums = readWord && checksum(header.subarray(0, 24), [0, 0], readWord);
  // The header is on disk before the first frame is written.
  if (sums === undefined || !isStored(sums, header, 24)) return readSync(file, header) > 0;
  const salts = header.subarray(16, 24);
  const frame = Buffer.alloc(FRAME_HEADER + header.readUInt32BE(8));
  // A frame continues the checksum of the one before it: what that one says, or where that is damaged what is computed of it.
  let before: Sums[] = [sums];
  let isDamaged = false;
  while (readSync(file, frame) === frame.length) {
    const continued = before.map((start) =>
      checksum(frame.subarray(FRAME_HEADER), checksum(frame.subarray(0, 8), start, readWord!), readWord!),
    );
    // Another salt: a frame of an earlier round, which this one has not come to.
    const isWhole = frame.subarray(8, 16).equals(salts) && continued.some((own) => isStored(own, frame, 16));
    const isCommit = frame.readUInt32BE(4) > 0;
    if (isDamaged && isWhole && isCommit) return true;
    isDamaged ||= !isWhole;
    const said: Sums = [frame.readUInt32BE(16), frame.readUInt32BE(20)];
    before = isWhole ? [said] : [said, continued[0]!];
  }
  return false;
}

function isStored([first, second]: Sums, bytes: Buffer, at: number): boolean {
  return bytes.readUInt32BE(at) === first && bytes.readUInt32BE(at + 4) === second;
}

function checksum(bytes: Buffer, [first, second]: Sums, readWord: ReadWord): Sums {
  for (let at = 0; at < bytes.length; at += 8) {
    first = (first + readWord(bytes, at) + second) >>> 0;
    second = (second + readWord(bytes, at + 4) + first) >>> 0;
  }
  return [first, second];
}
