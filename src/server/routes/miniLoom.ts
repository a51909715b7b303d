/** What the MiniLoom desktop client asks for (JD-P/minihf, loom/): branches of a text, by the latents or by the base. */
import { randomUUID } from "node:crypto";
import { drive } from "../../operations/writing.js";
import { Rng } from "../../rng.js";
import { type RequestContext, type Route, route, seedOf } from "../route.js";
import * as schemas from "../schemas/miniLoom.js";
import { runSampler } from "./sampling.js";

interface Branch {
  id: string;
  prompt: string;
  text: string;
  timestamp: string;
  nodes: never[];
}

function branch(prompt: string, text: string): Branch {
  return { id: randomUUID(), prompt, text, timestamp: `${Date.now() / 1000}`, nodes: [] };
}

/** Branches that are written side by side, each with a seed of its own. */
function branches(context: RequestContext, count: number, write: (seed: number) => Promise<string>): Promise<string[]> {
  const rng = Rng.fromSeed(seedOf(context, undefined));
  return Promise.all(Array.from({ length: count }, (_, i) => write(rng.fork("branch", i).integer(2 ** 31))));
}

const vaeGuided = route({
  method: "POST",
  path: "/vae-guided",
  tag: "MiniLoom",
  summary: "Branches by the latents: the last span of the prompt is the topic.",
  body: schemas.vaeGuidedRequest,
  answer: schemas.branchesAnswer,
  example: { prompt: "The owl lost a button.", output_branches: "2", tokens_per_branch: "16" },
  async handle(context, { prompt, context: before, output_branches, tokens_per_branch, task_vector }) {
    const vae = context.model.withLatents();
    const task = (typeof task_vector === "string" ? [task_vector] : (task_vector ?? [])).filter(
      (text) => text.trim() !== "",
    );
    const span = Math.min(vae.span, tokens_per_branch);
    const ids = vae.tokenizer.encode(prompt);
    const topic = vae.tokenizer.decode(ids.slice(-vae.span), { continues: ids.length > vae.span });
    const rest = before + vae.tokenizer.decode(ids.slice(0, -vae.span));
    // The sampler task writes behind its context alone, avg behind context and topic.
    const fields = { prompt: topic, context: task.length > 0 ? before + prompt : rest, span };
    const nSteps = Math.ceil(tokens_per_branch / span);
    const texts = await branches(context, output_branches, async (seed) => {
      const sampler = task.length > 0 ? "task" : "avg";
      const { answer } = await runSampler(context, sampler, {
        ...fields,
        nSteps,
        seed,
        ...(task.length > 0 ? { task } : {}),
      });
      return vae.tokenizer.decode(answer.ids.slice(0, tokens_per_branch), { skipSpecial: true, continues: true });
    });
    return texts.map((text) => branch(prompt, text));
  },
});

const generate = route({
  method: "POST",
  path: "/generate",
  tag: "MiniLoom",
  summary: "Branches by the base.",
  body: schemas.generateRequest,
  answer: schemas.branchesAnswer,
  example: {
    prompt: "The owl lost",
    prompt_node: true,
    evaluationPrompt: "",
    output_branches: "2",
    tokens_per_branch: "8",
  },
  async handle(context, body) {
    const { prompt, context: before, prompt_node, new_tokens, weave_beam_width } = body;
    const span = new_tokens ?? body.tokens_per_branch;
    const count = weave_beam_width ?? body.output_branches;
    const vae = context.model.get();
    const texts = await branches(context, count, async (seed) => {
      const options = { nSteps: 1, span, seed, signal: context.signal };
      let text = "";
      await drive(vae.complete(before === "" ? prompt : `${before} ${prompt}`, options), (each) => {
        text += each.text;
        context.metrics.tokens.inc({ direction: "written" }, each.ids.length);
      });
      return text;
    });
    return [...(prompt_node ? [branch(prompt, "")] : []), ...texts.map((text) => branch(prompt, text))];
  },
});

const checkTokens = route({
  method: "POST",
  path: "/check-tokens",
  tag: "MiniLoom",
  summary: "The number of tokens of a text.",
  body: schemas.checkTokensRequest,
  answer: schemas.checkTokensAnswer,
  example: { text: "The owl lost a button." },
  handle: ({ model }, { text }) => model.get().tokenizer.encode(text).length,
});

export const miniLoomRoutes: readonly Route[] = [vaeGuided, generate, checkTokens];
