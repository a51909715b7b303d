/** Requests and answers in OpenAI's shape. Fields whose effect is not computed are taken where they ask for nothing. */
import { z } from "zod";
import { samplers } from "../../sampling/samplers.js";
import { latent, MAX_INPUTS, seed, text } from "./common.js";
import { weightedPart } from "./latent.js";

/** Completions of one request. */
const MAX_CHOICES = 128;

const model = z.string().describe("the model's name, as /v1/models lists it");
const tokenIds = z.array(z.int().min(0)).min(1);

export const modelsAnswer = z.object({
  object: z.literal("list"),
  data: z.array(z.object({ id: z.string(), object: z.literal("model"), created: z.int(), owned_by: z.string() })),
});

export const embeddingsRequest = z.strictObject({
  model,
  input: z.union([text, z.array(text).min(1).max(MAX_INPUTS), tokenIds, z.array(tokenIds).min(1).max(MAX_INPUTS)]),
  encoding_format: z.enum(["float", "base64"]).default("float"),
  dimensions: z.int().min(1).optional().describe("the first values alone, at length 1"),
  user: z.string().optional(),
});
const usage = { prompt_tokens: z.int(), total_tokens: z.int() };
export const embeddingsAnswer = z.object({
  object: z.literal("list"),
  model: z.string(),
  data: z.array(
    z.object({
      object: z.literal("embedding"),
      index: z.int(),
      embedding: z.union([z.array(z.number()), z.string().describe("base64 of float32, little endian")]),
    }),
  ),
  usage: z.object(usage),
});

export const completionRequest = z.strictObject({
  model,
  prompt: z
    .union([text, z.array(text).min(1).max(MAX_INPUTS), tokenIds, z.array(tokenIds).min(1).max(MAX_INPUTS)])
    .default(""),
  max_tokens: z.int().min(0).nullish(),
  temperature: z.number().min(0).max(100).nullish(),
  n: z.int().min(1).max(MAX_CHOICES).nullish(),
  best_of: z.int().min(1).max(MAX_CHOICES).nullish().describe("no more than n"),
  stop: z.union([z.string().min(1), z.array(z.string().min(1)).max(16)]).nullish(),
  seed: seed.nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.strictObject({ include_usage: z.boolean().optional() }).nullish(),
  echo: z.boolean().nullish(),
  logprobs: z.int().min(0).max(1).nullish().describe("1: with the likeliest token beside each"),
  top_p: z.literal(1).nullish(),
  frequency_penalty: z.literal(0).nullish(),
  presence_penalty: z.literal(0).nullish(),
  logit_bias: z.strictObject({}).nullish(),
  suffix: z.literal("").nullish(),
  user: z.string().optional(),
  z: latent.optional().describe("the latent to write from, behind the prompt"),
  mix: z.array(weightedPart).min(1).max(MAX_INPUTS).optional().describe("the same as a weighted mix"),
  guide: text.optional().describe("the topic of the sampler; default: the prompt"),
  sampler: z
    .enum(Object.keys(samplers) as [keyof typeof samplers, ...(keyof typeof samplers)[]])
    .optional()
    .describe("writes span by span; default with guide: guide"),
});
export type CompletionRequest = z.infer<typeof completionRequest>;

const logprobs = z.object({
  tokens: z.array(z.string()),
  token_logprobs: z.array(z.number().nullable()),
  top_logprobs: z.array(z.record(z.string(), z.number()).nullable()).nullable(),
  text_offset: z.array(z.int()),
});
export type Logprobs = z.infer<typeof logprobs>;

export const completionAnswer = z.object({
  id: z.string(),
  object: z.literal("text_completion"),
  created: z.int(),
  model: z.string(),
  choices: z.array(
    z.object({
      text: z.string(),
      index: z.int(),
      logprobs: logprobs.nullable(),
      finish_reason: z.enum(["stop", "length"]).nullable(),
    }),
  ),
  usage: z.object({ ...usage, completion_tokens: z.int() }).nullish(),
  seed: z.int().optional(),
});
export type CompletionAnswer = z.infer<typeof completionAnswer>;
