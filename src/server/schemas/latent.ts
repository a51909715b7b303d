/** Requests and answers of the routes under /latent. */
import { z } from "zod";
import { AVERAGING_RULES } from "../../sampling/averaging.js";
import { AVG_PRESETS } from "../../sampling/avg.js";
import { samplers } from "../../sampling/samplers.js";
import { cfgScale, ids, latent, MAX_INPUTS, noise, seed, stream, tau, text, textOrLatent } from "./common.js";
import { examples, plan, strategyName } from "./plan.js";

const namesOf = <T extends object>(table: T) => Object.keys(table) as [keyof T & string, ...(keyof T & string)[]];

const confidence = z.object({
  confidence: z.number().describe("probability that the decoder gives a token of the text from its latent"),
  baseLoss: z.number().describe("the base's loss on the text, nats per token"),
  isKnown: z.boolean().describe("whether the text is of a kind that the model keeps"),
});

export const encodeRequest = z.strictObject({
  texts: z.array(text).min(1).max(MAX_INPUTS),
  confidence: z.boolean().default(false).describe("whether each text comes with its confidence"),
});
export const encodeAnswer = z.object({
  latents: z.array(
    z.object({
      text: z.string(),
      ids,
      mean: latent,
      logVariance: latent.optional(),
      poolWeights: z.array(z.number()).describe("how much of the latent was taken from each token"),
      slotWeights: z.array(z.array(z.number())).describe("the same for each slot"),
      longerThanSpan: z.boolean(),
      ...confidence.partial().shape,
    }),
  ),
});

export const decodeRequest = z.strictObject({
  zs: z.array(latent).min(1).max(MAX_INPUTS),
  prefix: text.optional(),
  nTokens: z.int().min(1).optional(),
  tau: tau.default(0),
  cfgScale: cfgScale.default(1),
  seed: seed.optional(),
  stream: stream.default(false),
});
export const decodeAnswer = z.object({ texts: z.array(z.string()), seed: z.int() });

export const reconstructRequest = z.strictObject({
  texts: z.array(text).min(1).max(MAX_INPUTS),
  tau: tau.default(0),
  noise: noise.default(0),
  confidence: z.boolean().default(false).describe("whether each text comes with its confidence"),
  seed: seed.optional(),
  stream: stream.default(false),
});
export const reconstructAnswer = z.object({
  reconstructions: z.array(
    z.object({
      text: z.string(),
      reconstruction: z.string(),
      ...confidence.partial().shape,
      longerThanSpan: z.boolean(),
    }),
  ),
  seed: z.int(),
});

export const interpolateRequest = z.strictObject({
  from: textOrLatent,
  to: textOrLatent,
  steps: z.int().min(2).max(MAX_INPUTS).default(5),
  kind: z.enum(["normLerp", "lerp", "slerp"]).optional(),
  tau: tau.default(0),
  cfgScale: cfgScale.optional(),
  seed: seed.optional(),
  stream: stream.default(false),
});
export const interpolateAnswer = z.object({
  texts: z.array(z.object({ t: z.number(), text: z.string(), z: latent })),
  longerThanSpan: z.boolean(),
  seed: z.int(),
});

export const weightedPart = z.strictObject({ weight: z.number(), source: textOrLatent });
export const mixRequest = z.strictObject({
  parts: z.array(weightedPart).min(1).max(MAX_INPUTS),
  kind: z.enum(["normKept", "sum", "medoid"]).default("normKept"),
  tau: tau.default(0),
  cfgScale: cfgScale.optional(),
  seed: seed.optional(),
  stream: stream.default(false),
});
export const mixAnswer = z.object({ text: z.string(), z: latent, norm: z.number(), seed: z.int() });

/** Options of every sampler, by their names in the library. */
const samplingFields = {
  prompt: z.union([textOrLatent, z.array(textOrLatent).max(MAX_INPUTS)]).optional(),
  context: text.optional(),
  start: textOrLatent.optional(),
  terminal: textOrLatent.optional(),
  task: examples.optional(),
  plan: plan.optional(),
  strategy: strategyName.optional().describe("a strategy of the server's that is written by, as NAME or NAME@VERSION"),
  preset: z.enum(namesOf(AVG_PRESETS)).optional(),
  averaging: z.enum(AVERAGING_RULES).optional(),
  nSteps: z.int().min(1).max(256).optional(),
  nAvg: z.int().min(1).max(64).optional(),
  nStarts: z.int().min(1).max(64).optional(),
  nTries: z.int().min(1).max(64).optional(),
  span: z.int().min(1).optional(),
  weights: z.record(z.string(), z.number()).optional(),
  cfgScale: cfgScale.optional(),
  tau: tau.optional(),
  noise: noise.optional(),
  ignoreEos: z.boolean().optional(),
  memory: z
    .boolean()
    .optional()
    .describe("whether drafts of the server's memory are taken where they fit, and new ones are kept in it"),
  experts: z
    .int()
    .min(1)
    .max(MAX_INPUTS)
    .optional()
    .describe("how many of the server's experts write a span: those nearest to its latent; default: the router writes"),
  seed: seed.optional(),
};
const sampler = z
  .enum(namesOf(samplers))
  .optional()
  .describe("default: policy where there is a plan, task where a strategy gives examples, else avg");
export const generateRequest = z.strictObject({
  sampler,
  ...samplingFields,
  stream: stream.default(false),
});
export const planRequest = z.strictObject({
  sampler: z
    .enum(["plan", "plan-2", "plan-search", "policy", "bridge"])
    .optional()
    .describe("default: policy where there is a plan, else plan"),
  ...samplingFields,
  stream: stream.default(false),
});
export const traceRequest = z.strictObject({ sampler, ...samplingFields });

const tokens = z.object({ text: z.string(), ids });
const expertShare = z.object({ name: z.string(), weight: z.number() });
const planStep = z.object({
  waypoint: z.int().describe("number of the waypoint that was asked for, from 1"),
  waypoints: z.int(),
  tries: z.int(),
  isFound: z.boolean().describe("whether a search during the run put it there"),
  agreement: z.number().describe("its similarity to what the context would have said"),
  share: z.number().describe("its share in what the span was written from"),
  distance: z.number().describe("how far what was written is from it"),
  tolerance: z.number(),
  isReached: z.boolean(),
});
const spanAnswer = z.object({
  text: z.string(),
  ids,
  z: latent,
  recalled: z.array(z.int()).optional().describe("records of the memory whose drafts had a share in it"),
  plan: planStep.optional().describe("what a plan asked of it, and what came of it"),
  experts: z.array(expertShare).optional().describe("who wrote it, where experts did"),
});
export const generateAnswer = z.object({
  ...tokens.shape,
  original: tokens.describe("what the original's function returns, the context in front"),
  next: tokens.optional().describe("the next topic, from samplers that write one"),
  spans: z.array(spanAnswer),
  warnings: z.array(z.string()),
  seed: z.int(),
});
export const traceAnswer = z.object({
  trace: z
    .array(z.looseObject({ kind: z.enum(["model", "latent", "span"]) }))
    .describe("the lines of trace.jsonl: the model, each latent with its origins, each span"),
  latents: z.array(latent).describe("by the index of the trace's latents"),
  ...generateAnswer.shape,
});
