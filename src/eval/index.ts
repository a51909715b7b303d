/** Measures of a text VAE: what it reconstructs, how its latent space lies, and how well it writes. */

export { type ArithmeticReport, evaluateArithmetic } from "./arithmetic.js";
export { evaluateBase } from "./baseLikelihood.js";
export { BLEND_RULES, type BlendReport, type BlendRule, blendRules, evaluateBlends } from "./blend.js";
export { corpusBleu } from "./bleu.js";
export { bootstrap, bootstrapDifference, type Estimate, ratio } from "./bootstrap.js";
export { compareForms, type FormReading, readForm } from "./compareForms.js";
export { type Confidence, confidences, type UsualLosses, usualLosses } from "./confidence.js";
export { type DisentanglementReport, evaluateDisentanglement, zMinVar } from "./disentanglement.js";
export { editSimilarity, tokenEditDistance } from "./editDistance.js";
export { type EvaluationOptions, type EvaluationReport, evaluate } from "./evaluate.js";
export { type ExpertsReport, evaluateExperts } from "./experts.js";
export { importanceEstimate, logWeight } from "./importanceSampling.js";
export * from "./latentStatistics.js";
export { evaluateMemory, SESSION_SPANS, type SessionReport } from "./memorySession.js";
export { evaluatePlans, PLAN_PAIRS, type PlanPair, type PlansReport } from "./plans.js";
export { evaluateProse, PROSE_PROMPTS, PROSE_RUNS, type ProseReport } from "./prose.js";
export { evaluateRebuilding, type RebuildingOptions, type RebuildingReport } from "./rebuilding.js";
export { evaluateRetrieval, type RetrievalReport } from "./retrieval.js";
export { type EvaluatedModel, Scoring, type ScoringOptions } from "./scoring.js";
export { cutSentences, evaluateSentences, type SentenceReport } from "./sentences.js";
export { evaluateSpace, type SpaceReport } from "./space.js";
export { cutSpans } from "./spans.js";
export { type ProseMeasures, proseMeasures, wordsOf } from "./words.js";
