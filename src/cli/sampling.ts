/** What `generate` and `plan` share: the options of a run of a sampler, and the run itself. */
import type { Command } from "@commander-js/extra-typings";
import {
  type BigVae,
  type GeneratedSpan,
  type GenerateOptions,
  SAMPLING_DEFAULTS,
  type TaskExample,
} from "../bigVae.js";
import { makeFolder } from "../formats/fileOps.js";
import { refuseTraced, writeTrace } from "../host/trace.js";
import { type PlannedRun, plannedRun } from "../operations/plannedRun.js";
import { openPlan } from "../operations/plans.js";
import { drive, spanResult, wholeResult } from "../operations/writing.js";
import { readPlan, Strategies } from "../plans/index.js";
import type { Averaging } from "../sampling/averaging.js";
import type { AvgPresetName } from "../sampling/avg.js";
import type { PlanStep, SamplingOptions } from "../sampling/model.js";
import { DEFAULT_TRIES } from "../sampling/policy.js";
import {
  DEFAULT_STARTS,
  ignoredInputs,
  ignoresFurtherPrompts,
  requireInputs,
  SAMPLER_INPUTS,
  type SamplerEntry,
  type SamplerInput,
  type SamplerName,
  samplers,
  suitedSampler,
} from "../sampling/samplers.js";
import { EXAMPLES_HELP } from "./examples.js";
import { checkExperts, type ExpertFlags, expertsOf, sharesText, withExperts } from "./experts.js";
import { refuseUnused, withFlags } from "./flags.js";
import { checkDrafts, withDrafts, withMostDrafts } from "./memories.js";
import { collected, interruptSignal, namedNumbers, realNumber, wholeNumber } from "./options.js";
import { STRATEGIES_HELP } from "./plans.js";
import { type SamplerTexts, samplerTexts } from "./samplerTexts.js";
import { type ModelFlags, note, printJson, stopped, useModel, warn, warnLong, warnLongExamples } from "./shared.js";
import { printStopped, spanPrinter, warnEnded } from "./spans.js";

const NAMES = Object.keys(samplers) as SamplerName[];

export const JSON_TEXT = `With --json, a line for each span as it is written: "span" (its number), "text", "ids", "z"; along a plan, "plan" (the waypoint, how far it agrees
with the context, its share, the distance of what was written). In the last line "text" is all that was written; "original" is what the original's
function returns, the context in front, for some samplers without the last span; "next" the next topic, from samplers that write one.`;

/** "default: 4, 5 for paragraph" */
function defaultOf(name: keyof typeof SAMPLING_DEFAULTS): string {
  return `default: ${SAMPLING_DEFAULTS[name]}${ownDefaults(name)}`;
}

/** ", 5 for paragraph" */
function ownDefaults(name: keyof SamplingOptions): string {
  const own = NAMES.flatMap((sampler) => {
    const value = (samplers[sampler] as SamplerEntry).defaults[name];
    return value === undefined ? [] : [`, ${value} for ${sampler}`];
  });
  return own.join("");
}

const CFG_DEFAULT = `default: 1 for a text's own latent, less for mixes if latents have slots${ownDefaults("cfgScale")}`;

/** What the options of `withSampling` give. */
type SharedFlags = {
  context: string;
  start?: string;
  terminal?: string;
  task: string[];
  steps?: number;
  nAvg?: number;
  nStarts?: number;
  nTries?: number;
  strategy?: string;
  strategies: string;
  weights?: Record<string, number>;
  span?: number;
  cfg?: number;
  tau?: number;
  noise?: number;
  ignoreEos: boolean;
  memory?: string;
  memoryDrafts?: number;
  trace?: string;
};

export interface SamplingFlags extends ModelFlags, SharedFlags, ExpertFlags {
  prompt: string[];
  plan?: string;
  preset?: AvgPresetName;
  averaging?: Averaging;
}

/** Adds what every sampler is given. */
export function withSampling<A extends unknown[], O extends Record<string, unknown>>(
  command: Command<A, O>,
): Command<A, O & SharedFlags & ExpertFlags> {
  const extended = withMostDrafts(withExperts(command))
    .option("--context <text>", "text to continue", "")
    .option("--start <text>", "first text of a plan; default: a random latent")
    .option("--terminal <text>", "last text of a plan")
    .option("--task <text>", `example to resemble, may be repeated: ${EXAMPLES_HELP}`, collected, [] as string[])
    .option("--steps <n>", `spans to write; ${defaultOf("nSteps")}`, wholeNumber(1))
    .option("--n-avg <n>", `drafts to average; ${defaultOf("nAvg")}`, wholeNumber(1))
    .option("--n-starts <n>", `random starts of plan-search; default: ${DEFAULT_STARTS}`, wholeNumber(1))
    .option(
      "--n-tries <n>",
      `spans toward a waypoint before another way to it is looked for; default: ${DEFAULT_TRIES}`,
      wholeNumber(1),
    )
    .option(
      "--strategy <name>",
      "write by this strategy: its task vector, its plan, or both (NAME@VERSION for an older one)",
    )
    .option("--strategies <folder>", STRATEGIES_HELP, "strategies")
    .option("--weights <list>", "weights in place of the sampler's own (see below): NAME=X,NAME=X", namedNumbers)
    .option("--span <n>", "tokens of a span; default: the model's", wholeNumber(1))
    .option("--cfg <x>", `guidance scale, 1 is the router alone; ${CFG_DEFAULT}`, realNumber(0))
    .option("--tau <x>", `temperature of tokens, 0 is greedy; ${defaultOf("tau")}`, realNumber(0))
    .option("--noise <x>", `variance of the noise on latents, 0 takes means; ${defaultOf("noise")}`, realNumber(0))
    .option(
      "--memory <place>",
      "reuse drafts kept in this memory, a folder or lance:PATH, s3://BUCKET/PATH and the like, where they are near enough, and keep new ones in it (begin it by bigvae memory calibrate)",
    )
    .option("--ignore-eos", "write every span to its full length; end tokens do not stop it", false)
    .option(
      "--trace <folder>",
      "save every span, its latent and its origins in this folder, which holds no trace yet, for --replay",
    );
  // The compiler does not write down the type of so many options.
  return extended as unknown as Command<A, O & SharedFlags & ExpertFlags>;
}

/** Runs a sampler; without a name, the one that suits what is given: policy for a plan, task for a strategy of a task vector, else avg. */
export async function run(given: SamplerName | undefined, flags: SamplingFlags): Promise<void> {
  const { plan: planFile, strategy } = flags;
  if (planFile !== undefined) await readPlan(planFile);
  const opened = strategy === undefined ? undefined : await new Strategies(flags.strategies).open(strategy);
  const planned = plannedRun(planFile === undefined ? undefined : (vae) => openPlan(vae, planFile), opened);
  const name = given ?? suitedSampler(planned);
  checkTaken(name, flags, planned);
  if (flags.memory === undefined) refuseUnused((flag) => flag === "memoryDrafts", "--memory beside it", "none");
  await checkExperts(flags);
  if (flags.strategy === undefined) refuseUnused((flag) => flag === "strategies", "--strategy beside it", "none");
  const readTexts = await samplerTexts(flags);
  const { takes, defaults } = samplers[name] as SamplerEntry;
  // A sampler without drafts opens no memory.
  const { memory, ...others } = flags;
  const recalling = takes.includes("memory") ? flags : others;
  await checkDrafts(recalling);
  if (flags.trace !== undefined) await refuseTraced(flags.trace);
  await useModel(flags, async (vae) =>
    withDrafts(recalling, vae, async (drafts) => {
      const signal = interruptSignal();
      const own = await readTexts(vae.space.width);
      const { plan, task } = await planned.apply(vae, { ...own, context: flags.context }, signal);
      const texts = { ...own, task };
      const experts = await expertsOf(vae, flags);
      const options = {
        ...runOptions(flags, texts),
        ...(plan ? { plan } : {}),
        ...(drafts ? { memory: drafts.forRun() } : {}),
        ...(experts ? { experts } : {}),
      };
      const longerThanSpan = warnLongInputs(name, flags, vae, texts);
      const printer = spanPrinter(flags);
      if (!flags.json) options.onText = printer.text;
      options.onWarning = (text) => warn(flags, text);
      const spans: GeneratedSpan[] = [];
      if (flags.trace) await makeFolder(flags.trace);
      const written = await drive(vae.generate(name, { ...options, signal }), (span) => {
        spans.push(span);
        if (flags.json) printJson({ span: spans.length, ...spanResult(span) });
        printer.span(traceLine(vae, spans.length, span));
      })
        .catch((thrown: Error) => {
          const error = stopped(thrown);
          if (flags.json) printStopped(spans, { longerThanSpan }, withFlags(error.message));
          throw error;
        })
        .finally(async () => {
          printer.end();
          // A run that is stopped keeps the spans that it finished.
          if (flags.trace && spans.length > 0) await writeTrace(flags.trace, spans, vae);
        });
      const asked = takes.includes("nSteps") ? (flags.steps ?? defaults.nSteps ?? SAMPLING_DEFAULTS.nSteps) : 0;
      warnEnded(flags, spans, asked, vae.tokenizer.eosId);
      if (flags.json) printJson({ ...wholeResult(written, spans), longerThanSpan });
      else if (written.nextText !== undefined) note(flags, `next topic: ${written.nextText.trim()}`);
      if (drafts) note(flags, `${drafts.counts.recalled} of ${drafts.counts.asked} drafts from ${memory}`);
    }),
  );
}

/** Says what is encoded otherwise than in training; returns whether a text that is encoded is longer than a span. */
function warnLongInputs(
  name: SamplerName,
  flags: SamplingFlags,
  vae: BigVae,
  { prompt, start, terminal, task }: SamplerTexts,
): boolean {
  const { needs, takes } = samplers[name] as SamplerEntry;
  const isText = (source?: TaskExample) => typeof source === "string";
  const given = [...prompt, start, terminal].filter(isText);
  const encoded = given.map((text) => ({ text, ids: vae.tokenizer.encode(text) }));
  warnLong(flags, vae, encoded);
  const isLong = encoded.some(({ ids }) => ids.length > vae.span);
  if (![...needs, ...takes].includes("task")) return isLong;
  return warnLongExamples(flags, vae, task.filter(isText), flags.span) || isLong;
}

/** Inputs by flag. */
const FLAGS: Record<SamplerInput, string> = {
  prompt: "--prompt",
  start: "--start",
  terminal: "--terminal",
  task: "--task",
  preset: "--preset",
  averaging: "--averaging",
  nSteps: "--steps",
  nAvg: "--n-avg",
  plan: "--plan",
  nStarts: "--n-starts",
  nTries: "--n-tries",
  noise: "--noise",
  memory: "--memory",
};

/** Throws where the sampler needs a text that was not given; warns of what it ignores. */
function checkTaken(
  name: SamplerName,
  { prompt, task, plan, steps, ...rest }: SamplingFlags,
  { hasPlan, hasTask }: PlannedRun,
): void {
  const values: Partial<Record<SamplerInput, unknown>> = {
    ...rest,
    prompt: prompt[0],
    task: task[0] ?? (hasTask || undefined),
    plan: plan ?? (hasPlan || undefined),
    nSteps: steps,
  };
  const given = SAMPLER_INPUTS.filter((input) => values[input] !== undefined);
  requireInputs(name, new Set(given));
  const unused = ignoredInputs(name, given).map((input) =>
    (input === "plan" && plan === undefined) || (input === "task" && task.length === 0)
      ? `the ${input === "plan" ? "plan" : "task vector"} of --strategy`
      : FLAGS[input],
  );
  if (prompt.length > 1 && ignoresFurtherPrompts(name)) unused.push("--prompt after the first");
  if (unused.length > 0) warn(rest, `the sampler ${name} ignores ${unused.join(", ")}`);
}

function runOptions(flags: SamplingFlags, texts: SamplerTexts): GenerateOptions {
  const { context, seed, steps: nSteps, cfg: cfgScale } = flags;
  const { preset, averaging, nAvg, nStarts, nTries, weights, span, tau, noise, ignoreEos } = flags;
  const numbers = { seed, nSteps, nAvg, nStarts, nTries, weights, span, cfgScale, tau, noise };
  return { ...texts, context, ...numbers, preset, averaging, ignoreEos };
}

/** Where a span's latent came from, in one line. */
function traceLine({ space }: BigVae, number: number, { latent, drafts, plan, written }: GeneratedSpan): string {
  const from = latent.parents.map(({ latent: parent, weight }) => `${weight.toFixed(2)} ${parent.role}`).join(" + ");
  const norm = space.norm(latent.z).toFixed(1);
  const pulled = latent.keyPull ? `, its key ${latent.keyPull.toFixed(2)} of the way to the topic's` : "";
  const by = written.experts ? `, by ${sharesText(written.experts)}` : "";
  return `  [span ${number}: z of norm ${norm}${from ? ` = ${from}` : ` of a ${latent.role}`}${pulled}${drafts.length ? `, ${drafts.length} drafts` : ""}${by}${plan ? `; ${planLine(plan)}` : ""}]`;
}

/** "waypoint 2 of 4, try 1: agrees 0.41 with the context, is 0.38 away, within 0.45: reached" */
function planLine({
  waypoint,
  waypoints,
  tries,
  isFound,
  agreement,
  distance,
  tolerance,
  isReached,
}: PlanStep): string {
  const what = `waypoint ${waypoint} of ${waypoints}${isFound ? ", found on the way" : ""}, try ${tries}`;
  const how = `agrees ${agreement.toFixed(2)} with the context, is ${distance.toFixed(2)} away`;
  return `${what}: ${how}, ${isReached ? `within ${tolerance.toFixed(2)}: reached` : `not within ${tolerance.toFixed(2)}`}`;
}
