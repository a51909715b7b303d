/**
 * The base once, with an adapter beside every linear layer that is fed at each run: one copy of the weights for all adapters. Packed weights are stored in
 * sessions of some consecutive blocks, made one after another, so that a large base is never in memory twice.
 */
import {
  add,
  gatherRows,
  input,
  linear,
  mul,
  type PackedFormat,
  reshape,
  type StoredData,
  toOnnx,
  type Value,
} from "../graph/index.js";
import { cachedAttention } from "../model/attention.js";
import type { ModelConfig } from "../model/config.js";
import { blocks, finalNorm, logits } from "../model/llama.js";
import { baseLinear, type Frozen, type Linear, loraName, makeParameter } from "../model/lora.js";
import { headName, linearShapes } from "../model/weights.js";
import { float32, type HostTensor, type HostTensors, int64, type Runtime, type Session } from "../runtime/runtime.js";
import { type Weight, weightBytes, weightTensors } from "../weights/index.js";
import type { Adapter } from "./adapters.js";
import type { BaseModel } from "./baseModel.js";

/** Packed bytes of a session at most; the blocks of one session are in memory twice while it is made. */
const SESSION_BYTES = 256e6;

/** Blocks begin..end-1 as a session, and the dense weights that it is fed. */
interface Segment {
  session: Session;
  weights: HostTensors;
}

export class Trunk {
  private constructor(
    readonly base: BaseModel,
    readonly segments: readonly Segment[],
    /** Hidden states [N, D] in, logits [N, V] out. */
    readonly head: Segment,
  ) {}

  static async open(runtime: Runtime, base: BaseModel, sessionBytes = SESSION_BYTES): Promise<Trunk> {
    const { config } = base;
    const segments: Segment[] = [];
    let pending = new Map<string, Weight>();
    let begin = 0;
    for (let layer = 0; layer < config.numHiddenLayers; layer++) {
      const names = layerNames(config, layer);
      for (const name of names) pending.set(name, await base.weights.read(name));
      const next = layer + 1;
      const isFull = storedBytes(pending) * (1 + 1 / (next - begin)) > sessionBytes;
      if (!isFull && next < config.numHiddenLayers) continue;
      const first = begin;
      segments.push(await openSegment(runtime, config, pending, (frozen) => segmentGraph(frozen, first, next)));
      pending = new Map();
      begin = next;
    }
    for (const name of ["model.norm.weight", headName(config)]) pending.set(name, await base.weights.read(name));
    const head = await openSegment(runtime, config, pending, headGraph);
    return new Trunk(base, segments, head);
  }

  /**
   * Last hidden states before the final norm [B, T, D], and `new_key.N` and `new_value.N` of every layer. Feeds are those of the writer's graph but for
   * `selected`; `adapter` is what `adapterFeeds` makes.
   */
  async run(feeds: HostTensors, adapter: HostTensors): Promise<{ hidden: HostTensor; cache: HostTensors }> {
    let hidden = feeds.embeddings!;
    const cache: Record<string, HostTensor> = {};
    for (const { session, weights } of this.segments) {
      const { hidden: next, ...rest } = await session.run({ ...weights, ...feeds, ...adapter, embeddings: hidden });
      hidden = next!;
      Object.assign(cache, rest);
    }
    return { hidden, cache };
  }

  /** Logits [N, V] of the rows `selected` of hidden states [B, T, D]. */
  async logits(hidden: HostTensor, selected: HostTensor): Promise<HostTensor> {
    const { session, weights } = this.head;
    return (await session.run({ ...weights, hidden, selected })).logits!;
  }

  /** A session that takes the feeds of the writer's graph (vae/writer) and gives its outputs. */
  writer(adapter: Adapter | undefined): Session {
    const beside = adapterFeeds(this.base.config, adapter);
    return {
      run: async (feeds) => {
        const { hidden, cache } = await this.run(feeds, beside);
        const { selected } = feeds;
        // A prefill wants no logits.
        const { vocabSize } = this.base.config;
        const none = () => float32(new Float32Array(0), 0, vocabSize);
        return { ...cache, logits: selected!.shape[0] === 0 ? none() : await this.logits(hidden, selected!) };
      },
      release: async () => {},
    };
  }

  /** A session over whole texts, without caches: `pool` computes its outputs from `hidden`, before the final norm, and from the feeds. */
  pooled(adapter: Adapter | undefined, pool: Session): Session {
    const { config } = this.base;
    const beside = adapterFeeds(config, adapter);
    return {
      run: async (feeds) => {
        const [rows, time] = feeds.embeddings!.shape as [number, number, number];
        const { hidden } = await this.run(
          { ...feeds, ...emptyCaches(config, rows), sizes: int64([0, 0, time], 3) },
          beside,
        );
        return pool.run({ ...feeds, hidden });
      },
      release: () => pool.release(),
    };
  }

  async release(): Promise<void> {
    for (const { session } of [...this.segments, this.head]) await session.release();
  }
}

async function openSegment(
  runtime: Runtime,
  config: ModelConfig,
  weights: ReadonlyMap<string, Weight>,
  graph: (frozen: Frozen) => Record<string, Value>,
): Promise<Segment> {
  const packing = (name: string): PackedFormat | undefined => {
    const weight = weights.get(name);
    return weight?.kind === "packed" ? weight.format : undefined;
  };
  const stored = new Map<string, StoredData>();
  const fed: Record<string, HostTensor> = {};
  for (const [name, weight] of weights) {
    for (const [part, tensor] of Object.entries(weightTensors(name, weight))) {
      if (weight.kind === "packed") stored.set(part, tensor.data as StoredData);
      else fed[part] = tensor;
    }
  }
  const session = await runtime.createSession(
    toOnnx(graph({ config, parameter: makeParameter(), packing }), { stored }),
  );
  return { session, weights: fed };
}

/** As vae/writer, from block `begin` to `end`; `embeddings` is what block `begin` reads. */
function segmentGraph(frozen: Frozen, begin: number, end: number): Record<string, Value> {
  const { config } = frozen;
  const embeddings = input("embeddings", ["B", "T", config.hiddenSize]);
  const { attend, outputs } = cachedAttention(config);
  const hidden = blocks({ ...frozen, linear: adaptedLinear(frozen), attend }, begin, end, embeddings);
  return { hidden, ...outputs };
}

/** Inputs hidden [B, T, D], selected [N] (rows of the flat [B*T]). */
function headGraph(frozen: Frozen): Record<string, Value> {
  const { hiddenSize } = frozen.config;
  const hidden = reshape(input("hidden", ["B", "T", hiddenSize]), ["B*T", hiddenSize]);
  const selected = gatherRows(hidden, input("selected", ["N"], "int64"));
  return { logits: logits(frozen, finalNorm(frozen, selected)) };
}

/** The linear layers with an adapter of any rank R beside each: inputs `lora.PATH.lora_A` [R, in], `lora.PATH.lora_B` [out, R] and `lora.scale`. */
function adaptedLinear(frozen: Frozen): Linear {
  const base = baseLinear(frozen);
  const shapes = linearShapes(frozen.config);
  const scale = input("lora.scale", []);
  return (path, x) => {
    const [out, width] = shapes.get(path)!;
    const a = frozen.parameter(loraName("lora", path, "A"), ["R", width]);
    const b = frozen.parameter(loraName("lora", path, "B"), [out, "R"]);
    return add(base(path, x), linear(mul(linear(x, a), scale), b));
  };
}

/** What `adaptedLinear` is fed for an adapter: zeros of rank 1 for a layer that it does not adapt, or for the base alone. */
function adapterFeeds(config: ModelConfig, adapter: Adapter | undefined): HostTensors {
  const { rank, alpha } = adapter?.shape ?? { rank: 1, alpha: 1 };
  const feeds: Record<string, HostTensor> = { "lora.scale": float32(Float32Array.of(alpha / rank)) };
  for (const [path, [out, width]] of linearShapes(config)) {
    const a = adapter?.tensors[loraName(adapter.role, path, "A")];
    const b = adapter?.tensors[loraName(adapter.role, path, "B")];
    feeds[loraName("lora", path, "A")] = a ?? float32(new Float32Array(rank * width), rank, width);
    feeds[loraName("lora", path, "B")] = b ?? float32(new Float32Array(out * rank), out, rank);
  }
  return feeds;
}

/** Caches without entries, for a run that has nothing before it. */
function emptyCaches(config: ModelConfig, rows: number): HostTensors {
  const { numHiddenLayers, numKeyValueHeads: kv, headDim } = config;
  const empty = (of: number) => float32(new Float32Array(0), of, kv, 0, headDim);
  const layers = Array.from({ length: numHiddenLayers }, (_, layer) => layer);
  return Object.fromEntries(
    layers.flatMap((layer) =>
      (["key", "value"] as const).flatMap((part) => [
        [`shared_${part}.${layer}`, empty(1)],
        [`past_${part}.${layer}`, empty(rows)],
      ]),
    ),
  );
}

/** Names on disk of the weights of a block. */
function layerNames(config: ModelConfig, layer: number): string[] {
  const prefix = `layers.${layer}.`;
  const linears = [...linearShapes(config).keys()].filter((path) => path.startsWith(prefix));
  const norms = ["input_layernorm", "post_attention_layernorm"].map((norm) => `${prefix}${norm}`);
  return [...norms, ...linears].map((path) => `model.${path}.weight`);
}

/** Bytes of the packed ones. */
function storedBytes(weights: ReadonlyMap<string, Weight>): number {
  const packed = [...weights.values()].filter(({ kind }) => kind === "packed");
  return packed.reduce((sum, weight) => sum + weightBytes(weight), 0);
}
