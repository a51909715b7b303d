/** The router objective: the router says z's span and then the one after it. MiniHF train_vae_router.py. */
import type { ShardRow } from "../../data/index.js";
import type { Rng } from "../../rng.js";
import { float32, type HostTensors } from "../../runtime/runtime.js";
import { routerLoss, routerParameterShapes, type VaeFeed, type VaeShape } from "../../vae/loss.js";
import { FlatTensors } from "../loop/flatTensors.js";
import type { Microbatch, Objective } from "../loop/objective.js";
import { dropoutFeeds, initialiseLora } from "./adapters.js";
import type { RowOrder } from "./rowOrder.js";
import {
  batchShape,
  droppedPrefixes,
  type Feeds,
  jittered,
  keptFirst,
  shuffledLatents,
  type VaeExample,
  vaeFeeds,
  weighted,
} from "./vaeFeeds.js";

export interface RouterOptions {
  shape: VaeShape;
  /** Weights of the base, the encoder and the head, rotary tables. */
  frozen: HostTensors;
  /** Rows of `contextLength` tokens. */
  rows: RowOrder;
  contextLength: number;
  /** Tokens of a span, s. */
  span: number;
  /** Context lengths are multiples of this, so that few graphs serve; 1 in the original. */
  indexStep: number;
  /** Does not count where it is the first token of a target: what z says does not begin with the end of a text. The original has no such rule. */
  endId?: number | undefined;
  noiseScale: number;
  /** Whether each row is written from the z of another one: to see how much z is used. */
  shuffled?: boolean;
  rng: Rng;
}

/** The objective with a fresh router; a run that starts from a decoder's weights sets them afterwards. */
export function routerObjective(options: RouterOptions): Objective {
  const { shape, rng } = options;
  const parameters = new FlatTensors(routerParameterShapes(shape));
  initialiseLora(parameters, shape.config, "router", shape.writer, rng);
  return { parameters, frozen: options.frozen, microbatch: routerBatches(options) };
}

/** The microbatches of the rows, without parameters of their own. */
export function routerBatches(options: RouterOptions): Objective["microbatch"] {
  const { shape, rows, span, contextLength, indexStep, rng } = options;
  return async (step, index) => {
    const batch = await rows.batch(step, index);
    const noise = rng.fork("router", step, index);
    const at = noise.integer(Math.floor((contextLength - 2 * span - 1) / indexStep) + 1) * indexStep;
    const drops = droppedPrefixes(batch.length, 0.5, noise.fork("drop"));
    const cut = keptFirst(batch.map((row, i) => routerExample(row, at, span, drops[i]!)));
    const examples = jittered(shape, cut, noise.fork("jitter"));
    const eps = noise.fork("eps").normals(batch.length * shape.zDim);
    const read = options.shuffled ? shuffledLatents(examples) : examples;
    const { feeds, ...rest } = routerMicrobatch(options, read, eps);
    return { ...rest, feeds: { ...feeds, ...dropoutFeeds(shape, batchShape(examples), ["router"], noise) } };
  };
}

/** One run of the router loss. eps [B, Z] in the order of the examples. */
export function routerMicrobatch(
  { shape, noiseScale, endId }: Pick<RouterOptions, "shape" | "noiseScale" | "endId">,
  examples: readonly VaeExample[],
  eps: Float32Array,
): Microbatch {
  const batch = batchShape(examples);
  const weights = Float32Array.from(
    examples.flatMap(({ target: { inputIds, attentionMask } }) =>
      Array.from(attentionMask, (seen, i) => (i === 0 && inputIds[0] === endId ? 0 : seen)),
    ),
  );
  const counted = weighted(weights);
  const feeds: Feeds<VaeFeed> = {
    ...vaeFeeds(shape, examples, "router", 0),
    eps: float32(eps, examples.length, shape.zDim),
    noise_scale: float32(Float32Array.of(noiseScale)),
    ...counted.feeds,
  };
  return {
    ...counted,
    shapeKey: `router ${Object.values(batch).join()} ${shape.packing?.name}`,
    graph: () => routerLoss(shape, batch),
    feeds,
  };
}

/** Context row[:at], z of row[at : at + span], target row[at : at + 2 span]. */
export function routerExample(
  { inputIds, attentionMask }: ShardRow,
  at: number,
  span: number,
  drop: boolean,
): VaeExample {
  const part = (start: number, end: number) => ({
    inputIds: inputIds.subarray(start, end),
    attentionMask: attentionMask.subarray(start, end),
  });
  return {
    prefix: drop || at === 0 ? undefined : part(0, at),
    encoded: part(at, at + span),
    target: part(at, at + 2 * span),
  };
}
