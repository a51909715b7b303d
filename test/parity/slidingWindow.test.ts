/**
 * A sliding window of 8 over the reference base: token i sees j with i - 8 < j <= i. Training graph, cached steps and chunks give the
 * logits of a mask written down here, and those of Transformers (test/fixtures/window/make_window.py).
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { type BaseModel, loadBase } from "../../src/engine/baseModel.js";
import { Contexts } from "../../src/engine/contexts.js";
import { Engine } from "../../src/engine/engine.js";
import { KvCache } from "../../src/engine/kvCache.js";
import { ModelRunner } from "../../src/engine/modelRunner.js";
import { type BoundSession, Sessions } from "../../src/engine/sessions.js";
import { Turns } from "../../src/engine/turns.js";
import { openSafetensorsFolder } from "../../src/formats/index.js";
import { logNormalizer } from "../../src/latent/index.js";
import { MASKED } from "../../src/model/attention.js";
import { float32, type HostTensor, int64, type Session } from "../../src/runtime/runtime.js";
import { foldedCausalMask, ropeFeeds } from "../../src/train/objectives/attentionFeeds.js";
import { baseLoss } from "../../src/train/objectives/baseObjective.js";
import { logitsOf } from "./innerValues.js";
import { maxDifference, readJson, runtime } from "./reference.js";

interface Fixture {
  window: number;
  ids: number[];
  positions: number[];
  /** [positions, V] */
  logits: number[][];
}

const fixtures = (path: string) => fileURLToPath(new URL(`../fixtures/${path}`, import.meta.url));
const {
  window,
  ids,
  positions,
  logits: reference,
}: Fixture = JSON.parse(readFileSync(fixtures("window/window.json"), "utf8"));
const TIME = ids.length;
const TOLERANCE = 1e-4;

let base: BaseModel;
let sessions: Sessions;
let writer: BoundSession;
let training: Session;
/** [T][V] */
let expected: Float32Array[];

beforeAll(async () => {
  // The window's values belong to this base, whatever set of references is tested otherwise.
  const folder = fixtures("reference/tiny-mistral/base");
  const source = await openSafetensorsFolder(folder);
  const config = (await readJson(`${folder}/config.json`)) as Record<string, unknown>;
  base = await loadBase({ ...config, sliding_window: window }, source).finally(() => source.close());
  expect(base.config.slidingWindow).toBe(window);
  sessions = new Sessions(runtime, base, undefined, "unmerged", 64);
  writer = await sessions.writer("base");
  training = await runtime.createSession({ logits: logitsOf(baseLoss(base.config, 1, TIME).loss) });
  expected = await trainingLogits(naiveMask(window));
  return async () => {
    await sessions.release();
    await training.release();
  };
});

/** [1, 1, G * T, T]: every pair of tokens asked. */
function naiveMask(width: number): HostTensor {
  const group = base.config.numAttentionHeads / base.config.numKeyValueHeads;
  const one = Array.from({ length: TIME }, (_, i) =>
    Array.from({ length: TIME }, (_, j) => (i - width < j && j <= i ? 0 : MASKED)),
  );
  const all = Array.from({ length: group }, () => one.flat()).flat();
  return float32(Float32Array.from(all), 1, 1, group * TIME, TIME);
}

/** Logits of all tokens by the graph that a base is trained with. */
async function trainingLogits(mask: HostTensor): Promise<Float32Array[]> {
  const { logits } = await training.run({
    ...base.weights.tensors,
    ...ropeFeeds(base.config, TIME),
    positions: int64(Array.from(ids.keys()), 1, TIME),
    mask,
    input_ids: int64(ids, TIME),
  });
  const v = base.config.vocabSize;
  return ids.map((_, t) => (logits!.data as Float32Array).slice(t * v, (t + 1) * v));
}

/** Logits from token `shared` on: a context of that many tokens, the rest in steps of `step`. */
async function cachedLogits(shared: number, step: number): Promise<Float32Array[]> {
  const runner = new ModelRunner(base, writer);
  const contexts = new Contexts(runner, TIME, new Turns());
  const context = await contexts.open(ids.slice(0, shared), (work) => work());
  const caches = { shared: contexts.cache, past: new KvCache(base.config, 1) };
  const found: Float32Array[] = [];
  for (let t = shared; t < TIME; t += step) {
    const next = ids.slice(t, t + step);
    const inputs = [{ items: next.map((id) => ({ id })), positions: next.map((_, i) => t + i), context }];
    found.push(...(await runner.forward(caches, inputs, "all"))[0]!.map((logits) => logits.slice()));
  }
  return found;
}

const apart = (a: readonly Float32Array[], b: readonly Float32Array[]) =>
  Math.max(...a.map((logits, t) => maxDifference(logits, b[t]!)));

describe("a sliding window", () => {
  it("shows: one token more or less changes the logits, but for those that see all tokens", async () => {
    for (const other of [window - 1, window + 1, TIME]) {
      const logits = await trainingLogits(naiveMask(other));
      const early = Math.min(window, other);
      expect(apart(logits.slice(0, early), expected.slice(0, early))).toBeLessThan(TOLERANCE);
      for (let t = early; t < TIME; t++)
        expect(maxDifference(logits[t]!, expected[t]!)).toBeGreaterThan(100 * TOLERANCE);
    }
  });

  it("gives Transformers' logits", () => {
    for (const [p, position] of positions.entries())
      expect(maxDifference(expected[position]!, reference[p]!), `position ${position}`).toBeLessThan(TOLERANCE);
  });

  it("is the same where a base is trained", async () => {
    expect(apart(await trainingLogits(foldedCausalMask(base.config, TIME)), expected)).toBeLessThan(TOLERANCE);
  });

  it.each([
    ["one token a step", 0, 1],
    ["one token a step after a context", 13, 1],
    ["a window and more at a step", 0, 11],
    ["chunks after a context", 5, 9],
    ["all at once", 0, TIME],
  ])("is the same with a cache, %s", async (_, shared, step) => {
    expect(apart(await cachedLogits(shared, step), expected.slice(shared))).toBeLessThan(TOLERANCE);
  });

  it("is the same when a text is scored", async () => {
    const engine = new Engine({ runtime, base, form: "unmerged", maxPositions: 64 });
    const [score] = await engine.score([{ target: ids.slice(20) }], "base", ids.slice(0, 20));
    await engine.close();
    const wanted = ids.slice(20).map((id, t) => {
      const logits = expected[19 + t]!;
      return logits[id]! - logNormalizer(logits, Math.max(...logits));
    });
    expect(maxDifference(score!.logProbabilities, wanted)).toBeLessThan(TOLERANCE);
  });
});
