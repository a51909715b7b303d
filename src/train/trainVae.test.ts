/** How examples are cut from rows of two spans. */
import { expect, it } from "vitest";
import { tinyConfig } from "../../test/train/tiny.js";
import { Rng } from "../rng.js";
import { RowOrder } from "./rowOrder.js";
import { overlapBatches, overlapExample } from "./trainVae.js";

const SPAN = 16;
const EOS = 999;
/** Tokens are numbered, so that what is cut where can be read off. */
const rowOf = (first: number) => ({
  inputIds: Int32Array.from({ length: 2 * SPAN }, (_, i) => first + i),
  attentionMask: new Int32Array(2 * SPAN).fill(1),
});
const lora = { rank: 2, alpha: 2, targets: ["self_attn.q_proj"] };

function batches(changes: Partial<Parameters<typeof overlapBatches>[0]>, batchSize = 8) {
  const rng = Rng.fromSeed("cuts");
  const source = { rowCount: 64, row: async (index: number) => rowOf(100 * index) };
  return overlapBatches({
    shape: { config: tinyConfig(50), zDim: 4, encoder: lora, writer: lora },
    frozen: {},
    rows: new RowOrder(source, batchSize, 1, rng),
    span: SPAN,
    gap: 0,
    klWeight: 0,
    klRampSteps: 1,
    noiseScale: 1,
    dropPrefix: 0.5,
    shiftedSpans: false,
    encodeLast: false,
    shortSpans: 0,
    edgeWeights: false,
    tokenizer: { eosId: EOS },
    rng,
    ...changes,
  });
}

/** Encoded ids and targets of one microbatch, by row. */
async function cuts(changes: Parameters<typeof batches>[0], step: number, batchSize = 8) {
  const { feeds } = await batches(changes, batchSize)(step, 0);
  const rowsOf = (name: string) => {
    const values = Array.from(feeds[name]!.data as BigInt64Array, Number);
    const width = values.length / batchSize;
    return Array.from({ length: batchSize }, (_, row) => values.slice(row * width, (row + 1) * width));
  };
  return { encoded: rowsOf("encoder_ids"), targets: rowsOf("labels"), feeds };
}

const consecutive = (ids: readonly number[]) => ids.every((id, i) => id === ids[0]! + i);

it("as the original: the second half is the target, and the encoder reads all of it but its last token", async () => {
  const { encoded, targets } = await cuts({}, 1);
  for (const [i, target] of targets.entries()) {
    expect(target[0]! % 100).toBe(SPAN);
    expect(encoded[i]).toEqual(target.slice(0, -1));
  }
});

it.each([
  [0, [8, 0]],
  [0.25, [6, 2]],
  [0.5, [4, 4]],
  [1, [0, 8]],
])("drops the prefix of its share of the rows: %d", async (dropPrefix, [kept, dropped]) => {
  const { feeds } = await cuts({ dropPrefix }, 1);
  expect(feeds.kept_positions?.shape[0] ?? 0).toBe(kept);
  expect(feeds.dropped_positions?.shape[0] ?? 0).toBe(dropped);
});

it("drops a fraction of a row at its rate", async () => {
  const counts = await Promise.all(
    Array.from({ length: 400 }, async (_, step) => {
      const { feeds } = await cuts({ dropPrefix: 0.25 }, step + 1, 1);
      return feeds.dropped_positions ? 1 : 0;
    }),
  );
  // A binomial of 400 at 0.25 lies within four standard deviations.
  expect(Math.abs(counts.reduce<number>((sum, count) => sum + count, 0) - 100)).toBeLessThan(35);
});

it("shifts spans without prefix over their whole row, and never those with one", async () => {
  const starts = new Set<number>();
  for (let step = 1; step <= 20; step++) {
    const { targets } = await cuts({ shiftedSpans: true }, step);
    // Rows with a prefix come first.
    for (const target of targets.slice(0, 4)) expect(target[0]! % 100).toBe(SPAN);
    for (const target of targets.slice(4)) {
      expect(consecutive(target) && target.length === SPAN).toBe(true);
      starts.add(target[0]! % 100);
    }
  }
  expect(Math.min(...starts)).toBe(0);
  expect(Math.max(...starts)).toBe(SPAN);
});

it("reads the last token where that is asked for", async () => {
  const whole = await cuts({ encodeLast: true }, 1);
  expect(whole.encoded).toEqual(whole.targets);
});

it("short spans have every length, end with an end token that is not read, and count up to it", async () => {
  const lengths = new Set<number>();
  for (let step = 1; step <= 40; step++) {
    const { targets, encoded, feeds } = await cuts({ encodeLast: true, shortSpans: 1 }, step);
    const width = targets[0]!.length;
    const weights = feeds.token_weights!.data as Float32Array;
    const mask = feeds.encoder_mask!.data as Float32Array;
    expect(width % 8).toBe(0);
    for (const [i, target] of targets.entries()) {
      const end = target.indexOf(EOS);
      lengths.add(end);
      expect(encoded[i]!.slice(0, end)).toEqual(target.slice(0, end));
      const counted = Array.from(weights.subarray(i * width, (i + 1) * width));
      expect(counted).toEqual(target.map((_, t) => (t <= end ? 1 : 0)));
      const read = Array.from(mask.subarray(i * (width - 1), (i + 1) * (width - 1)), (value) => value === 0);
      expect(read).toEqual(encoded[i]!.map((_, t) => t < end));
    }
  }
  expect([...lengths].sort((a, b) => a - b)).toEqual(Array.from({ length: SPAN - 1 }, (_, i) => i + 1));
});

it("leaves the row itself as it is", () => {
  const row = rowOf(0);
  overlapExample(row, SPAN, { drop: true, length: 8, seen: 5, endId: EOS });
  expect(row).toEqual(rowOf(0));
});

it("shuffled: every target is written from the span of another row", async () => {
  const plain = await cuts({}, 1);
  const shuffled = await cuts({ shuffled: true }, 1);
  expect(shuffled.targets).toEqual(plain.targets);
  for (const [i, ids] of shuffled.encoded.entries()) expect(ids).toEqual(plain.encoded[(i + 1) % 8]);
});

it("measures a sliding window in positions, so that z is out of sight behind the gap as it is when it writes", async () => {
  const config = { ...tinyConfig(50), slidingWindow: 10 };
  const shape = { config, zDim: 4, encoder: lora, writer: lora };
  const { feeds } = await batches({ shape, gap: 8, dropPrefix: 1 }, 1)(1, 0);
  const mask = feeds.dropped_mask!.data as Float32Array;
  // Column 0 is z, at position 0; row t is at position t + 8, and sees what is less than 10 behind it.
  const seesLatent = Array.from({ length: SPAN }, (_, t) => mask[t * SPAN] === 0);
  expect(seesLatent).toEqual([true, true, ...Array(SPAN - 2).fill(false)]);
});
