/** `train vae`: encoder, decoder and head on a frozen base, written as a checkpoint folder. */
import { readVae, writeVae } from "../../checkpoint/vae.js";
import { Engine } from "../../engine/engine.js";
import { BigVaeError } from "../../errors.js";
import type { LoraShape } from "../../model/lora.js";
import { blockLinears } from "../../model/weights.js";
import type { Tokenizer } from "../../tokenizer/index.js";
import type { VaeShape } from "../../vae/loss.js";
import { ropeSteps } from "../../vae/rowLayout.js";
import { ropeFeeds } from "../objectives/attentionFeeds.js";
import { type OverlapOptions, overlapBatches, overlapObjective, overlapReads } from "../objectives/overlapObjective.js";
import { klWeight, noiseScale } from "../objectives/overlapSchedules.js";
import { paddedLength } from "../objectives/shortTexts.js";
import { LENGTH_JITTER } from "../objectives/vaeFeeds.js";
import { adapterFacts, type VaeFacts } from "./facts.js";
import { checkShape, hashVae, openTrainingBase, type TrainingBase, warnOfOtherBase } from "./open.js";
import type { PlannedOptions, RunOptions, Settled } from "./options/table.js";
import { VAE_OPTIONS } from "./options/vae.js";
import type { RunPlan } from "./plan.js";
import {
  checkTokenizer,
  checkWindow,
  dataFacts,
  hashRows,
  latentHeldOut,
  readShortTexts,
  requireEndId,
  withRows,
} from "./runData.js";
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
    const opened = await openTrainingBase(options.model, "model", machine.availableBytes());
    const { base, tokenizer, baseSha256 } = opened;
    const start = await openStart(context, opened);
    const { span, gap, zDim, slots, rank, alpha } = placesOf(context, start);
    const shape = vaeShape(options, opened, { zDim, slots, rank, alpha }, start);
    // Slots may be placed as if their text were longer than it is; short texts are padded.
    const longest = options.sentences ? paddedLength(span) : span;
    const placed = slots > 1 ? Math.ceil(longest * (1 + LENGTH_JITTER)) : longest;
    const positions = Math.max(span, gap) + placed + 1;
    checkWindow("`context`, `gap`", positions, base.config.maxPositionEmbeddings);
    const frozen = { ...base.weights, ...ropeFeeds(base.config, positions, ropeSteps(slots)) };
    const data = { ...options, tokenizer };
    return withRows(data, { columns: 2 * span, minTokens: span + 1 }, async (opened) => {
      const { rows, held, schedule, rng } = opened;
      const { latentNoise, noiseStart = latentNoise, noiseRamp = 1 } = options;
      const noise = { scale: latentNoise, start: noiseStart, rampSteps: noiseRamp };
      const { dropPrefix, shiftedSpans, encodeLast, shortSpans, dropout } = options;
      const cuts = { dropPrefix, shiftedSpans, encodeLast, shortSpans };
      const weights = { klWeight: options.klWeight, klRampSteps: options.klRamp };
      const edgeWeights = options.tokenWeights === "edges";
      const { training, evaluated, ...sentenceFacts } = await openSentences(options, tokenizer);
      const common = { ...cuts, ...weights, edgeWeights, shape, frozen, rows, span, gap, noise, rng };
      const trained: OverlapOptions = { ...common, ...training };
      const objective = overlapObjective(trained);
      if (start) copyFrom(objective.parameters, start, latentNoise);
      const evaluation: OverlapOptions = {
        ...common,
        shape: { ...shape, dropout: 0 },
        klRampSteps: 1,
        noise: { scale: latentNoise, start: latentNoise, rampSteps: 1 },
        rows: held,
        ...evaluated,
        rng: rng.fork("held out"),
      };
      const vae = liveVae(objective.parameters, { zDim, slots, span, gap }, shape.encoder);
      const engine = new Engine({ runtime: machine.runtime, base, vae, form: "unmerged", maxPositions: positions });
      const { freeBits = 0, learnedVariance = false } = shape;
      const facts = {
        kind: "vae" as const,
        ...{ span, gap, zDim, slots, noise, ...sentenceFacts },
        ...{ ...weights, ...cuts, edgeWeights, freeBits, learnedVariance },
        ...adapterFacts(options, { rank, alpha, baseSha256 }),
        ...dataFacts(data, opened),
        ...(start ? { startSha256: hashVae(start) } : {}),
      } satisfies VaeFacts;
      const run = {
        objective,
        ...(await latentHeldOut(held, (shuffled) => overlapBatches({ ...evaluation, shuffled }))),
        schedule,
        facts,
        samples: (signal?: AbortSignal) => reconstructions({ engine, tokenizer, span }, signal),
        async finish(step: number, signal?: AbortSignal) {
          scaleLatents(objective.parameters, 1 / noiseScale(noise, step));
          const measured = await measureLatents({ engine, tokenizer, span }, options.preprocessed, signal);
          const last = { step, klWeight: klWeight(weights.klWeight, weights.klRampSteps, step) };
          const names = ["encoder", "decoder"] as const;
          await writeVae(options.output, vae, { base, baseSha256, names, dropout, ...measured, ...last });
        },
      };
      try {
        return await use(run, { rowCount: rows.source.rowCount, tokensPerRow: 2 * span, reads: overlapReads(trained) });
      } finally {
        await engine.close();
      }
    });
  },
};

type Start = Awaited<ReturnType<typeof readVae>>;

async function openStart({ options, warn }: RunContext<Options>, opened: TrainingBase): Promise<Start | undefined> {
  const { model, startFrom } = options;
  if (startFrom === undefined) return undefined;
  const start = await readVae(startFrom, opened.base);
  await warnOfOtherBase(model, startFrom, opened.baseSha256, warn);
  return start;
}

/** Sizes of z and of the adapters, and the places of a span: those of the adapters that a run starts from, which no option may contradict. */
function placesOf({ options, explicit }: RunContext<Options>, start: Start | undefined) {
  const { context: span, rank, alpha, zDim, slots } = options;
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
  { zDim, slots, rank, alpha }: Record<"zDim" | "slots" | "rank" | "alpha", number>,
  start: Start | undefined,
): VaeShape {
  const { dropout, gradientCheckpointing: checkpointing, freeBits } = options;
  if (zDim % slots !== 0) {
    throw new BigVaeError(
      "usage",
      `\`zDim\`: expected a multiple of \`slots\` ${slots}, which share z evenly, got ${zDim}; give for example ${slots * Math.max(1, Math.round(zDim / slots))}`,
    );
  }
  const lora: LoraShape = { rank, alpha, targets: Object.keys(blockLinears(base.config)) };
  // A start with a learned variance would lose it otherwise.
  const learnedVariance = options.learnedVariance || (start !== undefined && "vae.w_s.weight" in start.head);
  const head = { zDim, slots, learnedVariance };
  return { config: base.config, ...head, encoder: lora, writer: lora, dropout, checkpointing, freeBits };
}

/** Share of microbatches that are made of short texts where there are some. */
const SENTENCE_SHARE = 0.4;

/** Short texts to train on, those of the validation split to evaluate on, and what a resumed run must share; nothing where none are given. */
async function openSentences(
  { sentences: preprocessed, sentenceShare: share = SENTENCE_SHARE, context: span }: Options,
  tokenizer: Tokenizer,
) {
  if (preprocessed === undefined) return {};
  await checkTokenizer({ preprocessed, tokenizer }, "sentences");
  const endId = requireEndId(tokenizer, "sentences");
  const read = async (split: "train" | "validation") => ({
    sentences: { texts: await readShortTexts(preprocessed, split, endId, span - 1), share },
  });
  const [training, evaluated] = [await read("train"), await read("validation")];
  return { training, evaluated, sentenceShare: share, sentencesSha256: await hashRows(preprocessed) };
}
