/** bigvae: work in the latent space of a language model. */
import "./oldNode.js";

export * from "./browser.js";
export { EXIT_CODES } from "./errors.js";
export { ExpertChoice, type ExpertFacts, type ExpertOptions, type StoredExpert } from "./expert/index.js";
export {
  type AdapterDescription,
  type AdaptersDescription,
  type BaseDescription,
  type DtypeCount,
  describeModel,
  type ModelDescription,
} from "./host/describeModel.js";
export { type NamedLatent, readLatents, writeLatents } from "./host/latentFiles.js";
export { type ListedModel, listModels } from "./host/listModels.js";
export type { ModelKind } from "./host/neededFiles.js";
export {
  type PulledModel,
  type PullOptions,
  type PullPlan,
  type PullProgress,
  planPull,
  pullModel,
} from "./host/pullModel.js";
export { planRemoval, type RemovalPlan, removeModel } from "./host/removeModel.js";
export type {
  FoundRecord,
  Memory,
  MemoryFilter,
  MemoryOptions,
  MemoryProblem,
  MemoryQuery,
  MemoryRecord,
  Metric,
  NewRecord,
  RecordLatents,
  RepairedMemory,
  SpaceIdentity,
  VerifiedMemory,
} from "./memory/index.js";
export {
  type DraftCounts,
  type DraftOptions,
  measureRecall,
  RecalledDrafts,
  type RecallLimits,
  recallLimits,
  setRecallLimits,
} from "./operations/draftMemory.js";
export { openExperts } from "./operations/experts.js";
export { openMemory, repairMemory } from "./operations/memories.js";
export {
  openPlan,
  type PlanSearchOptions,
  planAlong,
  planByAnalogy,
  planBySearch,
  planOfTexts,
  savePlan,
} from "./operations/plans.js";
export { type AppliedStrategy, applyStrategy, mergedStrategies, newStrategy } from "./operations/strategies.js";
export {
  type ListedStrategy,
  type NamedStrategy,
  type StoredWaypoint,
  Strategies,
  type Strategy,
} from "./plans/index.js";
export type { DraftMemory, DraftPlace, KeptDraft } from "./sampling/draftMemory.js";
export type { ExpertPolicy, ExpertShare, PlanStep } from "./sampling/model.js";
export type { SearchStep } from "./sampling/searchPlan.js";
export { transposed } from "./sampling/waypoints.js";
