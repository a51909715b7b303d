/** Samplers over the interface LatentModel. */
import { type AvgPreset, type AvgPresetName, AVG_PRESETS as avgPresets } from "./avg.js";
import { type SamplerEntry, type SamplerName, samplers as table } from "./samplers.js";

export type { Averaging } from "./averaging.js";
export { type AvgPreset, type AvgPresetName, avg, userAvg } from "./avg.js";
export { generate } from "./generate.js";
export { guide, task } from "./guide.js";
export type * from "./model.js";
export { paragraph } from "./paragraph.js";
export { type PlanInputs, type PlanSearchInputs, plan, plan2, planSearch } from "./plan.js";
export { paragraphTopic, prose } from "./prose.js";
export type { SamplerEntry, SamplerInputs, SamplerName } from "./samplers.js";

/** The model card's numbers, MiniHF's, and those of our own that keep the thread. */
export const AVG_PRESETS: Readonly<Record<AvgPresetName, AvgPreset>> = avgPresets;

/** What each sampler takes, and the function behind it. */
export const samplers: Readonly<Record<SamplerName, SamplerEntry>> = table;
