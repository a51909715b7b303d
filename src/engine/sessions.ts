/** Sessions of the engine, made at first use and kept: one for encoding, one for writing per adapter, one for w_d. */
import { input, type OnnxModel, toOnnx, type Value } from "../graph/index.js";
import {
  baseLinear,
  type Linear,
  loraLinear,
  loraName,
  makeParameter,
  mergedWeight,
  type Parameter,
} from "../model/lora.js";
import { ropeTables } from "../model/rope.js";
import { linearShapes } from "../model/weights.js";
import { float32, type HostTensor, type HostTensors, type Runtime, type Session } from "../runtime/runtime.js";
import { encoderGraph } from "../vae/encoder.js";
import { latentEmbeddings } from "../vae/head.js";
import { ropeSteps } from "../vae/rowLayout.js";
import { writerGraph } from "../vae/writer.js";
import { type Adapter, headShape, type VaeAdapters } from "./adapters.js";
import type { BaseModel } from "./baseModel.js";

/**
 * "merged": the session holds a packed copy of the weights with the adapter in them; faster, and one copy of memory per adapter.
 * "unmerged": all sessions read the one base, and compute the adapter beside it.
 */
export type AdapterForm = "merged" | "unmerged";

/** Which weights write: those of the adapter of that name, or the base's own ("base"). */
export type WriterName = string;

/** A session and what is fed to it at every run. */
export interface BoundSession {
  session: Session;
  weights: HostTensors;
  /** Rows of the rotary tables for each position. */
  ropeSteps: number;
}

export class Sessions {
  readonly #made = new Map<string, Promise<BoundSession>>();
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
  ) {
    this.ropeSteps = ropeSteps(vae?.slots ?? 1);
    const { cos, sin } = ropeTables(base.config, maxPositions, this.ropeSteps);
    const half = base.config.headDim / 2;
    const rows = maxPositions * this.ropeSteps;
    this.#rope = { rope_cos: float32(cos, rows, half), rope_sin: float32(sin, rows, half) };
  }

  encoder(): Promise<BoundSession> {
    const { config } = this.base;
    return this.#once("encoder", this.vae!.adapters.encoder, (linear, parameter) =>
      encoderGraph({ ...headShape(this.vae!), config, parameter }, linear),
    );
  }

  writer(name: WriterName): Promise<BoundSession> {
    const adapter = name === "base" ? undefined : this.vae!.adapters[name]!;
    return this.#once(name, adapter, (linear, parameter) => writerGraph(this.base.config, parameter, linear));
  }

  /** w_d alone: input z [B, Z], output embeddings [B, k, D]. */
  latentEmbeddings(): Promise<BoundSession> {
    const { config } = this.base;
    const shape = headShape(this.vae!);
    return this.#once("w_d", undefined, (_linear, parameter) => ({
      embeddings: latentEmbeddings({ ...shape, config, parameter }, input("z", ["B", shape.zDim])),
    }));
  }

  /** Frees all sessions; the next use makes them anew. */
  async release(): Promise<void> {
    const made = await Promise.all(this.#made.values());
    this.#made.clear();
    for (const { session } of made) await session.release();
  }

  #once(
    key: string,
    adapter: Adapter | undefined,
    graph: (linear: Linear, parameter: Parameter) => Record<string, Value>,
  ) {
    let bound = this.#made.get(key);
    if (!bound) {
      bound = this.#making.then(() => this.#make(adapter, graph));
      this.#made.set(key, bound);
      this.#making = bound.catch(() => this.#made.delete(key));
    }
    return bound;
  }

  async #make(
    adapter: Adapter | undefined,
    graph: (linear: Linear, parameter: Parameter) => Record<string, Value>,
  ): Promise<BoundSession> {
    const { config, weights } = this.base;
    const { ropeSteps } = this;
    const parameter = makeParameter();
    const all = { ...weights, ...this.vae?.head, ...adapter?.tensors, ...this.#rope };
    if (this.form === "unmerged") {
      const linear = adapter
        ? loraLinear(config, parameter, adapter.role, adapter.shape)
        : baseLinear(config, parameter);
      return { session: await this.runtime.createSession(toOnnx(graph(linear, parameter))), weights: all, ropeSteps };
    }
    const merged = adapter ? await mergeAdapter(this.runtime, this.base, adapter) : {};
    const stored = new Map<string, Float32Array>();
    for (const [name, { data }] of Object.entries({ ...all, ...merged })) {
      if (name.startsWith("model.") || name.startsWith("vae.") || name === "lm_head.weight")
        stored.set(name, data as Float32Array);
    }
    const model = toOnnx(graph(baseLinear(config, parameter), parameter), { stored });
    return { session: await this.runtime.createSession(model), weights: this.#rope, ropeSteps };
  }
}

/** Every adapted weight with its adapter merged in: name on disk -> values. One small session per shape. */
async function mergeAdapter(
  runtime: Runtime,
  base: BaseModel,
  { role, shape, tensors }: Adapter,
): Promise<HostTensors> {
  const sessions = new Map<string, Session>();
  const merged: Record<string, HostTensor> = {};
  for (const [path, [out, width]] of linearShapes(base.config)) {
    const [a, b] = [tensors[loraName(role, path, "A")], tensors[loraName(role, path, "B")]];
    if (!a || !b) continue;
    const key = `${out}x${width}`;
    let session = sessions.get(key);
    if (!session) {
      const graph = mergedWeight(
        input("weight", [out, width]),
        input("a", [shape.rank, width]),
        input("b", [out, shape.rank]),
        shape,
      );
      const model: OnnxModel = toOnnx({ merged: graph });
      sessions.set(key, (session = await runtime.createSession(model)));
    }
    const weight = base.weights[`model.${path}.weight`]!;
    merged[`model.${path}.weight`] = (await session.run({ weight, a, b })).merged!;
  }
  for (const session of sessions.values()) await session.release();
  return merged;
}
