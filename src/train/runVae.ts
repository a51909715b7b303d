/** `train vae` and `train router` as library calls: data, objective, samples of the run, and the finished checkpoint folder. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Shards, type Split } from "../data/index.js";
import type { Adapter, AdapterName, VaeAdapters } from "../engine/adapters.js";
import type { BaseModel } from "../engine/baseModel.js";
import { Engine } from "../engine/engine.js";
import { BigVaeError } from "../errors.js";
import { type LoraAdapter, writeFileAtomic, writeLora, writeSafetensors } from "../formats/index.js";
import { rms } from "../latent/index.js";
import type { LoraShape } from "../model/lora.js";
import { blockLinears, linearShapes } from "../model/weights.js";
import { Rng } from "../rng.js";
import type { HostTensors, Runtime } from "../runtime/runtime.js";
import type { Tokenizer } from "../tokenizer/index.js";
import type { VaeShape } from "../vae/loss.js";
import type { FlatTensors } from "./flatTensors.js";
import type { Objective } from "./objective.js";
import { RowOrder, type RowSource } from "./rowOrder.js";
import { type RunOptions, runTraining } from "./run.js";
import { ropeFeeds } from "./trainBase.js";
import { routerObjective } from "./trainRouter.js";
import { type OverlapOptions, overlapObjective } from "./trainVae.js";

/** Options that both objectives share. */
export interface VaeRunOptions extends Omit<RunOptions, "heldOut" | "samples" | "finish" | "facts" | "schedule"> {
  base: BaseModel;
  tokenizer: Tokenizer;
  /** sha256 of the base's weights, kept in bigvae.json. */
  baseSha256: string;
  preprocessed: string;
  batchSize: number;
  epochs: number;
  steps?: number;
  lr: number;
  warmup: number;
  lrDecay: "constant" | "cosine";
  rank: number;
  alpha: number;
  seed: number;
  noiseScale: number;
}

export interface TrainVaeOptions
  extends VaeRunOptions,
    Pick<OverlapOptions, "span" | "gap" | "klWeight" | "klRampSteps" | "shortSpans" | "edgeWeights"> {
  zDim: number;
  /** Adapters to go on from. */
  startFrom?: VaeAdapters;
  /** Texts that are rebuilt at every look. */
  sampleTexts: readonly string[];
}

export interface TrainRouterOptions extends VaeRunOptions {
  /** The trained VAE; its decoder is the router's start. */
  vae: VaeAdapters & { facts: { ae_scale: number } };
  context: number;
  indexStep: number;
}

/** Held-out microbatches looked at. */
const HELD_OUT_BATCHES = 8;

/** Trains encoder, decoder and head. Returns whether the run is finished (false: aborted, to be resumed). */
export async function trainVae(runtime: Runtime, options: TrainVaeOptions): Promise<boolean> {
  const { base, span, gap, zDim } = options;
  const lora = loraShape(options);
  const shape: VaeShape = { config: base.config, zDim, encoder: lora, writer: lora };
  const frozen = { ...base.weights, ...ropeFeeds(base.config, 2 * span + gap + 1) };
  const make = (rows: RowOrder, rng: Rng) => overlapObjective({ ...options, shape, frozen, rows, rng });
  return withData(
    options,
    2 * span,
    make,
    (objective) => {
      if (options.startFrom) copyFrom(objective.parameters, options.startFrom);
      const vae = liveVae(objective.parameters, { zDim, span, gap, lora, writers: ["decoder"] });
      const engine = new Engine({ runtime, base, vae, form: "unmerged" });
      return {
        ...runSettings("vae", options, {
          span,
          gap,
          zDim,
          klWeight: options.klWeight,
          klRampSteps: options.klRampSteps,
        }),
        samples: () => reconstructions(engine, options),
        finish: async () => {
          const rows = await heldOutSpans(options, span);
          const means = (await engine.encode(rows.map((ids) => ({ ids })))).map(({ mean }) => mean);
          await writeVae(options, vae, Math.sqrt(rms(means) ** 2 + options.noiseScale ** 2), ["encoder", "decoder"]);
        },
        release: () => engine.close(),
      };
    },
    runtime,
  );
}

/** Trains the router; encoder, decoder and head are copied beside it. */
export async function trainRouter(runtime: Runtime, options: TrainRouterOptions): Promise<boolean> {
  const { base, vae, context } = options;
  const { span, zDim } = vae;
  const writer = vae.adapters.router.shape;
  const shape: VaeShape = { config: base.config, zDim, encoder: vae.adapters.encoder.shape, writer };
  const frozen: HostTensors = {
    ...base.weights,
    ...vae.adapters.encoder.tensors,
    ...vae.head,
    ...ropeFeeds(base.config, context + 1),
  };
  const make = (rows: RowOrder, rng: Rng) => routerObjective({ ...options, shape, frozen, rows, span, rng });
  return withData(
    options,
    context,
    make,
    (objective) => {
      // A folder without router/ has been given the decoder in its place.
      for (const [name, { data }] of Object.entries(vae.adapters.router.tensors))
        objective.parameters.set(name, data as Float32Array);
      const router: Adapter = { shape: writer, tensors: objective.parameters.tensors };
      const trained = { ...vae, adapters: { ...vae.adapters, router } };
      return {
        ...runSettings("router", options, { context, span }),
        finish: () => writeVae(options, trained, vae.facts.ae_scale, ["encoder", "decoder", "router"]),
        release: async () => {},
      };
    },
    runtime,
  );
}

function loraShape({ rank, alpha, base }: VaeRunOptions): LoraShape {
  return { rank, alpha, targets: Object.keys(blockLinears(base.config)) };
}

type RunParts = Pick<RunOptions, "facts" | "samples" | "finish"> & { release(): Promise<void> };

/** Opens the rows, makes the objective and its held-out twin, and runs. */
async function withData(
  options: VaeRunOptions,
  columns: number,
  make: (rows: RowOrder, rng: Rng) => Objective,
  parts: (objective: Objective) => RunParts,
  runtime: Runtime,
): Promise<boolean> {
  const { batchSize, accumulation, lr, warmup, lrDecay } = options;
  const rng = Rng.fromSeed(options.seed);
  const [training, validation] = await Promise.all([
    openRows(options, columns, "train"),
    openRows(options, columns, "validation"),
  ]);
  try {
    const rows = new RowOrder(training, batchSize, accumulation, rng.fork("rows"));
    const totalSteps = options.steps ?? rows.steps(options.epochs);
    if (totalSteps < 1) throw tooLittleData(options.preprocessed, training.rowCount, batchSize * accumulation);
    const objective = make(rows, rng);
    const held = new RowOrder(validation, batchSize, 1, rng.fork("held out"));
    const twin = make(held, rng.fork("held out"));
    const count = Math.min(HELD_OUT_BATCHES, held.steps(1));
    const heldOut = await Promise.all(Array.from({ length: count }, (_, i) => twin.microbatch(i + 1, 0)));
    const { release, ...rest } = parts(objective);
    try {
      return await runTraining(runtime, objective, {
        ...options,
        ...rest,
        heldOut,
        schedule: { lr, warmup, decay: lrDecay, totalSteps },
      });
    } finally {
      await release();
    }
  } finally {
    await Promise.all([training.close(), validation.close()]);
  }
}

async function openRows(
  { preprocessed }: VaeRunOptions,
  columns: number,
  split: Split,
): Promise<RowSource & { close(): Promise<void> }> {
  const shards = await Shards.open(preprocessed, split);
  return {
    rowCount: shards.rowCount(columns),
    row: (index) => shards.row(index, columns),
    close: () => shards.close(),
  };
}

/** What a resumed run must share. */
function runSettings(
  kind: string,
  options: VaeRunOptions,
  own: Readonly<Record<string, unknown>>,
): Pick<RunOptions, "facts"> {
  const { seed, batchSize, accumulation, lr, rank, alpha, baseSha256 } = options;
  return { facts: { kind, seed, batchSize, accumulation, lr, rank, alpha, baseSha256, ...own } };
}

/** Adapters whose tensors are views of what is trained, so that they are always up to date. */
function liveVae(
  parameters: FlatTensors,
  { zDim, span, gap, lora }: { zDim: number; span: number; gap: number; lora: LoraShape; writers: readonly string[] },
): VaeAdapters {
  const adapter = { shape: lora, tensors: parameters.tensors };
  return {
    zDim,
    span,
    gap,
    head: parameters.tensors,
    adapters: { encoder: adapter, decoder: adapter, router: adapter },
  };
}

function copyFrom(parameters: FlatTensors, vae: VaeAdapters): void {
  const all: HostTensors = { ...vae.adapters.encoder.tensors, ...vae.adapters.decoder.tensors, ...vae.head };
  for (const [name, shape] of parameters.shapes) {
    const from = all[name];
    if (from?.shape.join() !== shape.join()) {
      throw new BigVaeError(
        "mismatch",
        `--start-from: expected ${name} of shape [${shape.join(", ")}], got ${from ? `[${from.shape.join(", ")}]` : "none"}; give the same --rank and --z-dim`,
      );
    }
    parameters.set(name, from.data as Float32Array);
  }
}

/** The fixed texts and what becomes of them through z, greedily. */
async function reconstructions(engine: Engine, { sampleTexts, tokenizer, span }: TrainVaeOptions) {
  const rows = sampleTexts.map((text) => tokenizer.encode(text).slice(0, span));
  const encodings = await engine.encode(rows.map((ids) => ({ ids })));
  const noise = Rng.fromSeed(0).key;
  const written = await engine.write(
    encodings.map(({ mean }) => ({ z: mean, noise })),
    { writer: "decoder", context: [], nTokens: span, tau: 0, stopId: tokenizer.eosId },
  );
  return rows.map((ids, i) => ({
    text: tokenizer.decode(ids),
    reconstruction: tokenizer.decode(written[i]!, { skipSpecial: true }),
  }));
}

const AE_SCALE_SPANS = 512;

async function heldOutSpans(options: VaeRunOptions, span: number): Promise<number[][]> {
  const rows = await openRows(options, span, "validation");
  try {
    const count = Math.min(AE_SCALE_SPANS, rows.rowCount);
    return await Promise.all(Array.from({ length: count }, async (_, i) => Array.from((await rows.row(i)).inputIds)));
  } finally {
    await rows.close();
  }
}

/** The published checkpoint's folder, with our facts beside it. */
async function writeVae(
  options: VaeRunOptions,
  vae: VaeAdapters,
  aeScale: number,
  names: readonly AdapterName[],
): Promise<void> {
  const { output, base, baseSha256 } = options;
  await mkdir(output, { recursive: true });
  for (const name of names) await writeLora(join(output, name), storedAdapter(name, vae.adapters[name], base));
  const head = Array.from(
    ["f", "w_e", "w_d"].flatMap((layer) => [`${layer}.weight`, `${layer}.bias`]),
    (name) => {
      const { shape, data } = vae.head[`vae.${name}`]!;
      return [name, { dtype: "F32" as const, shape, data: data as Float32Array<ArrayBuffer> }] as const;
    },
  );
  await writeSafetensors(join(output, "vae.safetensors"), new Map(head), { format: "pt" });
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
  await writeFileAtomic(
    join(output, "bigvae.json"),
    json({ base_sha256: baseSha256, span: vae.span, gap: vae.gap, ae_scale: aeScale }),
  );
  await writeFileAtomic(join(output, "state.json"), json({ step: options.steps ?? 0, last_kl_weight: 0 }));
}

function storedAdapter(name: AdapterName, { shape, tensors }: Adapter, base: BaseModel): LoraAdapter {
  const pairs = Array.from(linearShapes(base.config), ([path, [outWidth, inWidth]]) => {
    const matrix = (letter: "A" | "B") => tensors[`${name}.${path}.lora_${letter}`]?.data as Float32Array;
    return [path, { a: matrix("A"), b: matrix("B"), inWidth, outWidth }] as const;
  });
  return {
    rank: shape.rank,
    alpha: shape.alpha,
    dropout: 0,
    targetModules: shape.targets,
    tensors: new Map(pairs.filter(([, { a }]) => a)),
    baseModel: "",
  };
}

function tooLittleData(folder: string, rows: number, needed: number): BigVaeError {
  return new BigVaeError(
    "usage",
    `train: expected at least ${needed} rows for one step in ${folder}, got ${rows}; prepare more text or lower --batch-size`,
  );
}
