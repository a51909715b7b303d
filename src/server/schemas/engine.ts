/** Requests and answers of the engine's calls, for a model on another machine: token ids and rows, as the library makes them. */
import { z } from "zod";
import { ids, latent, MAX_INPUTS } from "./common.js";

/** Rows of one call: the library sends all texts of its caller together. */
const MAX_ROWS = 16 * MAX_INPUTS;
const MAX_TOKENS = 2 ** 20;

const tokens = z.array(z.int().min(0)).max(MAX_TOKENS);
const tokenRow = { ids: tokens, mask: z.array(z.int().min(0).max(1)).optional() };
const rowsOf = <Row extends z.ZodType>(row: Row) => z.array(row).max(MAX_ROWS);
/** JSON writes what is not finite as null: it is the engine that refuses it. */
const number = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);
const numbers = z.array(number).min(1).max(65_536);
const scale = number.optional();

export const factsAnswer = z.looseObject({
  maxPositions: z.int(),
  hiddenSize: z.int(),
  zDim: z.int(),
  width: z.int(),
  slots: z.int(),
  span: z.int(),
  aeScale: z.number(),
  adapters: z.record(z.string(), z.string()).describe("what each adapter does, by name"),
});
const file = z.record(z.string(), z.unknown());
export const tokenizerAnswer = z.object({
  json: file.describe("tokenizer.json"),
  config: file.optional().describe("tokenizer_config.json"),
  specialTokens: file.optional().describe("special_tokens_map.json"),
});
export const hashesAnswer = z.object({
  base: z.string().describe("sha256 of the base's weights"),
  adapters: z.string().optional().describe("of the head and all adapters"),
  encoder: z.string().optional().describe("of the head and the encoder's adapter: the space of latents"),
});

export const encodeRequest = z.strictObject({ rows: rowsOf(z.strictObject(tokenRow)) });
export const encodeAnswer = z.object({
  rows: z.array(
    z.object({
      mean: latent,
      logVariance: latent.optional(),
      poolWeights: z.array(z.number()),
      slotWeights: z.array(z.array(z.number())),
    }),
  ),
});

export const embedRequest = z.strictObject({
  rows: rowsOf(z.strictObject({ ...tokenRow, skip: z.int().min(0).optional() })),
  causal: z.boolean(),
});
export const embedAnswer = z.object({ rows: z.array(z.array(z.number())) });

const writer = z.string().max(256).describe("an adapter by its name, or base");
const writtenRow = { z: numbers.optional(), nTokens: z.int().min(1).optional(), cfgScale: scale };
export const writeRequest = z.strictObject({
  rows: rowsOf(z.strictObject({ ...writtenRow, rngKey: z.array(z.int()).length(4) })),
  options: z.strictObject({
    writer,
    context: tokens,
    begun: tokens.optional(),
    nTokens: z.int().min(0).max(MAX_TOKENS),
    tau: number,
    cfgScale: scale,
    stopId: z.int().min(0).optional(),
    endless: z.boolean().optional(),
    beginId: z.int().min(0).optional(),
  }),
  stream: z.boolean().default(false).describe("whether tokens are told as they are written, with their rows"),
});
export const writeAnswer = z.object({ rows: z.array(ids) });

export const scoreRequest = z.strictObject({
  rows: rowsOf(z.strictObject({ ...writtenRow, target: tokens })),
  writer,
  context: tokens,
});
export const scoreAnswer = z.object({
  rows: z.array(
    z.object({
      logProbabilities: z.array(z.number()),
      greedy: z.array(z.boolean()),
      best: ids,
      bestLogProbabilities: z.array(z.number()),
    }),
  ),
});
