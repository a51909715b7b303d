/** Sessions of the engine, made at first use and kept: one for encoding, one for writing per adapter, one for w_d, one for means of hidden states. */
import { input, type PackedFormat, type StoredData, type Value } from "../graph/index.js";
import { baseLinear, type Frozen, type Linear, loraName, makeParameter, mergedWeight } from "../model/lora.js";
import { pooledGraph, poolingGraph } from "../model/pooled.js";
import { ropeTables } from "../model/rope.js";
import { linearShapes } from "../model/weights.js";
import { float32, type HostTensor, type HostTensors, type Runtime, type Session } from "../runtime/runtime.js";
import { encoderGraph } from "../vae/encoder.js";
import { latentEmbeddings, pool } from "../vae/head.js";
import { ropeSteps } from "../vae/rowLayout.js";
import { writerGraph } from "../vae/writer.js";
import { type Adapter, headShape, type VaeAdapters } from "./adapters.js";
import type { BaseModel } from "./baseModel.js";
import { inputSizes, int8Packing } from "./int8.js";
import { Trunk } from "./trunk.js";
import type { ImageStore } from "./trunkParts.js";

/**
 * "merged": each session is the whole model, a packed copy of the weights with the adapter in them; faster, and one copy of memory per adapter.
 * "unmerged": all sessions are one trunk, which computes the adapter beside the base; the only form of a packed base.
 */
export type AdapterForm = "merged" | "unmerged";

/** Which weights write: those of the adapter of that name, or the base's own ("base"). */
export type WriterName = string;

/** Key of the session whose rows have adapters of their own; no adapter has such a name. */
const ROW_WRITER = "of rows";

/** A session and what is fed to it at every run. */
export interface BoundSession {
  session: Session;
  weights: HostTensors;
  /** Rows of the rotary tables for each position. */
  ropeSteps: number;
}

export class Sessions {
  readonly #made = new Map<string, Promise<BoundSession>>();
  #trunk: Promise<Trunk> | undefined;
  /** The session that is being made: one at a time, since copies of the weights lie beside it meanwhile. */
  #making: Promise<unknown> = Promise.resolve();
  readonly #rope: HostTensors;
  /** Rows of the rotary tables for each position. */
  readonly ropeSteps: number;

  constructor(
    readonly runtime: Runtime,
    readonly base: BaseModel,
    readonly vae: VaeAdapters | undefined,
    readonly form: AdapterForm,
    /** Positions 0..maxPositions-1 can be used. */
    readonly maxPositions: number,
    readonly images?: ImageStore,
    /** Token ids: merged sessions compute their linear layers in int8, balanced by how these are read. */
    readonly int8Sample?: readonly number[],
  ) {
    this.ropeSteps = ropeSteps(vae?.slots ?? 1);
    const { cos, sin } = ropeTables(base.config, maxPositions, this.ropeSteps);
    const half = base.config.headDim / 2;
    const rows = maxPositions * this.ropeSteps;
    this.#rope = { rope_cos: float32(cos, rows, half), rope_sin: float32(sin, rows, half) };
  }

  /** Makes now what else is made at first use, where that reads the weights: a file that is wrong shows when it is opened. */
  async prepare(): Promise<void> {
    if (this.base.weights.quant !== "none") await this.#openTrunk();
  }

  encoder(): Promise<BoundSession> {
    const adapter = this.vae!.adapters.encoder;
    return this.#once("encoder", async () => {
      const shape = headShape(this.vae!);
      if (this.form === "merged")
        return this.#whole(adapter, (linear, frozen) => encoderGraph({ ...shape, ...frozen }, linear));
      const trunk = await this.#openTrunk();
      const pooling = await this.#head((frozen) => {
        const hidden = input("hidden", ["B", "T", this.base.config.hiddenSize]);
        const { weights, mean, logVariance } = pool(
          { ...shape, ...frozen },
          hidden,
          input("pool_bias", ["B", shape.slots ?? 1, "T"]),
        );
        return { mean, slot_weights: weights, ...(logVariance ? { log_variance: logVariance } : {}) };
      });
      return trunk.pooled(adapter, pooling);
    });
  }

  /** The mean of the base's own hidden states (model/pooled). */
  pooled(): Promise<BoundSession> {
    return this.#once("pooled", async () => {
      if (this.form === "merged") return this.#whole(undefined, (linear, frozen) => pooledGraph(frozen, linear));
      const trunk = await this.#openTrunk();
      return trunk.pooled(undefined, await this.#head(poolingGraph));
    });
  }

  writer(name: WriterName): Promise<BoundSession> {
    const adapter = name === "base" ? undefined : this.vae!.adapters[name]!;
    return this.#once(name, async () =>
      this.form === "merged"
        ? this.#whole(adapter, (linear, frozen) => writerGraph(frozen, linear))
        : (await this.#openTrunk()).writer(adapter),
    );
  }

  /** Writes by another adapter in each row, beside the base whatever the form: what it is fed names them. */
  rowWriter(): Promise<BoundSession> {
    return this.#once(ROW_WRITER, async () => (await this.#openTrunk()).rowWriter());
  }

  /** w_d alone: input z [B, Z], output embeddings [B, k, D]. */
  latentEmbeddings(): Promise<BoundSession> {
    const shape = headShape(this.vae!);
    return this.#once("w_d", () =>
      this.#head((frozen) => ({
        embeddings: latentEmbeddings({ ...shape, ...frozen }, input("z", ["B", shape.zDim])),
      })),
    );
  }

  /** Frees all sessions; the next use makes them anew. */
  async release(): Promise<void> {
    const made = await Promise.allSettled(this.#made.values());
    this.#made.clear();
    for (const each of made) if (each.status === "fulfilled") await each.value.session.release();
    const trunk = await this.#trunk?.catch(() => undefined);
    this.#trunk = undefined;
    await trunk?.release();
  }

  #openTrunk(): Promise<Trunk> {
    if (!this.#trunk) {
      const { runtime, base, images } = this;
      this.#trunk = Trunk.open({ runtime, base, adapted: this.vae !== undefined, ...(images ? { images } : {}) });
      this.#trunk.catch(() => (this.#trunk = undefined));
    }
    return this.#trunk;
  }

  #once(key: string, make: () => Promise<Session>): Promise<BoundSession> {
    let bound = this.#made.get(key);
    if (!bound) {
      const { ropeSteps } = this;
      bound = this.#making.then(async () => ({ session: await make(), weights: this.#rope, ropeSteps }));
      this.#made.set(key, bound);
      this.#making = bound.catch(() => this.#made.delete(key));
    }
    return bound;
  }

  /** A graph without linear layers of the base, as one session that stores the weights it reaches. */
  #head(graph: (frozen: Frozen) => Record<string, Value>): Promise<Session> {
    const { base, runtime } = this;
    const tensors = { ...base.weights.tensors, ...this.vae?.head };
    const outputs = graph({ config: base.config, parameter: makeParameter() });
    return runtime.createSession(outputs, { stored: dataOf(tensors) });
  }

  /** A graph of the base as one session that stores the weights it reaches, with the adapter merged into them; its products in int8 where that was chosen. */
  async #whole(
    adapter: Adapter | undefined,
    graph: (linear: Linear, frozen: Frozen) => Record<string, Value>,
  ): Promise<Session> {
    const { base, runtime, int8Sample } = this;
    const { config } = base;
    const merged = adapter ? await mergeAdapter(runtime, base, adapter) : {};
    const tensors = { ...base.weights.tensors, ...this.vae?.head, ...merged };
    const stored = dataOf(tensors);
    const frozen: Frozen = { config, parameter: makeParameter() };
    if (int8Sample) {
      const sizes = await inputSizes(runtime, { config, tensors }, int8Sample);
      const pack = int8Packing(config, sizes, (name) => tensors[name]!.data as Float32Array, false);
      const formats = new Map<string, PackedFormat | undefined>();
      // A graph asks more than once for what it reaches.
      frozen.packing = (name) => {
        if (formats.has(name)) return formats.get(name);
        const stack = pack(name);
        for (const [part, { data }] of Object.entries(stack?.tensors ?? {})) stored.set(part, data as StoredData);
        formats.set(name, stack?.format);
        return stack?.format;
      };
    }
    const outputs = graph(baseLinear(frozen), frozen);
    return runtime.createSession(outputs, { stored });
  }
}

function dataOf(tensors: HostTensors): Map<string, StoredData> {
  return new Map(Object.entries(tensors).map(([name, { data }]) => [name, data as StoredData]));
}

/** Every adapted weight with its adapter merged in: name on disk -> values. One small session per shape. */
async function mergeAdapter(
  runtime: Runtime,
  base: BaseModel,
  { role, shape, tensors }: Adapter,
): Promise<HostTensors> {
  const sessions = new Map<string, Session>();
  const merged: Record<string, HostTensor> = {};
  try {
    for (const [path, [out, width]] of linearShapes(base.config)) {
      const [a, b] = [tensors[loraName(role, path, "A")], tensors[loraName(role, path, "B")]];
      if (!a || !b) continue;
      const key = `${out}x${width}`;
      let session = sessions.get(key);
      if (!session) {
        const inputs = [
          input("weight", [out, width]),
          input("a", [shape.rank, width]),
          input("b", [out, shape.rank]),
        ] as const;
        const graph = { merged: mergedWeight(...inputs, shape) };
        sessions.set(key, (session = await runtime.createSession(graph)));
      }
      const weight = base.weights.tensor(`model.${path}.weight`);
      merged[`model.${path}.weight`] = (await session.run({ weight, a, b })).merged!;
    }
    return merged;
  } finally {
    for (const session of sessions.values()) await session.release();
  }
}
