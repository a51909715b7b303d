/** The samplers by name, with what each needs and what MiniHF sets otherwise than by default. */
import { BigVaeError } from "../errors.js";
import { type Averaging, checkAveraging } from "./averaging.js";
import { AVG_PRESETS, type AvgPresetName, avg, pullsOf, userAvg } from "./avg.js";
import { generate } from "./generate.js";
import { GUIDE_WEIGHTS, guide, TASK_WEIGHTS, task } from "./guide.js";
import type { Example, LatentModel, Sampler, SamplingOptions, TextOrLatent, TokenIds, Weights } from "./model.js";
import { PARAGRAPH_WEIGHTS, paragraph } from "./paragraph.js";
import { PLAN_2_WEIGHTS, PLAN_SEARCH_WEIGHTS, PLAN_WEIGHTS, plan, plan2, planSearch } from "./plan.js";
import { BRIDGE_WEIGHTS, bridge, POLICY_WEIGHTS, policy } from "./policy.js";
import { paragraphTopic, prose } from "./prose.js";
import type { Plan } from "./waypoints.js";

/** Everything that a sampler may be given, as tokens or latents; each takes what it needs. */
export interface SamplerInputs {
  /** The topic; user-avg takes all of them, the others the first. */
  prompts: readonly TextOrLatent[];
  /** Text that is continued; may be empty. */
  context: TokenIds;
  /** Where a plan starts; default: a random latent. */
  start?: TextOrLatent;
  /** Where a plan ends. */
  terminal?: TextOrLatent;
  /** What the task vector is made of. */
  examples: readonly Example[];
  /** RMS of random starts. */
  aeScale: number;
  /** Spans and weights of avg; default: `thread` where latents have slots, else the model card's. */
  preset?: AvgPresetName | undefined;
  /** How avg makes one latent of its drafts; default: their mean, as on the card. */
  averaging?: Averaging | undefined;
  /** Random starts that plan-search tries. */
  nStarts?: number | undefined;
  /** What the policy follows. */
  plan?: Plan | undefined;
  /** Spans that the policy writes toward a waypoint before it looks for another way; default: 2. */
  nTries?: number | undefined;
}

/** What a sampler may be given besides a context: texts, and options that not all have a use for. */
export const SAMPLER_INPUTS = [
  "prompt",
  "start",
  "terminal",
  "task",
  "plan",
  "preset",
  "averaging",
  "nSteps",
  "nAvg",
  "nStarts",
  "nTries",
  "noise",
  "memory",
] as const;
/** One of SAMPLER_INPUTS. */
export type SamplerInput = (typeof SAMPLER_INPUTS)[number];

/** A row of the table of samplers. */
export interface SamplerEntry {
  /** One line for help texts. */
  summary: string;
  /** The texts that it cannot begin without. */
  needs: readonly ("prompt" | "start" | "terminal" | "task" | "plan")[];
  /** What else it makes use of; "prompt" where it takes several. */
  takes: readonly SamplerInput[];
  /** Its weights, which `SamplingOptions.weights` may replace. */
  weights: Weights;
  /** Options that MiniHF sets otherwise for this sampler. */
  defaults: Partial<SamplingOptions>;
  /** Begins a run. @throws BigVaeError("usage") if a text of `needs` is missing. */
  write(model: LatentModel, inputs: SamplerInputs, options: SamplingOptions): Sampler;
}

/** What each sampler takes, and the function behind it. */
export const samplers = table({
  generate: {
    summary: "the latent of each span writes the next ones",
    needs: ["prompt"],
    takes: ["nSteps", "noise"],
    weights: {},
    defaults: {},
    write: (model, inputs, options) => generate(model, prompt(inputs), inputs.context, options),
  },
  guide: {
    summary: "every latent is pulled toward the prompt's",
    needs: ["prompt"],
    takes: ["nSteps", "noise"],
    weights: GUIDE_WEIGHTS,
    defaults: {},
    write: (model, inputs, options) => guide(model, prompt(inputs), inputs.context, options),
  },
  prose: {
    summary: "guide, cut after the last sentence, and the next topic",
    needs: ["prompt"],
    takes: ["nSteps", "noise"],
    weights: GUIDE_WEIGHTS,
    defaults: {},
    write: (model, inputs, options) => prose(model, prompt(inputs), inputs.context, options),
  },
  task: {
    summary: "guide toward the prompt and toward what example texts have in common",
    needs: ["prompt", "task"],
    takes: ["nSteps", "noise"],
    weights: TASK_WEIGHTS,
    defaults: {},
    write: (model, inputs, options) => task(model, prompt(inputs), inputs.context, examples(inputs), options),
  },
  paragraph: {
    summary: "five averaged spans that keep to topic and task, or to a plan in its place, and the next topic",
    needs: ["prompt", "task"],
    takes: ["plan", "nSteps", "nAvg", "noise", "memory"],
    weights: PARAGRAPH_WEIGHTS,
    defaults: { nSteps: 5 },
    write: (model, inputs, options) =>
      paragraph(model, prompt(inputs), inputs.context, inputs.plan ? [] : examples(inputs), options, inputs.plan),
  },
  "paragraph-topic": {
    summary: "task without noise on latents, with CFG, and the next topic",
    needs: ["prompt", "task"],
    takes: ["nSteps"],
    weights: TASK_WEIGHTS,
    defaults: { cfgScale: 1.25 },
    write: (model, inputs, options) => paragraphTopic(model, prompt(inputs), inputs.context, examples(inputs), options),
  },
  avg: {
    summary: "write from the mean of several drafts (the model card's sampler)",
    needs: ["prompt"],
    takes: ["preset", "averaging", "nSteps", "nAvg", "noise", "memory"],
    weights: pullsOf(AVG_PRESETS.card),
    defaults: {},
    write: (model, inputs, options) => {
      const averaging = checkAveraging(inputs.averaging ?? "mean");
      return avg(model, prompt(inputs), inputs.context, options, avgPreset(inputs, model), averaging);
    },
  },
  "user-avg": {
    summary: "write from the mean of several prompts",
    needs: ["prompt"],
    takes: ["prompt", "noise"],
    weights: {},
    defaults: { tau: 1 },
    write: (model, inputs, options) =>
      userAvg(model, [prompt(inputs), ...inputs.prompts.slice(1)], inputs.context, options),
  },
  plan: {
    summary: "from a start to a terminal text, by averaged drafts",
    needs: ["terminal"],
    takes: ["start", "task", "nSteps", "nAvg", "noise", "memory"],
    weights: PLAN_WEIGHTS,
    defaults: {},
    write: (model, inputs, options) => plan(model, { ...inputs, terminal: terminal(inputs) }, options),
  },
  "plan-2": {
    summary: "from a start to a terminal text, span by span",
    needs: ["terminal"],
    takes: ["start", "task", "nSteps"],
    weights: PLAN_2_WEIGHTS,
    defaults: {},
    write: (model, inputs, options) => plan2(model, { ...inputs, terminal: terminal(inputs) }, options),
  },
  "plan-search": {
    summary: "the likeliest of many plans from random starts to a terminal text",
    needs: ["terminal"],
    takes: ["nSteps", "nStarts", "noise"],
    weights: PLAN_SEARCH_WEIGHTS,
    defaults: {},
    write: (model, inputs, options) => {
      return planSearch(
        model,
        { ...inputs, terminal: terminal(inputs), nStarts: inputs.nStarts ?? DEFAULT_STARTS },
        options,
      );
    },
  },
  policy: {
    summary: "along a plan, each waypoint weighed against the context; nSteps is the most",
    needs: ["plan"],
    takes: ["nSteps", "nAvg", "nTries"],
    weights: POLICY_WEIGHTS,
    defaults: { nSteps: 16 },
    write: (model, inputs, options) => policy(model, { ...inputs, plan: planOf(inputs) }, options),
  },
  bridge: {
    summary: "what lies between a start and a terminal text, a waypoint for each span",
    needs: ["start", "terminal"],
    takes: ["nSteps", "nAvg"],
    weights: BRIDGE_WEIGHTS,
    defaults: {},
    write: (model, inputs, options) =>
      bridge(model, { ...inputs, start: start(inputs), terminal: terminal(inputs) }, options),
  },
});

/** The rows, each a whole entry; the names stay known. */
function table<Name extends string>(rows: Record<Name, SamplerEntry>): Readonly<Record<Name, SamplerEntry>> {
  return rows;
}

/** As the command line names it. @useDeclaredType */
export type SamplerName = keyof typeof samplers;

/** The sampler that suits what is given, where none is named. */
export function suitedSampler({ hasPlan, hasTask = false }: { hasPlan: boolean; hasTask?: boolean }): SamplerName {
  if (hasPlan) return "policy";
  return hasTask ? "task" : "avg";
}

/** @throws BigVaeError("usage") where the sampler needs a text that is not among those given. */
export function requireInputs(name: SamplerName, given: ReadonlySet<string>): void {
  const { needs, takes } = samplers[name];
  for (const needed of needs) {
    const standsIn = needed === "task" && takes.includes("plan") && given.has("plan");
    if (!given.has(needed) && !standsIn) missing(needed);
  }
}

/** What of the inputs that are given the sampler has no use for. */
export function ignoredInputs(name: SamplerName, given: readonly SamplerInput[]): SamplerInput[] {
  const { needs, takes } = samplers[name] as SamplerEntry;
  return given.filter((input) => !takes.includes(input) && !(needs as readonly SamplerInput[]).includes(input));
}

/** Whether the sampler has no use for prompts after the first. */
export function ignoresFurtherPrompts(name: SamplerName): boolean {
  const { needs, takes } = samplers[name] as SamplerEntry;
  return needs.includes("prompt") && !takes.includes("prompt");
}

/** Random starts of plan-search, where nothing is said. */
export const DEFAULT_STARTS = 4;

/** Where latents have slots, the one that was made for them; else the card's. */
function avgPreset({ preset }: SamplerInputs, { space }: LatentModel) {
  if (preset === undefined) return AVG_PRESETS[space?.hasLength ? "thread" : "card"];
  if (Object.hasOwn(AVG_PRESETS, preset)) return AVG_PRESETS[preset];
  const known = Object.keys(AVG_PRESETS).join(", ");
  throw new BigVaeError("usage", {
    subject: "avg",
    expected: `\`preset\` to be one of ${known}`,
    got: JSON.stringify(preset),
    remedy: "leave it out for the default",
  });
}

function prompt({ prompts }: SamplerInputs): TextOrLatent {
  return prompts[0] ?? missing("prompt");
}

function start({ start }: SamplerInputs): TextOrLatent {
  return start ?? missing("start");
}

function planOf({ plan }: SamplerInputs): Plan {
  return plan ?? missing("plan");
}

function terminal({ terminal }: SamplerInputs): TextOrLatent {
  return terminal ?? missing("terminal");
}

function examples({ examples }: SamplerInputs): readonly Example[] {
  return examples.length > 0 ? examples : missing("task");
}

const REMEDIES = {
  prompt: "the text to begin from",
  start: "the text to begin from",
  terminal: "the text to arrive at",
  plan: "the waypoints to pass",
  task: "example texts",
};

function missing(name: keyof typeof REMEDIES): never {
  throw new BigVaeError("usage", {
    subject: "sampler",
    expected: `a ${name}`,
    got: "none",
    remedy: `give \`${name}\`, ${REMEDIES[name]}`,
  });
}
