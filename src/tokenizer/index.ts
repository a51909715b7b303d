/** Text to token ids and back. */
export type { StreamDecoder } from "./detokenizer.js";
export { type DetokenizeOptions, loadTokenizer, type Tokenizer, type TokenizerFiles } from "./tokenizer.js";
export { type TrainBpeOptions, trainBpe, WordCounts } from "./trainBpe.js";
