/** Routes that run samplers: generate, plan, trace. */
import type { z } from "zod";
import type { BigVae, GeneratedSpan, GenerateOptions } from "../../bigVae.js";
import { traceOf } from "../../host/trace.js";
import { settled } from "../../operations/plans.js";
import { drive, result, shownExperts, spanResult } from "../../operations/writing.js";
import { type SamplerName, suitedSampler } from "../../sampling/samplers.js";
import { type RequestContext, type Route, route, type Send, seedOf, toLatent, toSource } from "../route.js";
import * as schemas from "../schemas/latent.js";

type Fields = Omit<z.output<typeof schemas.generateRequest>, "sampler" | "stream">;

/** Runs a sampler; with `send`, text and spans are told as they are written. */
export async function runSampler(
  context: RequestContext,
  sampler: SamplerName,
  fields: Fields,
  send?: Send,
  onToken?: (id: number) => void,
) {
  const vae = context.model.withLatents();
  const seed = seedOf(context, fields.seed);
  const spans: GeneratedSpan[] = [];
  const warnings: string[] = [];
  const {
    prompt: _prompt,
    start: _start,
    terminal: _terminal,
    task: _task,
    plan,
    memory,
    experts: k,
    ...numbers
  } = fields;
  const options: GenerateOptions = {
    ...numbers,
    ...(k === undefined ? {} : { experts: context.model.experts(k) }),
    ...sourcesOf(fields),
    ...(memory ? { memory: context.memory.drafts(vae).forRun() } : {}),
    ...(plan ? { plan: await planOf(vae, plan, context.signal) } : {}),
    seed,
    signal: context.signal,
    onToken(id) {
      context.metrics.tokens.inc({ direction: "written" });
      onToken?.(id);
    },
    onWarning: (text) => void warnings.push(text),
    ...(send ? { onText: (piece: string) => send({ text: piece }, "token") } : {}),
  };
  const written = await drive(vae.generate(sampler, options), (span) => {
    spans.push(span);
    send?.({ span: spans.length, ...spanResult(span) }, "span");
  });
  return { vae, spans, answer: { ...result(written, spans), warnings, seed } };
}

/** Waypoints with their latents: texts that have none are encoded. */
function planOf(vae: BigVae, plan: NonNullable<Fields["plan"]>, signal: AbortSignal) {
  const stored = plan.map(({ z, text, ...numbers }) => ({
    ...numbers,
    ...(z ? { z: toLatent(z) } : {}),
    ...(text === undefined ? {} : { text }),
  }));
  return settled(vae, stored, signal);
}

/** Texts and latents of a run. */
function sourcesOf({ prompt, start, terminal, task }: Fields): Partial<GenerateOptions> {
  const isOne = typeof prompt === "string" || (prompt?.length && typeof prompt[0] === "number");
  const prompts = prompt === undefined ? [] : isOne ? [prompt] : prompt;
  return {
    prompt: (prompts as (string | number[])[]).map(toSource),
    start: start === undefined ? undefined : toSource(start),
    terminal: terminal === undefined ? undefined : toSource(terminal),
    task: task?.map((example) =>
      typeof example === "object" && "z" in example
        ? { z: toLatent(example.z), examples: example.examples }
        : toSource(example),
    ),
  };
}

/** The sampler of a request: the one that it names, or that suits what it gives. */
const namedSampler = ({ sampler, plan }: Partial<Fields> & { sampler?: SamplerName | undefined }) =>
  sampler ?? suitedSampler({ hasPlan: plan !== undefined });

type Body = Fields & { sampler?: SamplerName | undefined; stream: boolean };

/** A run as its route answers it. */
const handle = async (context: RequestContext, { sampler, stream: _, ...fields }: Body, send?: Send) =>
  (await runSampler(context, namedSampler({ sampler, ...fields }), fields, send)).answer;

const generate = route({
  method: "POST",
  path: "/latent/generate",
  tag: "latents",
  summary: "Writes with a sampler, span by span.",
  body: schemas.generateRequest,
  answer: schemas.generateAnswer,
  example: { sampler: "guide", prompt: "The owl lost a button.", nSteps: 1, seed: 7 },
  handle,
});

const plan = route({
  method: "POST",
  path: "/latent/plan",
  tag: "latents",
  summary: "Writes from one text to another, or along a plan.",
  body: schemas.planRequest,
  answer: schemas.generateAnswer,
  example: { start: "The owl lost a button.", terminal: "They all danced.", nSteps: 1, nAvg: 2, seed: 7 },
  handle: (context, body, send) =>
    handle(context, { ...body, sampler: body.sampler ?? (body.plan ? "policy" : "plan") }, send),
});

const trace = route({
  method: "POST",
  path: "/latent/trace",
  tag: "latents",
  summary: "Writes with a sampler, and tells where each latent came from.",
  body: schemas.traceRequest,
  answer: schemas.traceAnswer,
  example: { sampler: "avg", prompt: "The owl lost a button.", nSteps: 1, nAvg: 2, seed: 7 },
  async handle(context, { sampler, ...fields }) {
    const { vae, spans, answer } = await runSampler(context, namedSampler({ sampler, ...fields }), fields);
    const { lines, latents } = await traceOf(spans, vae);
    const trace = lines.map((line) =>
      line.kind === "span" ? { ...line, written: { ...line.written, ...shownExperts(line.written.experts) } } : line,
    );
    return { trace, latents, ...answer };
  },
});

export const samplingRoutes: readonly Route[] = [generate, plan, trace];
