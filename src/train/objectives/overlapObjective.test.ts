/** What the overlap objective is fed: how examples are cut, and what changes from step to step; and where it begins. */
import { describe, expect, it } from "vitest";
import { EOS, shortTexts } from "../../../test/train/shortTexts.js";
import { tinyConfig } from "../../../test/train/tiny.js";
import { Rng } from "../../rng.js";
import type { HostTensors } from "../../runtime/runtime.js";
import { overlapExample } from "./overlapExamples.js";
import { overlapBatches, overlapObjective } from "./overlapObjective.js";
import { RowOrder } from "./rowOrder.js";

const SPAN = 16;
/** Tokens are numbered, so that what is cut where can be read off. */
const rowOf = (first: number) => ({
  inputIds: Int32Array.from({ length: 2 * SPAN }, (_, i) => first + i),
  attentionMask: new Int32Array(2 * SPAN).fill(1),
});
const lora = { rank: 2, alpha: 2, targets: ["self_attn.q_proj"] };

type Changes = Partial<Parameters<typeof overlapBatches>[0]>;

function optionsOf(changes: Changes, batchSize: number) {
  const rng = Rng.fromSeed("cuts");
  const source = { rowCount: 64, row: async (index: number) => rowOf(100 * index) };
  return {
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
    maskedPrefix: false,
    shortSpans: 0,
    edgeWeights: false,
    rng,
    ...changes,
  };
}

const batches = (changes: Changes, batchSize = 8) => overlapBatches(optionsOf(changes, batchSize));
const objectiveOf = (changes: Changes) => overlapObjective(optionsOf(changes, 8));

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

describe("from step to step", () => {
  const scalar = (feeds: HostTensors, name: string) => feeds[name]!.data[0] as number;

  it("the noise rises in a straight line, and the weight of the KL term as sin^2", async () => {
    const noise = { scale: 0.5, start: 0.1, rampSteps: 4 };
    const microbatch = batches({ noise, klWeight: 0.3, klRampSteps: 4 });
    for (const [step, rise, warmUp] of [
      [1, 0.25, Math.sin(Math.PI / 8) ** 2],
      [2, 0.5, 0.5],
      [4, 1, 1],
      [9, 1, 1],
    ] as const) {
      const { feeds } = await microbatch(step, 0);
      expect(scalar(feeds, "noise_scale")).toBeCloseTo(0.1 + 0.4 * rise, 6);
      expect(scalar(feeds, "kl_weight")).toBeCloseTo(0.3 * warmUp, 6);
    }
  });

  it("noise and rows are others, and those of a step always the same", async () => {
    const microbatch = batches({});
    const [one, again, two] = await Promise.all([microbatch(1, 0), microbatch(1, 0), microbatch(2, 0)]);
    expect(again.feeds).toEqual(one.feeds);
    for (const name of ["eps", "encoder_ids"]) expect(two.feeds[name]!.data, name).not.toEqual(one.feeds[name]!.data);
  });
});

it("the edges of a span weigh less where that is asked for: an eighth of it 0.05, the last eighth 0.15", async () => {
  const { feeds, weight } = await batches({ edgeWeights: true }, 1)(1, 0);
  const edges = [0.05, 0.05, ...Array(12).fill(1), 0.15, 0.15].map(Math.fround);
  expect(Array.from(feeds.token_weights!.data as Float32Array)).toEqual(edges);
  expect(weight).toBeCloseTo(12.4, 5);
  expect(feeds.inverse_weight_sum!.data[0]).toBeCloseTo(1 / 12.4, 6);
});

describe("before the first step", () => {
  const { parameters } = objectiveOf({
    shape: { config: tinyConfig(50), zDim: 4, slots: 2, encoder: lora, writer: lora },
  });
  const [D, width] = [16, 2];

  it("w_e has orthonormal rows, and w_d is its transpose", () => {
    const encode = parameters.values("vae.w_e.weight");
    for (let i = 0; i < width; i++)
      for (let j = 0; j < width; j++) {
        const dot = Array.from({ length: D }, (_, d) => encode[i * D + d]! * encode[j * D + d]!);
        expect(dot.reduce((sum, value) => sum + value, 0)).toBeCloseTo(i === j ? 1 : 0, 5);
      }
    const decode = parameters.values("vae.w_d.weight");
    expect(Array.from(decode)).toEqual(
      Array.from(decode, (_, at) => encode[(at % width) * D + Math.floor(at / width)]),
    );
  });

  it("adapters change nothing: B is zero, and A within 1/sqrt(in)", () => {
    for (const [name, [, inWidth]] of parameters.shapes) {
      if (name.endsWith("lora_B")) expect(parameters.values(name).every((value) => value === 0)).toBe(true);
      if (!name.endsWith("lora_A")) continue;
      const most = Math.max(...parameters.values(name).map(Math.abs));
      expect(most).toBeLessThanOrEqual(1 / Math.sqrt(inWidth!));
      expect(most).toBeGreaterThan(0.5 / Math.sqrt(inWidth!));
    }
  });

  it("slots are told apart, and biases are zero", () => {
    expect(new Set(parameters.values("vae.s.weight")).size).toBe(2 * D);
    for (const name of ["vae.w_e.bias", "vae.w_d.bias"]) expect(Math.max(...parameters.values(name))).toBe(0);
  });
});
