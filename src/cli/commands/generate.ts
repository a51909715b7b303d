/** `bigvae generate` and `bigvae plan`: the samplers, streamed span by span. */
import { Command, Option } from "@commander-js/extra-typings";
import {
  type BigVae,
  type GeneratedSpan,
  type GenerateOptions,
  SAMPLING_DEFAULTS,
  type TaskExample,
} from "../../bigVae.js";
import { makeFolder } from "../../formats/fileOps.js";
import { replay, writeTrace } from "../../host/trace.js";
import { drive, spanResult, wholeResult } from "../../operations/writing.js";
import { AVERAGING_RULES, type Averaging } from "../../sampling/averaging.js";
import { AVG_PRESETS, type AvgPresetName, pullsOf } from "../../sampling/avg.js";
import type { SamplingOptions } from "../../sampling/model.js";
import {
  DEFAULT_STARTS,
  requireInputs,
  type SamplerEntry,
  type SamplerInput,
  type SamplerName,
  samplers,
} from "../../sampling/samplers.js";
import { runBase } from "../baseText.js";
import { EXAMPLES_HELP } from "../examples.js";
import { expertsOf, sharesText, withExperts } from "../experts.js";
import { refuseUnused, withFlags } from "../flags.js";
import { LATENT_HELP } from "../latentInput.js";
import { withDrafts } from "../memories.js";
import { collected, interruptSignal, namedNumbers, realNumber, wholeNumber } from "../options.js";
import { type SamplerTexts, samplerTexts } from "../samplerTexts.js";
import {
  MODEL_FLAGS,
  type ModelFlags,
  note,
  printJson,
  stopped,
  useModel,
  warn,
  warnLong,
  warnLongExamples,
  withModel,
} from "../shared.js";
import { printStopped, spanPrinter, warnEnded } from "../spans.js";

const NAMES = Object.keys(samplers) as SamplerName[];
export const PRESETS = Object.keys(AVG_PRESETS) as AvgPresetName[];
const PLANS = ["plan", "plan-2", "plan-search"] as const satisfies readonly SamplerName[];

const JSON_TEXT = `With --json, a line for each span as it is written: "span" (its number), "text", "ids", "z". In the last line "text" is all that was
written; "original" is what the original's function returns, the context in front, for some samplers without the last span; "next" the
next topic, from samplers that write one.`;

export function generateCommand() {
  const list = NAMES.map((name) => `  ${name.padEnd(16)} ${samplers[name].summary}${weightsLine(name)}`).join("\n");
  return withSampling(withModel(new Command("generate").description("Write text with a sampler, span by span.")))
    .addOption(new Option("--sampler <name>", "sampler").choices(NAMES).default("avg" as SamplerName))
    .addOption(
      new Option(
        "--preset <name>",
        "spans and weights of avg; default: thread, which continues from span to span (card for a model of one slot)",
      ).choices(PRESETS),
    )
    .addOption(
      new Option("--averaging <rule>", "how avg combines its drafts into one latent; default: their mean").choices(
        AVERAGING_RULES,
      ),
    )
    .option("--prompt <text>", "topic; give it several times for user-avg", collected, [] as string[])
    .addHelpText(
      "after",
      `
Samplers:
${list}

${LATENT_HELP}

${JSON_TEXT}

Examples:
  bigvae generate --sampler guide --prompt "The owl lost a button." --steps 3 --seed 7
  bigvae generate --sampler task --prompt "@z.npy#2" --task @task.safetensors
  bigvae generate --base --model SmolLM2-135M --prompt "The owl lost" --steps 2`,
    )
    .option("--replay <folder>", "repeat a run saved by --trace; fails at the first token that differs")
    .option("--base", "the base alone goes on from --context and --prompt: plain sampling, without latents", false)
    .action((flags) => {
      if (flags.replay !== undefined) return runReplay(flags.replay, flags);
      return flags.base ? runBase(flags) : run(flags.sampler, flags);
    });
}

export function planCommand() {
  return withSampling(withModel(new Command("plan").description("Write from one text to another, span by span.")))
    .addOption(new Option("--sampler <name>", "sampler").choices(PLANS).default("plan" as (typeof PLANS)[number]))
    .addHelpText(
      "after",
      `\n${LATENT_HELP}\n\n${JSON_TEXT}\n\nExample:\n  bigvae plan --start "The owl lost a button." --terminal "They all danced by the fire." --steps 4`,
    )
    .action((flags) => run(flags.sampler, { ...flags, prompt: [] }));
}

/** The weights of a sampler on a line of their own, as --weights takes them; of avg, a line for each preset. */
function weightsLine(name: SamplerName): string {
  const list = (weights: object) =>
    Object.entries(weights)
      .map((pair) => pair.join("="))
      .join(",");
  const lines =
    name === "avg"
      ? PRESETS.map((preset) => `${list(pullsOf(AVG_PRESETS[preset]))} (${preset})`)
      : [list(samplers[name].weights)];
  return lines.map((line) => (line === "" ? "" : `\n${" ".repeat(19)}${line}`)).join("");
}

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

interface SamplingFlags extends ModelFlags {
  prompt: string[];
  preset?: AvgPresetName;
  averaging?: Averaging;
  context: string;
  start?: string;
  terminal?: string;
  task: string[];
  steps?: number;
  nAvg?: number;
  nStarts?: number;
  weights?: Record<string, number>;
  span?: number;
  cfg?: number;
  tau?: number;
  noise?: number;
  ignoreEos: boolean;
  memory?: string;
  experts?: string;
  expertsK: number;
  expertsTemperature: number;
  seed: number;
  trace?: string;
}

function withSampling<A extends unknown[], O extends Record<string, unknown>>(command: Command<A, O>) {
  return withExperts(command)
    .option("--context <text>", "text to continue", "")
    .option("--start <text>", "first text of a plan; default: a random latent")
    .option("--terminal <text>", "last text of a plan")
    .option("--task <text>", `example to resemble, may be repeated: ${EXAMPLES_HELP}`, collected, [] as string[])
    .option("--steps <n>", `spans to write; ${defaultOf("nSteps")}`, wholeNumber(1))
    .option("--n-avg <n>", `drafts to average; ${defaultOf("nAvg")}`, wholeNumber(1))
    .option("--n-starts <n>", `random starts of plan-search; default: ${DEFAULT_STARTS}`, wholeNumber(1))
    .option("--weights <list>", "weights in place of the sampler's own (see below): NAME=X,NAME=X", namedNumbers)
    .option("--span <n>", "tokens of a span; default: the model's", wholeNumber(1))
    .option("--cfg <x>", `guidance scale, 1 is the router alone; ${CFG_DEFAULT}`, realNumber(0))
    .option("--tau <x>", `temperature of tokens, 0 is greedy; ${defaultOf("tau")}`, realNumber(0))
    .option("--noise <x>", `variance of the noise on latents, 0 takes means; ${defaultOf("noise")}`, realNumber(0))
    .option(
      "--memory <folder>",
      "reuse drafts kept in this memory where they are near enough, and keep new ones in it (begin it by bigvae memory calibrate)",
    )
    .option("--ignore-eos", "write every span to its full length; end tokens do not stop it", false)
    .option("--trace <folder>", "save every span, its latent and its origins in this folder, for --replay");
}

async function run(name: SamplerName, flags: SamplingFlags): Promise<void> {
  checkTaken(name, flags);
  if (flags.experts === undefined)
    refuseUnused((flag) => ["expertsK", "expertsTemperature"].includes(flag), "--experts beside it", "none");
  const readTexts = await samplerTexts(flags);
  const { takes, defaults } = samplers[name] as SamplerEntry;
  // A sampler without drafts opens no memory.
  const { memory, ...others } = flags;
  await useModel(flags, async (vae) =>
    withDrafts(takes.includes("memory") ? flags : others, vae, async (drafts) => {
      const texts = await readTexts(vae.space.width);
      const experts = await expertsOf(vae, flags);
      const options = {
        ...runOptions(flags, texts),
        ...(drafts ? { memory: drafts.forRun() } : {}),
        ...(experts ? { experts } : {}),
      };
      const longerThanSpan = warnLongInputs(name, flags, vae, texts);
      const printer = spanPrinter(flags);
      if (!flags.json) options.onText = printer.text;
      options.onWarning = (text) => warn(flags, text);
      const spans: GeneratedSpan[] = [];
      if (flags.trace) await makeFolder(flags.trace);
      const written = await drive(vae.generate(name, { ...options, signal: interruptSignal() }), (span) => {
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
  nStarts: "--n-starts",
  noise: "--noise",
  memory: "--memory",
};

/** Throws where the sampler needs a text that was not given; warns of what it ignores. */
function checkTaken(name: SamplerName, { prompt, task, steps, ...rest }: SamplingFlags): void {
  const values: Partial<Record<SamplerInput, unknown>> = { ...rest, prompt: prompt[0], task: task[0], nSteps: steps };
  const given = (Object.keys(FLAGS) as SamplerInput[]).filter((input) => values[input] !== undefined);
  requireInputs(name, new Set(given));
  const { needs, takes } = samplers[name] as SamplerEntry;
  const unused = given.filter((input) => ![...needs, ...takes].includes(input)).map((input) => FLAGS[input]);
  if (prompt.length > 1 && needs.includes("prompt") && !takes.includes("prompt"))
    unused.push("--prompt after the first");
  if (unused.length > 0) warn(rest, `the sampler ${name} ignores ${unused.join(", ")}`);
}

/** What a replay takes: which model repeats the run, and how it is shown. */
const OF_REPLAY = ["replay", ...MODEL_FLAGS.filter((name) => name !== "seed")];

async function runReplay(folder: string, flags: ModelFlags): Promise<void> {
  refuseUnused((name) => !OF_REPLAY.includes(name), "a new run", "--replay, which repeats one as it was saved");
  const repeat = async (vae: BigVae) => {
    const printer = spanPrinter(flags);
    let count = 0;
    for await (const { written, text } of replay(folder, vae, interruptSignal())) {
      count++;
      if (flags.json) printJson({ span: count, text, ids: written });
      else printer.text(text);
      printer.span(`  [span ${count}: as saved]`);
    }
    printer.end();
  };
  // The trace knows which adapters it needs.
  await useModel(flags, repeat, "base");
}

function runOptions(flags: SamplingFlags, texts: SamplerTexts): GenerateOptions {
  const { context, seed, steps: nSteps, cfg: cfgScale } = flags;
  const { preset, averaging, nAvg, nStarts, weights, span, tau, noise, ignoreEos } = flags;
  const numbers = { seed, nSteps, nAvg, nStarts, weights, span, cfgScale, tau, noise };
  return { ...texts, context, ...numbers, preset, averaging, ignoreEos };
}

/** Where a span's latent came from, in one line. */
function traceLine({ space }: BigVae, number: number, { latent, drafts, written }: GeneratedSpan): string {
  const from = latent.parents.map(({ latent: parent, weight }) => `${weight.toFixed(2)} ${parent.role}`).join(" + ");
  const norm = space.norm(latent.z).toFixed(1);
  const pulled = latent.keyPull ? `, its key ${latent.keyPull.toFixed(2)} of the way to the topic's` : "";
  const by = written.experts ? `, by ${sharesText(written.experts)}` : "";
  return `  [span ${number}: z of norm ${norm}${from ? ` = ${from}` : ` of a ${latent.role}`}${pulled}${drafts.length ? `, ${drafts.length} drafts` : ""}${by}]`;
}
