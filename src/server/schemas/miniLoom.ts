/** What MiniLoom sends: numbers may be strings, and fields that only other servers use come along. */
import { z } from "zod";
import { text } from "./common.js";

const number = (most: number) => z.coerce.number().int().min(1).max(most);
const branchCount = number(128);
const tokenCount = number(65_536);

const branches = {
  prompt: text,
  context: text.default("").describe("text before the prompt"),
  output_branches: branchCount.default(2),
  tokens_per_branch: tokenCount.default(64),
};
export const vaeGuidedRequest = z.looseObject({
  ...branches,
  task_vector: z
    .union([text, z.array(text)])
    .nullish()
    .describe("examples of what to write like"),
});
export const generateRequest = z.looseObject({
  ...branches,
  prompt_node: z.boolean().default(false).describe("whether the first entry is the prompt itself"),
  evaluationPrompt: text.nullish().describe("taken, and not read: nothing is scored here"),
  new_tokens: tokenCount.optional().describe("another name of tokens_per_branch"),
  weave_beam_width: branchCount.optional().describe("another name of output_branches"),
});
export const branchesAnswer = z.array(
  z.object({
    id: z.string(),
    prompt: z.string(),
    text: z.string(),
    timestamp: z.string(),
    nodes: z.array(z.never()),
  }),
);
export const checkTokensRequest = z.looseObject({ text });
export const checkTokensAnswer = z.int();
