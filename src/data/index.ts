/** Corpus to shards to rows. */

export type { Meter } from "./lines.js";
export { type PreparedSummary, type PrepareOptions, type PrepareProgress, prepare } from "./prepare.js";
export { type InputFile, listInputs, readRecords, requireText, type TextRecord } from "./records.js";
export { splitSentences } from "./sentences.js";
export { type ShardRow, Shards } from "./shards.js";
export { SPLITS, type Split, splitOf } from "./splits.js";
