/** How examples are cut from rows of two spans. */
import { describe, expect, it } from "vitest";
import { tinyConfig } from "../../../test/train/tiny.js";
import { Rng } from "../../rng.js";
import { overlapExample } from "./overlapExamples.js";
import { overlapBatches } from "./overlapObjective.js";
import { RowOrder } from "./rowOrder.js";
import { ShortTexts } from "./shortTexts.js";

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
    noise: { scale: 1, start: 1, rampSteps: 1 },
    dropPrefix: 0.5,
    shiftedSpans: false,
    encodeLast: false,
    shortSpans: 0,
    edgeWeights: false,
    rng,
    ...changes,
  });
}

/** Encoded ids and targets of one microbatch, by row. */
async function cuts(changes: Parameters<typeof batches>[0], step: number, batchSize = 8) {
  const { feeds } = await batches(changes, batchSize)(step, 0);
  const rowCount = feeds.encoder_mask!.shape[0]!;
  const rowsOf = (name: string) => {
    const values = Array.from(feeds[name]!.data as BigInt64Array, Number);
    const width = values.length / rowCount;
    return Array.from({ length: rowCount }, (_, row) => values.slice(row * width, (row + 1) * width));
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

it("short spans are a half or a quarter of a span, more of them in as much work, anywhere in their rows", async () => {
  const counts = new Map<number, number>();
  const starts = new Set<number>();
  const changes = { encodeLast: true, shortSpans: 1, shiftedSpans: true, dropPrefix: 1 };
  for (let step = 1; step <= 40; step++) {
    const { targets, encoded } = await cuts(changes, step);
    counts.set(targets[0]!.length, targets.length);
    for (const [i, target] of targets.entries()) {
      expect(consecutive(target)).toBe(true);
      expect(encoded[i]).toEqual(target);
      starts.add(target[0]! % 100);
    }
  }
  // A row of n tokens is read twice and its slot once: floor(8 * 33 / (2 n + 1)).
  expect(Object.fromEntries(counts)).toEqual({ 4: 29, 8: 15 });
  expect(Math.min(...starts)).toBe(0);
  expect(Math.max(...starts)).toBe(2 * SPAN - 4);
});

it("short spans are one of each row where rows keep a prefix", async () => {
  const { targets } = await cuts({ shortSpans: 1, dropPrefix: 0.5 }, 1);
  expect(targets).toHaveLength(8);
});

describe("short texts", () => {
  /** Texts of 1, 2, ... tokens, the first of them packed in rows of 24; the rest of the last row is padding. */
  async function shortTexts(longest: number) {
    const texts = Array.from({ length: 12 }, (_, i) => Array.from({ length: i + 1 }, (_, t) => 100 * (i + 1) + t));
    const packed = texts.flatMap((ids) => [...ids, EOS]);
    const rows = Array.from({ length: Math.ceil(packed.length / 24) }, (_, i) => packed.slice(24 * i, 24 * (i + 1)));
    const pad = (row: number[], value: number) => [...row, ...Array(24 - row.length).fill(value)];
    const source = {
      rowCount: rows.length,
      row: async (i: number) => ({
        inputIds: Int32Array.from(pad(rows[i]!, EOS)),
        attentionMask: Int32Array.from(
          pad(
            rows[i]!.map(() => 1),
            0,
          ),
        ),
      }),
    };
    return { rows, read: await ShortTexts.read(source, EOS, longest) };
  }

  it("are those that end within their row, up to the longest", async () => {
    const { rows, read } = await shortTexts(9);
    const whole = rows.flatMap((row, i) => {
      const ended = row.join(" ").split(` ${EOS}`);
      return ended.slice(i === 0 ? 0 : 1, -1).map((text) => text.trim());
    });
    const expected = whole.filter((text) => text !== "" && text.split(" ").length <= 9);
    expect(Array.from({ length: read.count }, (_, i) => read.text(i).join(" "))).toEqual(expected);
  });

  it("are learned whole, with the end token, which is not encoded; padding counts nowhere", async () => {
    const { read: texts } = await shortTexts(9);
    const lengths = new Set<number>();
    for (let step = 1; step <= 20; step++) {
      const { targets, encoded, feeds } = await cuts({ sentences: { texts, share: 1 } }, step);
      const width = targets[0]!.length;
      expect(width % 8).toBe(0);
      const weights = feeds.token_weights!.data as Float32Array;
      const mask = feeds.encoder_mask!.data as Float32Array;
      for (const [i, target] of targets.entries()) {
        const end = target.indexOf(EOS);
        lengths.add(end);
        expect(consecutive(target.slice(0, end)) && target[0]! === 100 * end).toBe(true);
        expect(encoded[i]!.slice(0, end)).toEqual(target.slice(0, end));
        expect(Array.from(weights.subarray(i * width, (i + 1) * width))).toEqual(
          target.map((_, t) => (t <= end ? 1 : 0)),
        );
        const read = Array.from(mask.subarray(i * (width - 1), (i + 1) * (width - 1)), (value) => value === 0);
        expect(read).toEqual(encoded[i]!.map((_, t) => t < end));
      }
    }
    expect(lengths.size).toBeGreaterThan(4);
  });

  it("make up their share of the microbatches", async () => {
    const { read: texts } = await shortTexts(9);
    let ofTexts = 0;
    for (let step = 1; step <= 200; step++) {
      const { targets } = await cuts({ sentences: { texts, share: 0.4 } }, step, 1);
      if (targets[0]!.includes(EOS)) ofTexts++;
    }
    // A binomial of 200 at 0.4 lies within four standard deviations.
    expect(Math.abs(ofTexts - 80)).toBeLessThan(28);
  });

  it("are refused where there are none", async () => {
    await expect(shortTexts(0)).rejects.toThrow(/expected texts of at most 0 tokens/);
  });
});

it("leaves the row itself as it is", () => {
  const row = rowOf(0);
  overlapExample(row, SPAN, { drop: true, length: 8 }).target.inputIds.fill(0);
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
