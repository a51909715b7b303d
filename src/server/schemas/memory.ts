/** Requests and answers of the routes under /memory. */
import { z } from "zod";
import { COMPARED_BY } from "../../latent/index.js";
import { METRICS } from "../../memory/types.js";
import { ids, latent, MAX_INPUTS, seed, text, textOrLatent } from "./common.js";

const tags = z.array(z.string().min(1).max(256)).max(64);
const moment = z.int().describe("milliseconds since 1970");
const recordIds = z.array(z.int().min(1)).min(1).max(65_536);

const recall = z.object({ distance: z.number(), coverage: z.number(), texts: z.int() });
export const showAnswer = z.object({
  records: z.int(),
  space: z.object({ base: z.string(), encoder: z.string(), zDim: z.int(), slots: z.int(), span: z.int() }),
  recall: recall
    .nullable()
    .describe("how near a kept draft must be to stand for a new one; null before /memory/calibrate"),
});

export const addRequest = z.strictObject({
  records: z
    .array(
      z.strictObject({
        text: text.min(1),
        z: latent.optional().describe("default: the text's"),
        contextZ: latent.optional().describe("the latent of what stood before it"),
        tags: tags.optional(),
        score: z.number().optional(),
        time: moment.optional().describe("default: now"),
      }),
    )
    .min(1)
    .max(MAX_INPUTS),
});
export const addAnswer = z.object({ ids });

export const searchRequest = z.strictObject({
  near: textOrLatent.optional(),
  text: text.optional().describe("words; records with more of the rarer ones come first"),
  count: z.int().min(1).max(1000).default(10),
  metric: z.enum(METRICS).default("cosine"),
  by: z.enum(COMPARED_BY).default("key").describe("the means of the slots, or the best 100 of them slot by slot"),
  exact: z.boolean().default(false).describe("whether every record is compared, without the index"),
  filter: z
    .strictObject({
      tags: tags.optional().describe("all of these"),
      words: text.optional().describe("all of these words, or words that begin with them"),
      after: moment.optional(),
      before: moment.optional(),
      minScore: z.number().optional(),
      maxScore: z.number().optional(),
    })
    .default({}),
  latents: z.boolean().default(false).describe("whether records come with their latents"),
  decode: z.boolean().default(false).describe("whether the mean of what is found is decoded"),
});
export const searchAnswer = z.object({
  found: z.array(
    z.object({
      id: z.int(),
      text: z.string(),
      ids,
      tags: z.array(z.string()),
      time: moment,
      score: z.number().optional(),
      similarity: z.number().optional().describe("to `near`: the greater the nearer"),
      relevance: z.number().optional().describe("of the text to the words"),
      z: latent.optional(),
    }),
  ),
  mean: z.object({ z: latent, text: z.string() }).optional(),
});

export const calibrateRequest = z.strictObject({
  texts: z.array(text).min(1).max(MAX_INPUTS).describe("of at least a span each; drafts are written behind them"),
  coverage: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe("share of these drafts that lie as near to what they were written from; default: 0.5"),
  nAvg: z.int().min(1).max(64).optional().describe("drafts of a text; default: 4"),
  seed: seed.optional(),
});
export const calibrateAnswer = z.object({ ...recall.shape, seed: z.int() });

export const deleteRequest = z.strictObject({ ids: recordIds });
export const deleteAnswer = z.object({ deleted: z.int() });
