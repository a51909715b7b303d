/** Routes that run samplers: generate, plan, trace. */
import type { z } from "zod";
import type { GeneratedSpan, GenerateOptions } from "../../bigVae.js";
import { traceOf } from "../../host/trace.js";
import { type PlannedRun, plannedRun } from "../../operations/plannedRun.js";
import { drive, result, shownExperts, spanResult } from "../../operations/writing.js";
import {
  ignoredInputs,
  ignoresFurtherPrompts,
  SAMPLER_INPUTS,
  type SamplerName,
  suitedSampler,
} from "../../sampling/samplers.js";
import { type RequestContext, type Route, route, type Send, seedOf, toExample, toSource } from "../route.js";
import * as schemas from "../schemas/latent.js";
import { planOf } from "./plans.js";

type Fields = Omit<z.output<typeof schemas.generateRequest>, "sampler" | "stream">;

/** What a request gives to follow. Throws "usage" for a strategy that is not there, and for two plans. */
async function plannedOf({ strategies, signal }: RequestContext, { plan, strategy }: Fields): Promise<PlannedRun> {
  const opened = strategy === undefined ? undefined : await strategies.open(strategy);
  return plannedRun(plan && ((vae) => planOf(vae, plan, signal)), opened);
}

/** Runs a sampler; with `send`, text and spans are told as they are written. */
export async function runSampler(
  context: RequestContext,
  given: SamplerName | ((planned: PlannedRun) => SamplerName),
  fields: Fields,
  send?: Send,
  onToken?: (id: number) => void,
) {
  const planned = await plannedOf(context, fields);
  const sampler = typeof given === "string" ? given : given(planned);
  const vae = context.model.withLatents();
  const seed = seedOf(context, fields.seed);
  const spans: GeneratedSpan[] = [];
  const warnings: string[] = [];
  const {
    prompt: _prompt,
    start: _start,
    terminal: _terminal,
    task: _task,
    plan: _plan,
    strategy: _strategy,
    memory,
    experts: k,
    ...numbers
  } = fields;
  const sources = sourcesOf(fields);
  const options: GenerateOptions = {
    ...numbers,
    ...(k === undefined ? {} : { experts: context.model.experts(k) }),
    ...sources,
    ...(await planned.apply(vae, { ...sources, context: fields.context }, context.signal)),
    ...(memory ? { memory: (await context.memory.drafts(vae)).forRun() } : {}),
    seed,
    signal: context.signal,
    onToken(id) {
      context.metrics.tokens.inc({ direction: "written" });
      onToken?.(id);
    },
    onWarning: (text) => void warnings.push(text),
    ...(send ? { onText: (piece: string) => send({ text: piece }, "token") } : {}),
  };
  warnings.push(...ignored(sampler, fields, planned, sources.prompt.length));
  const written = await drive(vae.generate(sampler, options), (span) => {
    spans.push(span);
    send?.({ span: spans.length, ...spanResult(span) }, "span");
  });
  return { vae, spans, answer: { ...result(written, spans), warnings, seed } };
}

/** A warning of what is given and the sampler has no use for. */
function ignored(sampler: SamplerName, fields: Fields, { hasPlan, hasTask }: PlannedRun, prompts: number): string[] {
  const values = { ...fields, memory: fields.memory || undefined };
  const given = SAMPLER_INPUTS.filter((input) => values[input] !== undefined);
  const names: string[] = ignoredInputs(sampler, given);
  const ofStrategy = SAMPLER_INPUTS.filter(
    (input) => (input === "plan" && hasPlan && !fields.plan) || (input === "task" && hasTask),
  );
  for (const input of ignoredInputs(sampler, ofStrategy))
    names.push(`the ${input === "plan" ? "plan" : "task vector"} of the strategy`);
  if (prompts > 1 && ignoresFurtherPrompts(sampler)) names.push("prompt after the first");
  return names.length > 0 ? [`the sampler ${sampler} ignores ${names.join(", ")}`] : [];
}

/** Texts and latents of a run. */
function sourcesOf({ prompt, start, terminal, task }: Fields) {
  const isOne = typeof prompt === "string" || (prompt?.length && typeof prompt[0] === "number");
  const prompts = prompt === undefined ? [] : isOne ? [prompt] : prompt;
  return {
    prompt: (prompts as (string | number[])[]).map(toSource),
    start: start === undefined ? undefined : toSource(start),
    terminal: terminal === undefined ? undefined : toSource(terminal),
    task: task?.map(toExample) ?? [],
  };
}

type Body = Fields & { sampler?: SamplerName | undefined; stream: boolean };

/** A run as its route answers it, by the sampler that it names, or the one that suits what it gives. */
const answered =
  (suited: (planned: PlannedRun) => SamplerName) =>
  async (context: RequestContext, { sampler, stream: _, ...fields }: Body, send?: Send) =>
    (await runSampler(context, sampler ?? suited, fields, send)).answer;

const generate = route({
  method: "POST",
  path: "/latent/generate",
  tag: "latents",
  summary: "Writes with a sampler, span by span.",
  body: schemas.generateRequest,
  answer: schemas.generateAnswer,
  example: { sampler: "guide", prompt: "The owl lost a button.", nSteps: 1, seed: 7 },
  handle: answered(suitedSampler),
});

const plan = route({
  method: "POST",
  path: "/latent/plan",
  tag: "latents",
  summary: "Writes from one text to another, or along a plan.",
  body: schemas.planRequest,
  answer: schemas.generateAnswer,
  example: { start: "The owl lost a button.", terminal: "They all danced.", nSteps: 1, nAvg: 2, seed: 7 },
  handle: answered(({ hasPlan }) => (hasPlan ? "policy" : "plan")),
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
    const { vae, spans, answer } = await runSampler(context, sampler ?? suitedSampler, fields);
    const { lines, latents } = await traceOf(spans, vae);
    const trace = lines.map((line) =>
      line.kind === "span" ? { ...line, written: { ...line.written, ...shownExperts(line.written.experts) } } : line,
    );
    return { trace, latents, ...answer };
  },
});

export const samplingRoutes: readonly Route[] = [generate, plan, trace];
