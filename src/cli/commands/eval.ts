/** `bigvae eval`: the measures of src/eval on texts of a file, or on the model's own blends, factors and prose. */
import { Command, Option } from "@commander-js/extra-typings";
import type { BigVae } from "../../bigVae.js";
import { KNOWN_ENDINGS, readFiles, SPLITS, splitOf, type TextRecord } from "../../data/index.js";
import { BigVaeError } from "../../errors.js";
import {
  BLEND_RULES,
  blendRules,
  compareForms,
  cutSentences,
  cutSpans,
  evaluate,
  evaluateArithmetic,
  evaluateBase,
  evaluateBlends,
  evaluateDisentanglement,
  evaluateRebuilding,
  evaluateRetrieval,
  evaluateSentences,
  evaluateSpace,
  type FormReading,
  PLAN_PAIRS,
  PROSE_PROMPTS,
  PROSE_RUNS,
  readForm,
  Scoring,
  type ScoringOptions,
  SESSION_SPANS,
  wordsOf,
} from "../../eval/index.js";
import { checkPath } from "../../formats/fileOps.js";
import { type Latent, LatentSpace } from "../../latent/index.js";
import { Rng } from "../../rng.js";
import { AVERAGING_RULES, type Averaging } from "../../sampling/averaging.js";
import type { AvgPresetName } from "../../sampling/avg.js";
import { reportLines } from "../evalReport.js";
import { refuseUnused } from "../flags.js";
import { type TextFlags, textFiles, withTexts } from "../input.js";
import { interruptSignal, realNumber, wholeNumber } from "../options.js";
import { type Progress, progress } from "../progress.js";
import { type ModelFlags, printJson, useModel, withModel } from "../shared.js";
import { checkPool, type PoolFlags, withPool } from "../vectors.js";
import { measureExperts, trainKinds } from "./evalExperts.js";
import { measurePlans } from "./evalPlans.js";
import { measureMemory, measureProse } from "./evalProse.js";
import { PRESETS } from "./generate.js";

/** Flags of the texts that are measured. */
const OF_TEXTS = ["data", "split", "field", "whole"];

/** Flags that only some measures take, by their names in code; `base` is --base. */
const TAKES = {
  base: OF_TEXTS,
  compareQuant: OF_TEXTS,
  reconstruction: [...OF_TEXTS, "span", "quick"],
  sentences: OF_TEXTS,
  blends: [...OF_TEXTS, "span", "unit", "rule", "guidance", "pairs"],
  space: [...OF_TEXTS, "span", "guidance", "pairs"],
  retrieval: [...OF_TEXTS, "span", "pool", "causal"],
  experts: [...OF_TEXTS, "experts", "steps"],
  prose: [...OF_TEXTS, "averaging", "preset", "cfg", "memory", "memoryDrafts"],
  memory: [...OF_TEXTS, "averaging", "preset", "cfg", "memory", "memoryDrafts", "spans"],
  plans: [...OF_TEXTS, "span", "pairs"],
  // Measured on sentences of the generator, made for them.
  arithmetic: [],
  disentanglement: [],
} as const;

type Measure = Exclude<keyof typeof TAKES, "base" | "compareQuant">;
const MEASURES = Object.keys(TAKES).filter((name) => name !== "base" && name !== "compareQuant") as Measure[];

/** Throws "usage" for a flag that the measure does not take. */
function checkTaken({ base, compareQuant, measure, unit, ...pool }: MeasureFlags): void {
  const alone = compareQuant ? "--compare-quant" : base ? "--base" : undefined;
  if (alone) refuseUnused((name) => name === "measure", "a measure of latents", alone);
  if (compareQuant) {
    const isFixed = (name: string) => ["base", "quant", "compute"].includes(name);
    refuseUnused(isFixed, "a measure of one form", "--compare-quant");
  }
  const takes: readonly string[] = TAKES[compareQuant ? "compareQuant" : base ? "base" : measure];
  const ofSome: readonly string[] = Object.values(TAKES).flat();
  const isUnused = (name: string) => ofSome.includes(name) && !takes.includes(name);
  refuseUnused(isUnused, "a measure that takes it", alone ?? `--measure ${measure}`);
  checkPool(pool);
  if (unit === "sentence") refuseUnused((name) => name === "span", "spans to blend", "--unit sentence");
}

export function evalCommand() {
  return withPool(withTexts(withModel(new Command("eval").description("Measure a model, with 95 % intervals."))))
    .option("--data <path>", `texts (${KNOWN_ENDINGS}, or a folder of them); arithmetic and disentanglement need none`)
    .addOption(new Option("--split <name>", "read only records of this split").choices(SPLITS))
    .option(
      "--count <n>",
      "texts, or cases of arithmetic; default: 200 (runs of prose: 20; texts of memory: 50; sentences of disentanglement: 2,000)",
      wholeNumber(1),
    )
    .addOption(new Option("--measure <name>", "what to measure").choices(MEASURES).default("reconstruction" as const))
    .option("--base", "measure the base alone on the texts: bits per byte and perplexity", false)
    .option("--compare-quant", "read the texts in each form of the base, and compare them with fp32", false)
    .option("--span <n>", "tokens of a span; default: the model's", wholeNumber(1))
    .option("--quick", "reconstruction: skip sampled likelihoods and statistics of the latents")
    .addOption(
      new Option("--unit <unit>", "blends: what to blend")
        .choices(["span", "sentence"] as const)
        .default("span" as const),
    )
    .addOption(new Option("--rule <rule>", "blends: only this rule (default: all)").choices(BLEND_RULES))
    .option("--guidance", "blends, space: measure guided points only (default: both)")
    .option("--no-guidance", "blends, space: measure unguided points only")
    .option(
      "--pairs <n>",
      `blends, plans: number of pairs; space: points of each kind; default: ${PAIRS}, ${PLAN_PAIRS} for plans`,
      wholeNumber(1),
    )
    .addOption(
      new Option(
        "--averaging <rule>",
        "prose, memory: how drafts are combined into one latent; default: their mean",
      ).choices(AVERAGING_RULES),
    )
    .addOption(
      new Option("--preset <name>", "prose, memory: spans and weights of avg; default: as in generate").choices(
        PRESETS,
      ),
    )
    .option("--cfg <x>", "prose, memory: guidance scale, as in generate", realNumber(0))
    .option("--memory <place>", "prose, memory: drafts are recalled from this memory and kept in it, as in generate")
    .option("--memory-drafts <n>", "prose, memory: drafts that the memory keeps, as in generate", wholeNumber(1))
    .option("--spans <n>", `memory: spans of the session; default: ${SESSION_SPANS}`, wholeNumber(1))
    .option("--experts <folder>", "experts: where they are trained, those that are there are measured as they are")
    .option(
      "--steps <n>",
      "experts: steps for each kind, and as many times the kinds for one adapter",
      wholeNumber(1),
      80,
    )
    .addHelpText(
      "after",
      `
Examples:
  bigvae eval --data data/stories --split test --count 100 --json
  bigvae eval --base --model SmolLM2-135M --data texts.txt
  bigvae eval --compare-quant --model SmolLM2-135M --data texts.txt --count 50
  bigvae eval --measure plans --data data/stories --split test --pairs 50
  bigvae eval --measure retrieval --pool mean --model SmolLM2-135M --data texts.txt --whole`,
    )
    .action(async (flags) => {
      checkTaken(flags);
      const takes: readonly string[] = TAKES[flags.compareQuant ? "compareQuant" : flags.base ? "base" : flags.measure];
      const texts = takes.includes("data") ? await readTestTexts(flags) : [];
      const bar = progress(flags.quiet);
      if (flags.compareQuant) {
        await compareQuant(flags, texts, bar).finally(() => bar.stop());
        return;
      }
      // Before the model is loaded: training loads it too.
      if (!flags.base && flags.measure === "experts") await trainKinds(flags, bar).finally(() => bar.stop());
      const needs = flags.base || flags.pool !== undefined ? "base" : "adapters";
      const report = await useModel(flags, (vae) => measure(vae, texts, flags, bar), needs).finally(() => bar.stop());
      if (flags.json) printJson(report);
      else process.stdout.write(`${reportLines(report).join("\n")}\n`);
    });
}

/** Pairs of blends, and points of the space. */
const PAIRS = 100;

/** Texts that are measured where --count is left out. */
const TEXTS = 200;

/** Texts that are read where --count is left out, of measures that have their own number. */
const OWN_TEXTS: Partial<Record<Measure, number>> = { prose: PROSE_RUNS, memory: PROSE_PROMPTS };

/** Texts that are read; prose has further ones as other topics. */
function textsOf({ measure, count = OWN_TEXTS[measure] ?? TEXTS }: MeasureFlags): number {
  return measure === "prose" ? Math.max(count, PROSE_PROMPTS) : count;
}

interface MeasureFlags extends ModelFlags, TextFlags, PoolFlags {
  base: boolean;
  compareQuant: boolean;
  measure: Measure;
  span?: number;
  count?: number | undefined;
  data?: string | undefined;
  split?: (typeof SPLITS)[number] | undefined;
  averaging?: Averaging | undefined;
  preset?: AvgPresetName;
  cfg?: number | undefined;
  memory?: string | undefined;
  memoryDrafts?: number | undefined;
  spans?: number | undefined;
  experts?: string | undefined;
  steps: number;
  quick?: true | undefined;
  unit: "span" | "sentence";
  rule?: (typeof BLEND_RULES)[number] | undefined;
  guidance?: boolean | undefined;
  pairs?: number | undefined;
}

async function measure(
  vae: BigVae,
  records: readonly TextRecord[],
  flags: MeasureFlags,
  bar: Progress,
): Promise<object> {
  const texts = records.map(({ text }) => text);
  const span = flags.span ?? vae.span;
  const rng = Rng.fromSeed(flags.seed);
  const scoring = {
    model: vae.engine,
    tokenizer: vae.tokenizer,
    space: vae.space,
    rng,
    signal: interruptSignal(),
    onProgress: inPasses(bar),
  };
  const { maxPositions } = vae.facts;
  if (flags.base) return evaluateBase({ ...scoring, texts, maxPositions });
  switch (flags.measure) {
    case "reconstruction":
      return (flags.quick ? evaluateRebuilding : evaluate)({
        ...scoring,
        texts,
        span,
        maxPositions,
      });
    case "sentences":
      return evaluateSentences({ ...scoring, texts });
    case "blends":
      return evaluateBlends({
        ...scoring,
        means: await (flags.unit === "span" ? spanMeans(scoring, texts, span) : sentenceMeans(scoring, texts)),
        nTokens: flags.unit === "span" ? span : undefined,
        rules: blendRules(vae.space, flags.rule, flags.guidance),
        known: await knownWords(flags),
        pairs: flags.pairs ?? PAIRS,
      });
    case "space":
      return evaluateSpace({
        ...scoring,
        texts,
        span,
        aeScale: vae.aeScale,
        count: flags.pairs ?? PAIRS,
        guidance: flags.guidance,
      });
    case "retrieval":
      return evaluateRetrieval({ ...scoring, ...(flags.pool ? pooled(vae, flags) : {}), texts: records, span });
    case "plans":
      return measurePlans(vae, texts, span, flags, scoring);
    case "prose":
      return measureProse(vae, texts, flags, { ...scoring, known: await knownWords(flags) });
    case "memory":
      return measureMemory(vae, texts, flags, { ...scoring, known: await knownWords(flags) });
    case "experts":
      return measureExperts(vae, records, flags, scoring);
    case "arithmetic":
      return evaluateArithmetic({ ...scoring, ...(flags.count === undefined ? {} : { cases: flags.count }) });
    case "disentanglement":
      return evaluateDisentanglement({ ...scoring, ...(flags.count === undefined ? {} : { sentences: flags.count }) });
  }
}

/** The forms that are compared, fp32 first. */
const FORMS = [
  { name: "none", quant: "none", compute: "fp32" },
  { name: "none, --compute int8", quant: "none", compute: "int8" },
  { name: "int8", quant: "int8", compute: "fp32" },
  { name: "nf4", quant: "nf4", compute: "fp32" },
  { name: "int4", quant: "int4", compute: "fp32" },
] as const;

/** Loads one form after another, and prints a row for each as it is measured. */
async function compareQuant(
  flags: ModelFlags & MeasureFlags,
  records: readonly TextRecord[],
  bar: Progress,
): Promise<void> {
  const texts = records.map(({ text }) => text);
  let exact: FormReading | undefined;
  for (const { name, quant, compute } of FORMS) {
    const started = performance.now();
    const reading = await useModel(
      { ...flags, quant, compute },
      ({ engine: model, tokenizer, space, facts }) => {
        const adapted = facts.zDim > 0;
        const { maxPositions } = facts;
        const signal = interruptSignal();
        return readForm({ model, tokenizer, space, texts, maxPositions, adapted, signal, onProgress: inPasses(bar) });
      },
      "base",
    );
    exact ??= reading;
    const seconds = Number(((performance.now() - started) / 1000).toFixed(1));
    const row = { quant: name, ...compareForms(reading, exact), seconds };
    bar.stop();
    if (flags.json) printJson(row);
    else process.stdout.write(`${reportLines({ form: [row] }).join("\n")}\n`);
  }
}

/** The base alone as a model that encodes: spans as means of its hidden states. */
function pooled({ engine }: BigVae, { causal }: PoolFlags): Pick<ScoringOptions, "model" | "space"> {
  const model: ScoringOptions["model"] = {
    encode: async (rows, signal) => (await engine.embed(rows, causal, signal)).map((mean) => ({ mean })),
    write: (rows, options) => engine.write(rows, options),
    score: (rows, writer, context, signal) => engine.score(rows, writer, context, signal),
  };
  return { model, space: LatentSpace.plain };
}

/** Numbers the passes over texts or spans, of which several have one name. */
function inPasses(bar: Progress) {
  let [pass, before, named] = [0, 0, ""];
  return (done: number, total: number, doing: string) => {
    if (done <= before || doing !== named) pass++;
    [before, named] = [done, doing];
    bar.update(done, total, `pass ${pass}: ${doing}`);
  };
}

/** Texts of one split, or all. Throws "usage" where there are none. */
async function readTestTexts(flags: MeasureFlags): Promise<TextRecord[]> {
  const { data: path, split } = flags;
  const count = textsOf(flags);
  if (path === undefined)
    throw new BigVaeError("usage", { subject: "eval", expected: "texts", got: "none", remedy: "give --data FILE" });
  await checkPath("--data", path, "texts");
  const texts: TextRecord[] = [];
  for await (const record of readFiles(await textFiles([path], flags), flags)) {
    if (split !== undefined && splitOf(record) !== split) continue;
    texts.push(record);
    if (texts.length === count) return texts;
  }
  if (texts.length > 0) return texts;
  throw new BigVaeError("usage", {
    subject: `--data ${path}`,
    expected: `texts${split ? ` of the split ${split}` : ""}`,
    got: "none",
    remedy: "check --split and the file",
  });
}

/** The words of all texts, whatever their split. */
async function knownWords(flags: MeasureFlags): Promise<Set<string>> {
  const known = new Set<string>();
  const files = await textFiles([flags.data!], { ...flags, quiet: true });
  for await (const { text } of readFiles(files, flags)) for (const word of wordsOf(text)) known.add(word);
  return known;
}

/** Means of consecutive spans of the texts, shorter tails dropped. */
async function spanMeans(scoring: ScoringOptions, texts: readonly string[], span: number): Promise<Latent[]> {
  const ids = texts.map((text) => scoring.tokenizer.encode(text));
  return (await cutSpans(new Scoring(scoring), ids, span)).map(({ mean }) => mean);
}

/** Means of the sentences of the texts. */
function sentenceMeans(scoring: ScoringOptions, texts: readonly string[]): Promise<Latent[]> {
  return new Scoring(scoring).means(cutSentences(scoring, texts).map(({ ids }) => ids));
}
