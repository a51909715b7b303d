/** Feeds of the VAE objectives: from rows of tokens to the groups, masks and positions that the graphs of vae/loss take. */
import type { ShardRow } from "../../data/index.js";
import { MASKED } from "../../model/attention.js";
import { causalMasks } from "../../model/causalMask.js";
import { ropeRow } from "../../model/rope.js";
import type { Rng } from "../../rng.js";
import { float32, type HostTensor, int64 } from "../../runtime/runtime.js";
import type { BatchShape, GroupFeed, VaeFeed, VaeShape } from "../../vae/loss.js";
import { poolBias, type RowLayout, ropeSteps, rowLayout } from "../../vae/rowLayout.js";
import type { Microbatch } from "../loop/objective.js";

/** Feeds of a graph by the names of its inputs. */
export type Feeds<Name extends string> = { readonly [K in Name]?: HostTensor };

/** One example: what the encoder reads, and what is written after which prefix. All rows of a batch have the same lengths. */
export interface VaeExample {
  encoded: ShardRow;
  /** Undefined where it is dropped. */
  prefix: ShardRow | undefined;
  target: ShardRow;
  /**
   * In the original the last place of a dropped prefix still predicts the first token of the target, though no token sees
   * it. With this token there the loss is the original's; without it z itself predicts the first token, as when it writes.
   */
  maskedPrefix?: number;
  /** What the length of the encoded text is multiplied by where slots are placed, so that a length that is a little off does little harm; 1 by default. */
  jitter?: number;
}

/** Examples in the order of the graphs: those with a prefix first. */
export function keptFirst(examples: readonly VaeExample[]): VaeExample[] {
  return [...examples.filter(({ prefix }) => prefix), ...examples.filter(({ prefix }) => !prefix)];
}

/**
 * Which rows drop their prefix, spread evenly. The original draws each row (p = 0.5); here a batch has exactly its share, so that
 * batches have one shape and a step less variance. A fraction of a row is drawn.
 */
export function droppedPrefixes(rows: number, share: number, noise: Rng): boolean[] {
  const count = Math.floor(rows * share + noise.uniform());
  return Array.from({ length: rows }, (_, i) => Math.floor(((i + 1) * count) / rows) > Math.floor((i * count) / rows));
}

/** The same targets and prefixes, each with the span of the next example as what is encoded. */
export function shuffledLatents(examples: readonly VaeExample[]): VaeExample[] {
  return examples.map((example, i) => ({ ...example, encoded: examples[(i + 1) % examples.length]!.encoded }));
}

/** Slots are placed as if their text were up to this share longer or shorter. */
export const LENGTH_JITTER = 0.1;

/** The same examples, each with a length for its slots that is a little off; a single slot has no length. */
export function jittered({ slots = 1 }: VaeShape, examples: readonly VaeExample[], rng: Rng): readonly VaeExample[] {
  if (slots === 1) return examples;
  return examples.map((example) => ({ ...example, jitter: 1 + LENGTH_JITTER * (2 * rng.uniform() - 1) }));
}

/** Shape of a batch in the order of `keptFirst`; its prefix is 0 tokens where all are dropped. */
export function batchShape(examples: readonly VaeExample[]): BatchShape {
  const kept = examples.filter(({ prefix }) => prefix);
  return {
    kept: kept.length,
    dropped: examples.length - kept.length,
    prefix: kept[0]?.prefix?.inputIds.length ?? 0,
    maskedPrefix: examples.at(-1)!.maskedPrefix === undefined ? 0 : 1,
    encoded: examples[0]!.encoded.inputIds.length,
    target: examples[0]!.target.inputIds.length,
  };
}

/** Feeds for encoder and writer; a target whose prefix is dropped stands `gap` positions behind that of z. */
export function vaeFeeds(
  shape: VaeShape,
  examples: readonly VaeExample[],
  writer: "decoder" | "router",
  gap: number,
): Feeds<VaeFeed> {
  const batch = batchShape(examples);
  const labels = examples.flatMap(({ target }) => Array.from(target.inputIds));
  const group = { shape, writer };
  return {
    ...encoderFeeds(shape, examples, batch.encoded),
    ...groupFeeds({ ...group, name: "kept", before: batch.prefix, gap: 0 }, examples.slice(0, batch.kept)),
    ...groupFeeds({ ...group, name: "dropped", before: batch.maskedPrefix, gap }, examples.slice(batch.kept)),
    labels: int64(labels, labels.length),
  };
}

/** What bears the loss: the tokens' weights and 1 / their sum, or 0 where no token counts, so that such a microbatch changes nothing. */
export function weighted(weights: Float32Array): Pick<Microbatch, "weight" | "tokens"> & { feeds: Feeds<VaeFeed> } {
  const weight = weights.reduce((total, value) => total + value, 0);
  const feeds = {
    token_weights: float32(weights, weights.length),
    inverse_weight_sum: float32(Float32Array.of(weight > 0 ? 1 / weight : 0)),
  };
  return { feeds, weight, tokens: weights.length };
}

function encoderFeeds({ slots = 1 }: VaeShape, examples: readonly VaeExample[], time: number): Feeds<VaeFeed> {
  const rows = examples.length;
  const steps = ropeSteps(slots);
  const ids = examples.flatMap(({ encoded }) => Array.from(encoded.inputIds));
  const mask = Float32Array.from(
    examples.flatMap(({ encoded }) => Array.from(encoded.attentionMask)),
    (seen) => (seen ? 0 : MASKED),
  );
  const bias = new Float32Array(rows * slots * time);
  for (const [row, { encoded }] of examples.entries())
    bias.set(poolBias(slots, encoded.attentionMask), row * slots * time);
  return {
    encoder_ids: int64(ids, ids.length),
    encoder_mask: float32(mask, rows, 1, 1, time),
    encoder_positions: int64(
      Array.from({ length: rows * time }, (_, i) => (i % time) * steps),
      rows,
      time,
    ),
    pool_bias: float32(bias, rows, slots, time),
  };
}

/** Rows of a batch that read as many tokens before their text. */
interface Group {
  name: "kept" | "dropped";
  shape: VaeShape;
  writer: "decoder" | "router";
  before: number;
  gap: number;
}

function groupFeeds({ name, shape, writer, before, gap }: Group, examples: readonly VaeExample[]): Feeds<VaeFeed> {
  if (examples.length === 0) return {};
  const { config, slots = 1 } = shape;
  const rows = examples.map(({ prefix, target, maskedPrefix, encoded, jitter = 1 }) => {
    const length = countSeen(encoded.attentionMask) * jitter;
    const layout = rowLayout(writer, { slots, before, gap, length });
    const tokens = joinRows(prefix ?? maskedPrefixRow(maskedPrefix), target);
    const last = tokens.inputIds.length - 1;
    const text = target.inputIds.subarray(0, -1);
    return {
      ids: tokens.inputIds.subarray(0, last),
      seen: withSlots(tokens.attentionMask.subarray(0, last), layout, slots),
      positions: withSlots([...layout.before, ...Array.from(text, (_, i) => layout.first + i)], layout, layout.slots),
    };
  });
  const time = rows[0]!.positions.length;
  const fold = config.numAttentionHeads / config.numKeyValueHeads;
  const ids = rows.flatMap((row) => Array.from(row.ids));
  const steps = ropeSteps(slots);
  const positions = rows.flatMap((row) => row.positions.map((position) => ropeRow(position, steps)));
  const feeds: Record<GroupPart, HostTensor> = {
    ids: int64(ids, ids.length),
    positions: int64(positions, rows.length, time),
    mask: float32(causalMasks(config, rows), rows.length, 1, fold * time, time),
  };
  const named = Object.entries(feeds).map(([part, feed]) => [`${name}_${part as GroupPart}` satisfies GroupFeed, feed]);
  return Object.fromEntries(named);
}

/** "kept_ids" without its group. */
type GroupPart = GroupFeed extends `${string}_${infer Part}` ? Part : never;

function countSeen(mask: Int32Array): number {
  return mask.reduce((sum, seen) => sum + seen, 0);
}

/** A token that is read and not seen. */
function maskedPrefixRow(maskedPrefix: number | undefined): ShardRow | undefined {
  return maskedPrefix === undefined
    ? undefined
    : { inputIds: Int32Array.of(maskedPrefix), attentionMask: Int32Array.of(0) };
}

function joinRows(prefix: ShardRow | undefined, target: ShardRow): ShardRow {
  if (!prefix) return target;
  return {
    inputIds: Int32Array.of(...prefix.inputIds, ...target.inputIds),
    attentionMask: Int32Array.of(...prefix.attentionMask, ...target.attentionMask),
  };
}

/** Values of the tokens that are read, with those of the slots in their place: [k] of them, or so many ones. */
function withSlots(tokens: ArrayLike<number>, { slotsAt }: RowLayout, slots: number | readonly number[]): number[] {
  const ofSlots = typeof slots === "number" ? new Array<number>(slots).fill(1) : slots;
  const all = Array.from(tokens);
  return [...all.slice(0, slotsAt), ...ofSlots, ...all.slice(slotsAt)];
}
