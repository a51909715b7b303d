/** Corpus to shards to rows. */

export { type InputFile, type Inputs, KNOWN_ENDINGS, listInputs, type TextOptions } from "./inputs.js";
export { splitLines } from "./lines.js";
export { cutIntoPieces, joinPieces } from "./pieces.js";
export { type PreparedSummary, type PrepareOptions, type PrepareProgress, prepare } from "./prepare.js";
export { splitSentences } from "./sentences.js";
export { type ShardRow, Shards } from "./shards.js";
export { SPLITS, type Split, splitOf } from "./splits.js";
export { readFiles, readTexts, requireText, type TextRecord, textsOfBytes } from "./texts.js";
