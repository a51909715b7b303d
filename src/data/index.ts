/** Corpus to shards to rows. */
export { type PreparedSummary, type PrepareOptions, type PrepareProgress, prepare } from "./prepare.js";
export { type InputFile, listInputs, type Meter, readRecords, type TextRecord } from "./records.js";
export { type ShardRow, Shards } from "./shards.js";
export { SPLITS, type Split, splitOf } from "./splits.js";
