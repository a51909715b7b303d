/** Bits per byte and perplexity of a base whose probabilities are known, and of the small reference model token by token. */
import { expect, it } from "vitest";
import { loadTinyBase, runtime } from "../../test/parity/reference.js";
import { Engine } from "../engine/engine.js";
import { LatentSpace } from "../latent/index.js";
import { Rng } from "../rng.js";
import { evaluateBase } from "./baseLikelihood.js";
import type { EvaluatedModel } from "./scoring.js";

/** Text as bytes. */
const tokenizer = {
  encode: (text: string) => Array.from(new TextEncoder().encode(text)),
  decode: (ids: readonly number[]) => new TextDecoder().decode(Uint8Array.from(ids)),
  beginId: 1,
};
const how = { tokenizer, space: LatentSpace.plain, rng: Rng.fromSeed("base") };

it("of a base that gives every byte a quarter", async () => {
  const model: EvaluatedModel = {
    encode: () => expect.unreachable(),
    write: () => expect.unreachable(),
    score: async (rows, writer, context) => {
      expect([writer, context]).toEqual(["base", [1]]);
      return rows.map(({ target }) => ({
        logProbabilities: target.map(() => Math.log(0.25)),
        greedy: target.map(() => false),
      }));
    },
  };
  const report = await evaluateBase({ ...how, model, texts: ["abcd", "é", "x".repeat(12)], maxPositions: 10 });
  expect(report).toMatchObject({ texts: 3, cutTexts: 1, tokens: 16, bytes: 16 });
  for (const value of Object.values(report.bitsPerByte)) expect(value).toBeCloseTo(2, 10);
  for (const value of Object.values(report.perplexity)) expect(value).toBeCloseTo(4, 10);
  expect(report.loss.value).toBeCloseTo(Math.log(4), 10);
});

it("of the small model: as the tokens' own probabilities say", async () => {
  const engine = new Engine({ runtime, base: await loadTinyBase() });
  const texts = ["The river ran.", "A mill"];
  const report = await evaluateBase({ ...how, model: engine, texts, maxPositions: engine.maxPositions });
  let nats = 0;
  for (const text of texts) {
    const ids = tokenizer.encode(text);
    for (const [t, id] of ids.entries()) {
      const [score] = await engine.score([{ target: [id] }], "base", [1, ...ids.slice(0, t)]);
      nats -= score!.logProbabilities[0]!;
    }
  }
  expect(report.bitsPerByte.value).toBeCloseTo(nats / Math.LN2 / 20, 4);
  expect(report.perplexity.value).toBeCloseTo(Math.exp(nats / 20), 1);
  await engine.close();
});
