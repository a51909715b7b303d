/**
 * The base once, with an adapter beside every linear layer that is fed at each run: one copy of the weights for all adapters. Packed weights are stored in
 * sessions of some consecutive blocks, made one after another, so that a large base is never in memory twice.
 */
import type { PackedFormat, StoredData } from "../graph/index.js";
import { makeParameter } from "../model/lora.js";
import { linearShapes } from "../model/weights.js";
import { type HostTensor, type HostTensors, int64, type Runtime, type Session } from "../runtime/runtime.js";
import { type Weight, weightRanges, weightTensors } from "../weights/index.js";
import type { Adapter } from "./adapters.js";
import type { BaseModel } from "./baseModel.js";
import { adapterFeeds } from "./rowAdapters.js";
import { emptyCaches, layerNames, type Part, partGraph, partNames } from "./trunkGraph.js";
import type { ImageStore, PlacedPart } from "./trunkParts.js";

/** Packed bytes of a session at most; the weights of one session are in memory twice while it is made. */
export const SESSION_BYTES = 256e6;

export interface TrunkOptions {
  runtime: Runtime;
  base: BaseModel;
  /** Whether adapters are fed. Without, none are computed. */
  adapted: boolean;
  sessionBytes?: number;
  /** Files of the packed weights; without, they are packed at each load. */
  images?: ImageStore;
}

/** A part of the base as a session, and the dense weights that it is fed. */
interface Segment {
  session: Session;
  weights: HostTensors;
}

export class Trunk {
  private constructor(
    readonly options: TrunkOptions,
    readonly segments: readonly Segment[],
  ) {}

  static async open(options: TrunkOptions): Promise<Trunk> {
    const parts = cut(options);
    const segments: Segment[] = [];
    const trunk = new Trunk(options, segments);
    try {
      for (const part of parts) segments.push(await openSegment(options, part, parts.length === 1));
      return trunk;
    } catch (error) {
      await trunk.release();
      throw error;
    }
  }

  /**
   * Takes the feeds of the writer's graph (vae/writer) and those of an adapter. Returns its outputs and the last hidden states behind the final norm [B, T, D].
   * `signal` is checked between sessions.
   */
  async run(feeds: HostTensors, adapter: HostTensors, signal?: AbortSignal): Promise<Record<string, HostTensor>> {
    const fed: Record<string, HostTensor> = { ...feeds, ...adapter };
    const outputs: Record<string, HostTensor> = {};
    for (const { session, weights } of this.segments) {
      signal?.throwIfAborted();
      Object.assign(outputs, await session.run(Object.assign(fed, weights)));
      fed.embeddings = outputs.hidden!;
    }
    return outputs;
  }

  /** A session that takes the feeds of the writer's graph and gives its outputs. */
  writer(adapter: Adapter | undefined): Session {
    const beside = this.#feedsOf(adapter);
    return { run: (feeds, _into, signal) => this.run(feeds, beside, signal), release: async () => {} };
  }

  /** The same where the feeds say which adapter each row reads by (engine/rowAdapters). */
  rowWriter(): Session {
    return { run: (feeds, _into, signal) => this.run(feeds, {}, signal), release: async () => {} };
  }

  /** A session over whole texts, without caches: `pool` computes its outputs from `hidden`, behind the final norm, and from the feeds. */
  pooled(adapter: Adapter | undefined, pool: Session): Session {
    const { config } = this.options.base;
    const beside = this.#feedsOf(adapter);
    return {
      run: async (feeds, _into, signal) => {
        const [rows, time] = feeds.embeddings!.shape as [number, number, number];
        const nothingBefore = { ...emptyCaches(config, rows), sizes: int64([0, 0, time], 3), selected: int64([], 0) };
        const { hidden } = await this.run({ ...feeds, ...nothingBefore }, beside, signal);
        return pool.run({ ...feeds, hidden: hidden! });
      },
      release: () => pool.release(),
    };
  }

  async release(): Promise<void> {
    for (const { session } of this.segments) await session.release();
  }

  #feedsOf(adapter: Adapter | undefined): HostTensors {
    return this.options.adapted ? adapterFeeds(linearShapes(this.options.base.config), adapter) : {};
  }
}

/** As many blocks a session as its bytes allow; all blocks and the head where they fit into one. */
function cut({ base, sessionBytes = SESSION_BYTES }: TrunkOptions): Part[] {
  const { config, weights } = base;
  const bytesOf = (names: readonly string[]) => names.reduce((sum, name) => sum + weights.storedBytes(name), 0);
  const layers = config.numHiddenLayers;
  const parts: Part[] = [];
  let [begin, bytes] = [0, 0];
  for (let layer = 0; layer < layers; layer++) {
    const own = bytesOf(layerNames(config, layer));
    if (layer > begin && bytes + own > sessionBytes) {
      parts.push({ begin, end: layer, hasHead: false });
      [begin, bytes] = [layer, 0];
    }
    bytes += own;
  }
  const last: Part = { begin, end: layers, hasHead: true };
  const head = bytesOf(partNames(config, { begin: layers, end: layers, hasHead: true }));
  if (bytes + head <= sessionBytes) return [...parts, last];
  return [...parts, { ...last, hasHead: false }, { ...last, begin: layers }];
}

/** Makes the session of a part. Alone it waits for its next run by spinning and keeps its scratch memory; among others it would be in their way. */
async function openSegment(options: TrunkOptions, part: Part, isAlone: boolean): Promise<Segment> {
  const { runtime, base, adapted, images } = options;
  const { config, weights } = base;
  const isStored = (name: string) => !weights.isResident && weights.format(name) !== undefined;
  const read = async () => {
    const packed = new Map<string, Weight>();
    for (const name of partNames(config, part).filter(isStored)) packed.set(name, await weights.read(name));
    return packed;
  };
  const name = part.end > part.begin ? `layers-${part.begin}-${part.end}${part.hasHead ? "-head" : ""}` : "head";
  const placed: PlacedPart = images ? await images.part(name, read) : { weights: await read() };
  const packing = (name: string): PackedFormat | undefined => {
    const weight = placed.weights.get(name);
    return weight && weight.kind !== "dense" ? weight.format : weights.format(name);
  };
  const stored = new Map<string, StoredData>();
  const fed: Record<string, HostTensor> = {};
  for (const name of partNames(config, part).filter((name) => !isStored(name))) {
    Object.assign(fed, weightTensors(name, await weights.read(name)));
  }
  for (const [weightName, weight] of placed.weights) {
    const arrays = weight.kind === "mapped" ? weightRanges(weightName, weight) : storedArrays(weightName, weight);
    for (const [key, data] of Object.entries(arrays)) stored.set(key, data);
  }
  const graph = partGraph({ config, parameter: makeParameter(), packing }, part, adapted);
  const { folder } = placed;
  const session = await runtime.createSession(graph, {
    stored,
    spinning: isAlone,
    keepsMemory: isAlone,
    ...(folder ? { folder } : {}),
  });
  return { session, weights: fed };
}

function storedArrays(name: string, weight: Weight): Record<string, StoredData> {
  const tensors = Object.entries(weightTensors(name, weight));
  return Object.fromEntries(tensors.map(([key, { data }]) => [key, data as StoredData]));
}
