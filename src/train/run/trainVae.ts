/** `train vae` as a library call: data, objective, samples of the run, and the finished checkpoint folder. */
import { writeVae } from "../../checkpoint/vae.js";
import type { VaeAdapters } from "../../engine/adapters.js";
import { Engine } from "../../engine/engine.js";
import { BigVaeError } from "../../errors.js";
import { usualLosses } from "../../eval/confidence.js";
import { Scoring } from "../../eval/scoring.js";
import { rms } from "../../latent/index.js";
import type { LoraShape } from "../../model/lora.js";
import { blockLinears } from "../../model/weights.js";
import { Rng } from "../../rng.js";
import type { HostTensors, Runtime } from "../../runtime/runtime.js";
import type { VaeShape } from "../../vae/loss.js";
import type { AdapterRole } from "../../vae/roles.js";
import { ropeSteps } from "../../vae/rowLayout.js";
import type { FlatTensors } from "../loop/flatTensors.js";
import { ropeFeeds } from "../objectives/attentionFeeds.js";
import { type OverlapOptions, overlapBatches, overlapObjective } from "../objectives/overlapObjective.js";
import { klWeight, noiseScale as scaleOfNoise } from "../objectives/overlapSchedules.js";
import { paddedLength } from "../objectives/shortTexts.js";
import { LENGTH_JITTER } from "../objectives/vaeFeeds.js";
import { type PlanOptions, planRun, type RunPlan } from "./plan.js";
import {
  checkTokenizer,
  checkWindow,
  dataFacts,
  hashRows,
  latentLooks,
  openRows,
  readShortTexts,
  requireEndId,
  withRows,
} from "./runData.js";
import { type PreparedRun, runTraining } from "./runTraining.js";
import { adapterFacts, type VaeRunOptions } from "./vaeRunOptions.js";

export interface TrainVaeOptions
  extends VaeRunOptions,
    Pick<OverlapOptions, "span" | "gap" | "klWeight" | "klRampSteps">,
    Pick<OverlapOptions, "dropPrefix" | "shiftedSpans" | "encodeLast" | "shortSpans" | "edgeWeights">,
    Pick<VaeShape, "freeBits" | "learnedVariance"> {
  zDim: number;
  /** Slots of a latent, which share z_dim evenly. */
  slots: number;
  /** Scale of the noise at the first step, from which it rises to `noiseScale` over `noiseRampSteps`; without a rise by default. */
  noiseStart?: number;
  noiseRampSteps?: number;
  /** Shards of short texts (prepared with `sentences`), and the share of microbatches that are made of them. */
  shortTexts?: { preprocessed: string; share: number };
  /** Adapters to go on from. */
  startFrom?: VaeAdapters;
  /** Texts that are rebuilt at every look. */
  sampleTexts: readonly string[];
}

/** Trains encoder, decoder and head. Returns whether the run is finished (false: aborted, to be resumed). */
export async function trainVae(runtime: Runtime, options: TrainVaeOptions): Promise<boolean> {
  return withVaeRun(runtime, options, (run) => runTraining(runtime, run, options));
}

/** What `trainVae` would take; nothing is written. */
export async function planVae(runtime: Runtime, options: TrainVaeOptions, plan: PlanOptions): Promise<RunPlan> {
  return withVaeRun(runtime, options, (run, rowCount) =>
    planRun(runtime, run, { ...options, rowCount, columns: 2 * options.span }, plan),
  );
}

async function withVaeRun<T>(
  runtime: Runtime,
  options: TrainVaeOptions,
  use: (run: PreparedRun, rowCount: number) => Promise<T>,
): Promise<T> {
  const { base, span, gap, zDim, slots, noiseScale } = options;
  const shape = vaeShape(options);
  // Slots may be placed as if their text were longer than it is; short texts are padded.
  const longest = options.shortTexts ? paddedLength(span) : span;
  const placed = slots > 1 ? Math.ceil(longest * (1 + LENGTH_JITTER)) : longest;
  const positions = Math.max(span, gap) + placed + 1;
  checkWindow("`span`, `gap`", positions, base.config.maxPositionEmbeddings);
  const frozen = { ...base.weights, ...ropeFeeds(base.config, positions, ropeSteps(slots)) };
  return withRows(options, { columns: 2 * span, setBy: "span", minTokens: span + 1 }, async (data) => {
    const { rows, held, schedule, rng } = data;
    const noise = {
      scale: noiseScale,
      start: options.noiseStart ?? noiseScale,
      rampSteps: options.noiseRampSteps ?? 1,
    };
    const { training, looked, ...sentenceFacts } = await openSentences(options);
    const objective = overlapObjective({ ...options, shape, frozen, rows, rng, noise, ...training });
    if (options.startFrom) copyFrom(objective.parameters, options.startFrom, options.noiseScale);
    const looks = {
      ...options,
      shape: { ...shape, dropout: 0 },
      klRampSteps: 1,
      noise: { scale: noiseScale, start: noiseScale, rampSteps: 1 },
      frozen,
      rows: held,
      ...looked,
      rng: rng.fork("held out"),
    };
    const vae = liveVae(objective.parameters, options, shape.encoder);
    const engine = new Engine({ runtime, base, vae, form: "unmerged", maxPositions: positions });
    const run: PreparedRun = {
      objective,
      ...(await latentLooks(held, (shuffled) => overlapBatches({ ...looks, shuffled }))),
      schedule,
      facts: {
        kind: "vae",
        ...{ span, gap, zDim, slots, noise, ...sentenceFacts },
        ...overlapFacts(options, shape),
        ...dataFacts(options, data),
      },
      samples: (signal) => reconstructions(engine, options, signal),
      finish: (step, signal) => {
        scaleLatents(objective.parameters, 1 / scaleOfNoise(noise, step));
        return finishVae(engine, vae, step, options, signal);
      },
    };
    try {
      return await use(run, rows.source.rowCount);
    } finally {
      await engine.close();
    }
  });
}

/** Short texts to train on, those of the validation split to look at, and what a resumed run must share; nothing where none are given. */
async function openSentences({ shortTexts, tokenizer, span }: TrainVaeOptions) {
  if (!shortTexts) return {};
  const { preprocessed, share } = shortTexts;
  await checkTokenizer({ preprocessed, tokenizer }, "shortTexts");
  const endId = requireEndId(tokenizer, "shortTexts");
  const read = async (split: "train" | "validation") => ({
    sentences: { texts: await readShortTexts(preprocessed, split, endId, span - 1), share },
  });
  const [training, looked] = [await read("train"), await read("validation")];
  return { training, looked, sentenceShare: share, sentencesSha256: await hashRows(preprocessed) };
}

function vaeShape(options: TrainVaeOptions): VaeShape {
  const { base, rank, alpha, zDim, slots, dropout, checkpointing, freeBits, startFrom } = options;
  if (zDim % slots !== 0) {
    throw new BigVaeError(
      "usage",
      `\`zDim\`: expected a multiple of \`slots\` ${slots}, which share z evenly, got ${zDim}; give for example ${slots * Math.max(1, Math.round(zDim / slots))}`,
    );
  }
  const lora: LoraShape = { rank, alpha, targets: Object.keys(blockLinears(base.config)) };
  // A start with a learned variance would lose it otherwise.
  const learnedVariance = options.learnedVariance || (startFrom !== undefined && "vae.w_s.weight" in startFrom.head);
  return {
    config: base.config,
    zDim,
    slots,
    encoder: lora,
    writer: lora,
    dropout,
    checkpointing,
    freeBits,
    learnedVariance,
  };
}

function overlapFacts(options: TrainVaeOptions, { freeBits = 0, learnedVariance = false }: VaeShape) {
  const { klWeight, klRampSteps, dropPrefix, shiftedSpans, encodeLast, shortSpans, edgeWeights } = options;
  const cuts = { dropPrefix, shiftedSpans, encodeLast, shortSpans };
  return { klWeight, klRampSteps, ...cuts, edgeWeights, freeBits, learnedVariance, ...adapterFacts(options) };
}

/** Adapters whose tensors are views of what is trained, so that they are always up to date. */
function liveVae(
  parameters: FlatTensors,
  { zDim, slots, span, gap }: Pick<TrainVaeOptions, "zDim" | "slots" | "span" | "gap">,
  lora: LoraShape,
): VaeAdapters {
  const adapter = (role: AdapterRole) => ({ role, shape: lora, tensors: parameters.tensors });
  return {
    zDim,
    slots,
    span,
    gap,
    head: parameters.tensors,
    adapters: { encoder: adapter("encoder"), decoder: adapter("decoder"), router: adapter("router") },
  };
}

/** The start has the posterior N(mean, s^2); training adds noise of `noiseScale` s. */
function copyFrom(parameters: FlatTensors, vae: VaeAdapters, noiseScale: number): void {
  const all: HostTensors = { ...vae.adapters.encoder.tensors, ...vae.adapters.decoder.tensors, ...vae.head };
  for (const [name, shape] of parameters.shapes) {
    const from = all[name];
    // A start without a learned variance has s = 1, which w_s = 0 says.
    if (!from && name.startsWith("vae.w_s.")) continue;
    if (from?.shape.join() !== shape.join()) {
      throw new BigVaeError(
        "mismatch",
        `\`startFrom\`: expected ${name} of shape [${shape.join(", ")}], got ${from ? `[${from.shape.join(", ")}]` : "none"}; give adapters of this rank, this \`zDim\` and as many \`slots\``,
      );
    }
    parameters.set(name, from.data as Float32Array);
  }
  scaleLatents(parameters, noiseScale);
}

/**
 * Makes z `scale` times as long, and the decoder read it as before: w_e and its bias are multiplied, w_d is divided. In training the
 * posterior is N(mean, noiseScale^2 s^2); scaled by 1 / noiseScale it is N(mean, s^2), as everything that uses a checkpoint expects. Without noise there is nothing to scale by.
 */
function scaleLatents(parameters: FlatTensors, scale: number): void {
  if (scale === 0 || scale === Number.POSITIVE_INFINITY) return;
  for (const name of ["vae.w_e.weight", "vae.w_e.bias"]) multiply(parameters.values(name), scale);
  multiply(parameters.values("vae.w_d.weight"), 1 / scale);
}

function multiply(values: Float32Array, factor: number): void {
  for (let i = 0; i < values.length; i++) values[i]! *= factor;
}

/** The fixed texts and what becomes of them through z, greedily. */
async function reconstructions(
  engine: Engine,
  { sampleTexts, tokenizer, span }: TrainVaeOptions,
  signal: AbortSignal | undefined,
) {
  const rows = sampleTexts.map((text) => tokenizer.encode(text).slice(0, span));
  const encodings = await engine.encode(
    rows.map((ids) => ({ ids })),
    signal,
  );
  const rngKey = Rng.fromSeed(0).key;
  const written = await engine.write(
    encodings.map(({ mean }) => ({ z: mean, rngKey })),
    { writer: "decoder", context: [], nTokens: span, tau: 0, stopId: tokenizer.eosId, signal },
  );
  return rows.map((ids, i) => ({
    text: tokenizer.decode(ids),
    reconstruction: tokenizer.decode(written[i]!, { skipSpecial: true }),
  }));
}

const AE_SCALE_SPANS = 512;

/** The finished folder, with the usual losses and the RMS of z sampled over held-out spans: sqrt(mean^2 + s^2). */
async function finishVae(
  engine: Engine,
  vae: VaeAdapters,
  step: number,
  options: TrainVaeOptions,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { base, baseSha256, tokenizer, dropout = 0 } = options;
  const spans = await heldOutSpans(options);
  const encodings = await engine.encode(spans, signal);
  // E z^2 = mean^2 + s^2: no draws are needed.
  const rootMeanSquares = encodings.map(({ mean, logVariance }) =>
    engine.space!.content(mean).map((value, d) => Math.hypot(value, Math.exp((logVariance?.[d] ?? 0) / 2))),
  );
  const aeScale = rms(rootMeanSquares);
  const scoring = new Scoring({ model: engine, tokenizer, space: engine.space!, ...(signal ? { signal } : {}) });
  const usual = await usualLosses(
    scoring,
    spans.map(({ ids }, i) => ({ ids, z: encodings[i]!.mean })),
  );
  const names = ["encoder", "decoder"] as const;
  const weight = klWeight(options.klWeight, options.klRampSteps, step);
  await writeVae(options.output, vae, {
    base,
    baseSha256,
    names,
    dropout,
    aeScale,
    usualLosses: usual,
    step,
    klWeight: weight,
  });
}

/** Spans of the validation split; of the training split where there are none. */
async function heldOutSpans(
  { preprocessed, span }: Pick<TrainVaeOptions, "preprocessed" | "span">,
  split: "validation" | "train" = "validation",
): Promise<{ ids: number[] }[]> {
  const rows = await openRows(preprocessed, split, { columns: span, minTokens: span });
  try {
    if (rows.rowCount === 0 && split === "validation") return await heldOutSpans({ preprocessed, span }, "train");
    const count = Math.min(AE_SCALE_SPANS, rows.rowCount);
    return await Promise.all(
      Array.from({ length: count }, async (_, i) => ({ ids: Array.from((await rows.row(i)).inputIds) })),
    );
  } finally {
    await rows.close();
  }
}
