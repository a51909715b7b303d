import { describe, expect, it } from "vitest";
import { gumbelToken } from "../../test/parity/gumbel.js";
import { Rng } from "../rng.js";
import { greedyToken, logNormalizer, sampleToken } from "./tokenChoice.js";

const LOGITS = Float32Array.of(2, -1, 0.5, 1.9, -30, 0);
const DRAWS = 40_000;
/** 0.999 quantile of chi-square with 4 degrees of freedom (five tokens that occur, less one). */
const CHI_SQUARE = 18.47;

/** Probabilities of softmax(logits / tau). */
function softmax(logits: Float32Array, tau: number): number[] {
  const weights = Array.from(logits, (logit) => Math.exp(logit / tau));
  const sum = weights.reduce((all, weight) => all + weight, 0);
  return weights.map((weight) => weight / sum);
}

function chiSquare(choose: (rng: Rng) => number, tau: number): number {
  const rng = Rng.fromSeed("token choice");
  const counts = new Array<number>(LOGITS.length).fill(0);
  for (let i = 0; i < DRAWS; i++) counts[choose(rng)]!++;
  return softmax(LOGITS, tau)
    .map((p) => p * DRAWS)
    .map((expected, id) => (expected < 1 ? counts[id]! : (counts[id]! - expected) ** 2 / expected))
    .reduce((sum, term) => sum + term, 0);
}

describe.each([0.5, 0.9, 2])("at temperature %d", (tau) => {
  it("sampleToken draws from softmax(logits / tau)", () => {
    expect(chiSquare((rng) => sampleToken(LOGITS, tau, rng), tau)).toBeLessThan(CHI_SQUARE);
  });

  it("gumbelToken draws from the same", () => {
    const uniforms = (rng: Rng) => Array.from(LOGITS, () => rng.uniform() || Number.MIN_VALUE);
    expect(chiSquare((rng) => gumbelToken(LOGITS, tau, uniforms(rng)), tau)).toBeLessThan(CHI_SQUARE);
  });
});

describe("at temperature 0", () => {
  it("the most likely token is taken, the lowest of equals", () => {
    const rng = Rng.fromSeed(1);
    expect(sampleToken(LOGITS, 0, rng)).toBe(0);
    expect(
      gumbelToken(
        LOGITS,
        0,
        LOGITS.map(() => 0.5),
      ),
    ).toBe(0);
    expect(greedyToken(Float32Array.of(1, 3, 3))).toBe(1);
  });

  it("no random number is used", () => {
    const rng = Rng.fromSeed(1);
    sampleToken(LOGITS, 0, rng);
    expect(rng.uniform()).toBe(Rng.fromSeed(1).uniform());
  });
});

describe("logNormalizer", () => {
  it("leaves the logarithm of softmax, for logits of any size", () => {
    for (const shift of [0, 1e4, -1e4]) {
      const logits = LOGITS.map((logit) => logit + shift);
      for (const [id, p] of softmax(LOGITS, 1).entries())
        expect(logits[id]! - logNormalizer(logits, Math.max(...logits))).toBeCloseTo(Math.log(p), shift === 0 ? 6 : 2);
    }
  });
});
