/** Confidence by hand: geometric means, and the two rules of what is known. */
import { describe, expect, it } from "vitest";
import { LatentSpace } from "../latent/index.js";
import { confidences, usualLosses } from "./confidence.js";
import { type EvaluatedModel, Scoring } from "./scoring.js";

/** Token t costs the decoder z[0] * t nats, the base t nats. */
const model = {
  async score(rows, writer, context) {
    expect(context).toEqual(writer === "base" ? [7] : []);
    return rows.map(({ z, target }) => ({
      logProbabilities: target.map((id) => -id * (writer === "base" ? 1 : z![0]!)),
      greedy: target.map(() => true),
    }));
  },
} as EvaluatedModel;
const scoring = new Scoring({
  model,
  space: LatentSpace.plain,
  tokenizer: { beginId: 7, eosId: 7, encode: () => [], decode: () => "" },
});
const text = (factor: number, ...ids: number[]) => ({ ids, z: Float32Array.of(factor) });

describe("confidence", () => {
  it("is the geometric mean of the decoder's probabilities, beside the base's mean loss", async () => {
    const [first, second] = await confidences(scoring, [text(0.5, 1, 2, 3), text(0, 4)]);
    expect(first!.confidence).toBeCloseTo(Math.exp(-1), 6);
    expect(first!.baseLoss).toBeCloseTo(2, 6);
    expect(second).toMatchObject({ confidence: 1, baseLoss: 4 });
  });

  it.each([
    ["above half of the usual probability", 0.79, true],
    ["below it", 0.81, false],
  ])("%s", async (_, loss, isKnown) => {
    const usual = { decoder: 0.1, base: 3 };
    expect(await confidences(scoring, [text(loss, 1, 1)], usual)).toMatchObject([{ isKnown }]);
  });

  it.each([
    ["a latent that helps", 0.9, true],
    ["one that does not", 1, false],
  ])("without a usual one: %s", async (_, factor, isKnown) => {
    expect(await confidences(scoring, [text(factor, 2, 3)])).toMatchObject([{ isKnown }]);
  });

  it("usual losses are means over spans, whatever their lengths", async () => {
    const usual = await usualLosses(scoring, [text(0.5, 1, 1, 1, 1), text(0.5, 3)]);
    expect(usual.decoder).toBeCloseTo(1, 6);
    expect(usual.base).toBeCloseTo(2, 6);
  });
});
