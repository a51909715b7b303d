/** `train vae`: encoder, decoder and head on a frozen base, written as a checkpoint folder. */
import { readVae, writeVae } from "../../checkpoint/vae.js";
import { Engine } from "../../engine/engine.js";
import { BigVaeError } from "../../errors.js";
import { findAdapters } from "../../host/modelFiles.js";
import type { LoraShape } from "../../model/lora.js";
import { blockLinears } from "../../model/weights.js";
import type { Tokenizer } from "../../tokenizer/index.js";
import type { VaeShape } from "../../vae/loss.js";
import { ropeSteps } from "../../vae/rowLayout.js";
import type { Facts } from "../loop/checkpoint.js";
import { ropeFeeds } from "../objectives/attentionFeeds.js";
import type { FrozenBase } from "../objectives/frozenBase.js";
import { type OverlapOptions, overlapBatches, overlapObjective, overlapReads } from "../objectives/overlapObjective.js";
import { klWeight, noiseScale } from "../objectives/overlapSchedules.js";
import { paddedLength } from "../objectives/shortTexts.js";
import { LENGTH_JITTER } from "../objectives/vaeFeeds.js";
import { adapterFacts, type VaeFacts } from "./facts.js";
import { checkShape, fedBase, hashVae, openTrainingBase, type TrainingBase, warnOfOtherBase } from "./open.js";
import type { PlannedOptions, RunOptions, Settled } from "./options/table.js";
import { VAE_OPTIONS } from "./options/vae.js";
import type { RunPlan } from "./plan.js";
import {
  checkTokenizer,
  checkWindow,
  type DataOptions,
  dataFacts,
  hashRows,
  latentHeldOut,
  readShortTexts,
  requireEndId,
  type TrainingRows,
  withRows,
} from "./runData.js";
import type { PreparedRun } from "./runTraining.js";
import { reconstructions } from "./samples.js";
import { planOf, type RunContext, type RunControl, type RunType, startRun } from "./start.js";
import { copyFrom, liveVae, measureLatents, scaleLatents } from "./vaeAdapters.js";

/** Options of `trainVae`, each with its default and what it means in `TRAIN_OPTIONS.vae`. */
export type TrainVaeOptions = RunOptions<typeof VAE_OPTIONS>;

/** Options of `planVae`: those of `trainVae`; `output` may be left out. */
export type PlanVaeOptions = PlannedOptions<typeof VAE_OPTIONS>;

/**
 * Trains encoder, decoder and head on prepared rows and a frozen base, and writes them into `output`.
 * Returns whether the run is finished; false where `signal` ended it, to be resumed.
 * @throws BigVaeError: "usage" and "mismatch" naming the option, "format", "memory", "locked", "disk", "diverged".
 */
export function trainVae(options: TrainVaeOptions, control: RunControl = {}): Promise<boolean> {
  return startRun(vaeRun, options, control);
}

/** What `trainVae` would take; nothing is written. @throws BigVaeError as `trainVae` does. */
export function planVae(options: PlanVaeOptions, control: Pick<RunControl, "onReport"> = {}): Promise<RunPlan> {
  return planOf(vaeRun, options, control);
}

type Options = Settled<typeof VAE_OPTIONS>;

/** Trains encoder, decoder and head. */
export const vaeRun: RunType<Options> = {
  command: "vae",
  table: VAE_OPTIONS,
  async prepare(context, use) {
    const { machine, options } = context;
    const parts = await openParts(context);
    const { base, baseSha256, tokenizer, start, sizes, positions } = parts;
    const { span } = sizes;
    const data = { ...options, tokenizer };
    return withRows(data, { columns: 2 * span, lowers: "span", minTokens: span + 1 }, async (rows) => {
      const sentences = await openSentences(options, tokenizer);
      const { trained, evaluated } = overlapOptions(options, parts, rows, sentences);
      const objective = overlapObjective(trained);
      if (start) copyFrom(objective.parameters, start, options.latentNoise);
      const vae = liveVae(objective.parameters, sizes, parts.shape.encoder);
      const engine = new Engine({ runtime: machine.runtime, base, vae, form: "unmerged", maxPositions: positions });
      try {
        const run: PreparedRun = {
          objective,
          settled: { compute: parts.compute },
          ...(await latentHeldOut(rows.held, (shuffled) => overlapBatches({ ...evaluated, shuffled }))),
          schedule: rows.schedule,
          facts: factsOf(data, parts, rows, trained, sentences),
          samples: (signal) => reconstructions({ engine, tokenizer, span }, signal),
          async finish(step, signal) {
            scaleLatents(objective.parameters, 1 / noiseScale(trained.noise, step));
            const measured = await measureLatents({ engine, tokenizer, span }, options.preprocessed, signal);
            const last = { step, klWeight: klWeight(trained.klWeight, trained.klRampSteps, step) };
            const { dropout } = options;
            const names = ["encoder", "decoder"] as const;
            await writeVae(options.output, vae, { base, baseSha256, names, dropout, ...measured, ...last });
          },
        };
        const rowCount = rows.rows.source.rowCount;
        return await use(run, { rowCount, tokensPerRow: 2 * span, reads: overlapReads(trained) });
      } finally {
        await engine.close();
      }
    });
  },
};

type Start = Awaited<ReturnType<typeof readVae>>;

/** The base, the adapters that a run starts from, and what follows from both. */
interface Parts extends TrainingBase {
  start: Start | undefined;
  sizes: ReturnType<typeof sizesOf>;
  shape: VaeShape;
  frozen: FrozenBase;
  /** Positions that the writer and the encoder reach. */
  positions: number;
}

async function openParts(context: RunContext<Options>): Promise<Parts> {
  const { machine, options } = context;
  const opened = await openTrainingBase(options, "model", machine);
  const start = await openStart(context, opened);
  const sizes = sizesOf(context, start);
  const frozen = await fedBase(opened, machine.runtime);
  const shape = vaeShape(options, opened, sizes, start, frozen);
  const { span, gap, slots } = sizes;
  // Slots may be placed as if their text were longer than it is; short texts are padded.
  const longest = options.sentences ? paddedLength(span) : span;
  const placed = slots > 1 ? Math.ceil(longest * (1 + LENGTH_JITTER)) : longest;
  const positions = Math.max(span, gap) + placed + 1;
  checkWindow("`span`, `gap`", positions, opened.base.config.maxPositionEmbeddings);
  return { ...opened, frozen, start, sizes, shape, positions };
}

async function openStart({ options, warn }: RunContext<Options>, opened: TrainingBase): Promise<Start | undefined> {
  const { model } = options;
  if (options.startFrom === undefined) return undefined;
  const startFrom = await findAdapters(options.startFrom, "startFrom");
  const start = await readVae(startFrom, opened.base);
  await warnOfOtherBase(model, startFrom, opened.baseSha256, warn);
  return start;
}

/** Sizes of z, of the adapters and of a span: those of the adapters that a run starts from, which no option may contradict. */
function sizesOf({ options, explicit }: RunContext<Options>, start: Start | undefined) {
  const { span, rank, alpha, zDim, slots } = options;
  const gap = options.gap ?? start?.gap ?? span;
  if (!start) return { span, gap, rank, alpha, zDim, slots };
  const { shape } = start.adapters.decoder;
  const own = { rank: shape.rank, alpha: shape.alpha, zDim: start.zDim, slots: start.slots };
  checkShape({ rank, alpha, zDim, slots }, own, explicit);
  return { span, gap, ...own };
}

function vaeShape(
  options: Options,
  { base }: TrainingBase,
  { zDim, slots, rank, alpha }: Parts["sizes"],
  start: Start | undefined,
  { packing }: FrozenBase,
): VaeShape {
  const { dropout, gradientCheckpointing: checkpointing, freeBits } = options;
  if (zDim % slots !== 0) {
    throw new BigVaeError("usage", {
      subject: "`zDim`",
      expected: `a multiple of \`slots\` ${slots}, which share z evenly`,
      got: zDim,
      remedy: `give for example ${slots * Math.max(1, Math.round(zDim / slots))}`,
    });
  }
  const lora: LoraShape = { rank, alpha, targets: Object.keys(blockLinears(base.config)) };
  // A start with a learned variance would lose it otherwise.
  const learnedVariance = options.learnedVariance || (start !== undefined && "vae.w_s.weight" in start.head);
  const head = { zDim, slots, learnedVariance };
  return { config: base.config, ...head, encoder: lora, writer: lora, dropout, checkpointing, freeBits, packing };
}

/** What is trained, and what it is evaluated on: held-out rows at full noise, full KL weight and without dropout. */
function overlapOptions(
  options: Options,
  { base, frozen, shape, sizes: { span, gap, slots }, positions }: Parts,
  { rows, held, rng }: TrainingRows,
  sentences: Sentences | undefined,
): { trained: OverlapOptions; evaluated: OverlapOptions } {
  const { latentNoise, noiseStart = latentNoise, noiseRamp = 1 } = options;
  const { dropPrefix, maskedPrefix, shiftedSpans, encodeLast, shortSpans } = options;
  const trained: OverlapOptions = {
    ...{ dropPrefix, maskedPrefix, shiftedSpans, encodeLast, shortSpans },
    klWeight: options.klWeight,
    klRampSteps: options.klRamp,
    edgeWeights: options.tokenWeights === "edges",
    noise: { scale: latentNoise, start: noiseStart, rampSteps: noiseRamp },
    frozen: { ...frozen.tensors, ...ropeFeeds(base.config, positions, ropeSteps(slots)) },
    ...{ shape, rows, span, gap, rng },
    sentences: sentences?.train,
  };
  const evaluated: OverlapOptions = {
    ...trained,
    shape: { ...shape, dropout: 0, packing: frozen.evaluationPacking },
    klRampSteps: 1,
    noise: { scale: latentNoise, start: latentNoise, rampSteps: 1 },
    rows: held,
    rng: rng.fork("held out"),
    sentences: sentences?.validation,
  };
  return { trained, evaluated };
}

function factsOf(
  data: Options & DataOptions,
  { start, sizes, shape, baseSha256 }: Parts,
  rows: TrainingRows,
  {
    noise,
    klWeight,
    klRampSteps,
    dropPrefix,
    maskedPrefix,
    shiftedSpans,
    encodeLast,
    shortSpans,
    edgeWeights,
  }: OverlapOptions,
  sentences: Sentences | undefined,
): Facts {
  const { span, gap, zDim, slots, rank, alpha } = sizes;
  const { freeBits = 0, learnedVariance = false } = shape;
  return {
    kind: "vae",
    ...{ span, gap, zDim, slots, noise, ...sentences?.facts },
    ...{ klWeight, klRampSteps, dropPrefix, shiftedSpans, encodeLast, shortSpans, edgeWeights },
    ...(maskedPrefix ? { maskedPrefix } : {}),
    ...{ freeBits, learnedVariance },
    ...adapterFacts(data, { rank, alpha, baseSha256 }),
    ...dataFacts(data, rows),
    ...(start ? { startSha256: hashVae(start) } : {}),
  } satisfies VaeFacts;
}

/** Short texts of both splits, and what of them a resumed run must share. */
interface Sentences extends Record<"train" | "validation", NonNullable<OverlapOptions["sentences"]>> {
  facts: Pick<VaeFacts, "sentenceShare" | "sentencesSha256">;
}

/** Share of microbatches that are made of short texts where there are some. */
const SENTENCE_SHARE = 0.4;

async function openSentences(
  { sentences: preprocessed, sentenceShare: share = SENTENCE_SHARE, span }: Options,
  tokenizer: Tokenizer,
): Promise<Sentences | undefined> {
  if (preprocessed === undefined) return undefined;
  await checkTokenizer({ preprocessed, tokenizer }, "sentences");
  const endId = requireEndId(tokenizer, "sentences");
  const read = async (split: "train" | "validation") => ({
    texts: await readShortTexts(preprocessed, split, endId, span - 1),
    share,
  });
  const [train, validation] = [await read("train"), await read("validation")];
  return { train, validation, facts: { sentenceShare: share, sentencesSha256: await hashRows(preprocessed) } };
}
