/** Samplers over the interface LatentModel. */
export type { Averaging } from "./averaging.js";
export { AVG_PRESETS, type AvgPreset, type AvgPresetName, avg, userAvg } from "./avg.js";
export { generate } from "./generate.js";
export { guide, task } from "./guide.js";
export type * from "./model.js";
export { paragraph } from "./paragraph.js";
export { type PlainSpan, plain } from "./plain.js";
export { type PlanInputs, type PlanSearchInputs, plan, plan2, planSearch } from "./plan.js";
export { type BridgeInputs, bridge, type PolicyInputs, policy } from "./policy.js";
export { paragraphTopic, prose } from "./prose.js";
export { type SamplerEntry, type SamplerInputs, type SamplerName, samplers } from "./samplers.js";
export { type PlanSearch, type SearchStep, searchPlan } from "./searchPlan.js";
export * from "./waypoints.js";
