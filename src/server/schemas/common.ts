/** Values that many routes take, as schemas: what they accept, and the types of both ends. */
import { z } from "zod";

/** Texts or latents in one request. */
export const MAX_INPUTS = 512;
/** Characters of one text. */
const MAX_CHARACTERS = 2 ** 18;

export const text = z.string().max(MAX_CHARACTERS);
/** A latent as numbers: `width` values of the model. */
export const latent = z.array(z.number()).min(1).max(65_536).describe("a latent, as many numbers as the model's width");
export const textOrLatent = z.union([text, latent]).describe("a text, or a latent that stands for one");
export const seed = z.int().min(0).describe("seed of all random numbers; default: another one for each request");
export const tau = z.number().min(0).max(100).describe("temperature; 0 is greedy");
export const noise = z.number().min(0).max(100).describe("variance of the noise on latents; 0 takes means");
export const cfgScale = z.number().min(0).max(100).describe("guidance scale; 1 leaves the base out");
export const stream = z.boolean().describe("whether the answer comes as server-sent events while it is written");
/** What comes back as token ids. */
export const ids = z.array(z.int());

/** The shape of every error. */
export const failure = z.object({
  error: z.object({
    message: z.string(),
    type: z.string(),
    param: z.string().nullable(),
    code: z.string().nullable(),
    detail: z
      .object({
        subject: z.string(),
        expected: z.union([z.string(), z.number()]),
        got: z.union([z.string(), z.number()]),
        remedy: z.string(),
      })
      .optional()
      .describe("the message in its parts; options of the library are in backticks"),
  }),
});
export type Failure = z.infer<typeof failure>;
