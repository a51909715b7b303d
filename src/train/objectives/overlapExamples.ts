/** How the overlap objective cuts its examples: spans from rows of two spans, and short texts whole. */
import type { ShardRow } from "../../data/index.js";
import type { Rng } from "../../rng.js";
import type { RowOrder } from "./rowOrder.js";
import type { ShortTexts } from "./shortTexts.js";
import { droppedPrefixes, keptFirst, type VaeExample } from "./vaeFeeds.js";

/** How spans are cut from rows. */
export interface SpanCuts {
  /** Rows of 2 * span tokens. */
  rows: RowOrder;
  /** Tokens of a span, c. */
  span: number;
  /** Share of rows whose prefix is dropped; 0.5 in the original. */
  dropPrefix: number;
  /** Whether a target without prefix starts anywhere in its row, so that a row serves many times; always in its middle in the original. */
  shiftedSpans: boolean;
  /** Whether the encoder reads the last token of a span, as it does in use; it does not in the original. */
  encodeLast: boolean;
  /** Whether a dropped prefix keeps its last position, masked, which predicts the first token, as in the original. */
  maskedPrefix: boolean;
  /** Share of the microbatches of spans whose spans are a half or a quarter as long; 0 in the original. */
  shortSpans: number;
}

/** What a span's length is weighed against: a full microbatch of rows. */
type Work = Pick<SpanCuts, "rows" | "span"> & { slots?: number };

/** Spans of the rows of a microbatch: one of each row, or several short ones. */
export async function spanExamples(
  options: SpanCuts & Work,
  step: number,
  index: number,
  noise: Rng,
): Promise<VaeExample[]> {
  const { rows, span, shiftedSpans, dropPrefix, encodeLast, maskedPrefix } = options;
  const batch = await rows.batch(step, index);
  const length = spanLength(options, noise.fork("length"));
  const drops = droppedPrefixes(batch.length, dropPrefix, noise.fork("drop"));
  const starts = noise.fork("start");
  // Only spans that may start anywhere are different ones when a row is cut several times.
  const count = shiftedSpans && dropPrefix === 1 ? rowsOfLength(options, length) : batch.length;
  return keptFirst(
    Array.from({ length: count }, (_, i) => {
      const row = batch[i % batch.length]!;
      const drop = drops[i % batch.length]!;
      const start = shiftedSpans && drop ? starts.integer(2 * span - length + 1) : span;
      return overlapExample(row, span, { drop, start, length, encodeLast, maskedPrefix });
    }),
  );
}

/** Tokens of the spans of this microbatch: a span, or a half or a quarter of one. */
function spanLength({ shortSpans, span }: SpanCuts, noise: Rng): number {
  if (noise.uniform() >= shortSpans) return span;
  return Math.ceil(span / (noise.uniform() < 0.5 ? 2 : 4));
}

/** Rows of a microbatch of shorter texts that are as much work as `batchSize` spans: each is read twice, and its slots once. */
function rowsOfLength({ rows, span, slots = 1 }: Work, length: number): number {
  const work = (tokens: number) => 2 * tokens + slots;
  return Math.max(1, Math.floor((rows.batchSize * work(span)) / work(length)));
}

/** Whole texts of like length, without a prefix. */
export function sentenceExamples(texts: ShortTexts, options: Work, noise: Rng): VaeExample[] {
  const drawn = drawnSentences(texts, options, noise);
  return drawn.texts.map((ids) => textExample(ids, drawn.length, texts.endId));
}

/** The texts of a microbatch, and the tokens that each is padded to. */
export function drawnSentences(texts: ShortTexts, options: Work, noise: Rng): { length: number; texts: Int32Array[] } {
  return texts.draw(noise.fork("texts"), (length) => rowsOfLength(options, length));
}

/** A text with its end token as the target, padded to `length`; the end token is not encoded. */
export function textExample(ids: Int32Array, length: number, endId: number): VaeExample {
  const padded = (count: number, seen: number) => {
    const inputIds = new Int32Array(count).fill(endId);
    inputIds.set(ids.subarray(0, count));
    return { inputIds, attentionMask: new Int32Array(count).fill(1, 0, seen) };
  };
  return { encoded: padded(length - 1, ids.length), prefix: undefined, target: padded(length, ids.length + 1) };
}

/** How an example is cut from a row. */
interface Cut {
  /** Whether it has no prefix. */
  drop: boolean;
  /** First token of the target; the second half of the row by default. */
  start?: number;
  /** Tokens of the target; a span by default. */
  length?: number;
  /** Whether the encoder reads the last token too. */
  encodeLast?: boolean;
  /** Whether a dropped prefix keeps its last position, masked. */
  maskedPrefix?: boolean;
}

/** An example of a row of two spans: the first is the prefix, the target is cut from the second, or from both without prefix. */
export function overlapExample(
  { inputIds, attentionMask }: ShardRow,
  span: number,
  { drop, start = span, length = span, encodeLast = false, maskedPrefix = false }: Cut,
): VaeExample {
  const part = (from: number, to: number) => ({
    inputIds: inputIds.slice(from, to),
    attentionMask: attentionMask.slice(from, to),
  });
  return {
    prefix: drop ? undefined : part(0, span),
    encoded: part(start, start + length - (encodeLast ? 0 : 1)),
    target: part(start, start + length),
    ...(drop && maskedPrefix ? { maskedPrefix: DROPPED_TOKEN } : {}),
  };
}

/** The original multiplies the ids of a dropped prefix by its mask, which makes them token 0. */
const DROPPED_TOKEN = 0;
