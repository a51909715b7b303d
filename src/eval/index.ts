/** Measures of a text VAE: what it reconstructs, how its latent space lies, and how well it writes. */
export { type ArithmeticReport, evaluateArithmetic } from "./arithmetic.js";
export { type BlendReport, evaluateBlends } from "./blend.js";
export { corpusBleu } from "./bleu.js";
export { bootstrap, type Estimate, ratio } from "./bootstrap.js";
export { type DisentanglementReport, evaluateDisentanglement, zMinVar } from "./disentanglement.js";
export { editSimilarity, tokenEditDistance } from "./editDistance.js";
export { type EvaluationOptions, type EvaluationReport, evaluate } from "./evaluate.js";
export { importanceEstimate, logWeight } from "./importanceSampling.js";
export * from "./latentStatistics.js";
export { type EvaluatedModel, Scoring, type ScoringOptions } from "./scoring.js";
export { evaluateSentences, type SentenceReport } from "./sentences.js";
export { cutSpans } from "./spans.js";
export { type ProseMeasures, proseMeasures, wordsOf } from "./words.js";
