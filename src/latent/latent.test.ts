import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Rng } from "../rng.js";
import {
  average,
  cosine,
  dot,
  type Latent,
  lerp,
  medoid,
  norm,
  normLerp,
  randomLatent,
  rescale,
  rms,
  sample,
  slerp,
  weightedSum,
} from "./latent.js";

const WIDTH = 12;
const latent = fc.integer().map((seed) => Rng.fromSeed(seed).normals(WIDTH));
const unit = fc.double({ min: 0, max: 1, noNaN: true });
const KINDS = { lerp, slerp, normLerp };

function expectClose(got: Latent, expected: Latent, digits = 5): void {
  for (const [i, value] of expected.entries()) expect(got[i]).toBeCloseTo(value, digits);
}

describe.each(Object.entries(KINDS))("%s", (name, between) => {
  it("begins at one end and stops at the other", () => {
    fc.assert(
      fc.property(latent, latent, (a, b) => {
        expectClose(between(a, b, 0), a);
        expectClose(between(a, b, 1), b);
      }),
      { seed: 1 },
    );
  });

  it("goes the same way back", () => {
    fc.assert(
      fc.property(latent, latent, unit, (a, b, t) => expectClose(between(a, b, t), between(b, a, 1 - t))),
      { seed: 2 },
    );
  });

  it(name === "lerp" ? "is never longer than the longer end" : "has a length between those of the ends", () => {
    fc.assert(
      fc.property(latent, latent, unit, (a, b, t) => {
        const length = norm(between(a, b, t));
        if (name === "lerp") expect(length).toBeLessThanOrEqual(Math.max(norm(a), norm(b)) + 1e-5);
        else expect(length).toBeCloseTo((1 - t) * norm(a) + t * norm(b), 4);
      }),
      { seed: 3 },
    );
  });
});

describe("slerp", () => {
  it("turns evenly", () => {
    fc.assert(
      fc.property(latent, latent, unit, (a, b, t) => {
        const angle = (x: Latent, y: Latent) => Math.acos(Math.min(1, cosine(x, y)));
        expect(angle(a, slerp(a, b, t))).toBeCloseTo(t * angle(a, b), 2);
      }),
      { seed: 4 },
    );
  });

  it("takes latents of one direction", () => {
    const a = Float32Array.of(1, 2);
    expectClose(slerp(a, Float32Array.of(2, 4), 0.5), Float32Array.of(1.5, 3));
  });
});

describe("mixes", () => {
  it("weigh each latent", () => {
    const weights = fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(weights, fc.integer(), (ws, seed) => {
        const zs = ws.map((_, i) => Rng.fromSeed(seed).fork(i).normals(WIDTH));
        const sum = weightedSum(zs, ws);
        for (let d = 0; d < WIDTH; d++) {
          expect(sum[d]).toBeCloseTo(
            ws.reduce((all, weight, i) => all + weight * zs[i]![d]!, 0),
            5,
          );
        }
      }),
      { seed: 5 },
    );
  });

  it("of equal weights are the average", () => {
    fc.assert(
      fc.property(latent, latent, (a, b) => expectClose(average([a, b]), lerp(a, b, 0.5))),
      { seed: 6 },
    );
  });

  it("are rescaled to any length, and keep their direction", () => {
    fc.assert(
      fc.property(latent, fc.double({ min: 0.1, max: 100, noNaN: true }), (z, length) => {
        expect(norm(rescale(z, length)) / length).toBeCloseTo(1, 5);
        expect(cosine(rescale(z, length), z)).toBeCloseTo(1, 5);
      }),
      { seed: 7 },
    );
    expect(rescale(new Float32Array(3), 5)).toEqual(new Float32Array(3));
  });

  it("give a medoid that is one of them and nearest to all", () => {
    fc.assert(
      fc.property(fc.array(latent, { minLength: 1, maxLength: 6 }), (zs) => {
        const far = (from: Latent) => zs.reduce((sum, z) => sum + norm(weightedSum([from, z], [1, -1])), 0);
        const found = medoid(zs);
        expect(zs).toContain(found);
        for (const z of zs) expect(far(found)).toBeLessThanOrEqual(far(z) + 1e-6);
      }),
      { seed: 8 },
    );
  });
});

describe("noise", () => {
  it("of temperature 0 leaves the mean, as a copy", () => {
    fc.assert(
      fc.property(latent, (mean) => {
        const z = sample({ mean }, 0, Rng.fromSeed(1));
        expect(z).toEqual(mean);
        expect(z).not.toBe(mean);
      }),
      { seed: 9 },
    );
  });

  it("has variance tau", () => {
    const zero = { mean: new Float32Array(20_000) };
    for (const tau of [0.1, 1, 2]) expect(rms([sample(zero, tau, Rng.fromSeed(4))]) ** 2 / tau).toBeCloseTo(1, 1);
  });

  it("has the learned variance times tau", () => {
    const posterior = { mean: new Float32Array(20_000), logVariance: new Float32Array(20_000).fill(Math.log(0.25)) };
    expect(rms([sample(posterior, 2, Rng.fromSeed(4))]) ** 2 / 0.5).toBeCloseTo(1, 1);
  });

  it("of a random latent lies at ae_scale", () => {
    fc.assert(
      fc.property(fc.integer(), fc.double({ min: 0.1, max: 10, noNaN: true }), (seed, scale) => {
        const z = randomLatent(48, scale, Rng.fromSeed(seed));
        expect(rms([z]) / scale).toBeCloseTo(1, 5);
        expect(dot(z, z)).toBeCloseTo(48 * scale * scale, 1 - Math.ceil(Math.log10(scale * scale * 48)));
      }),
      { seed: 10, numRuns: 50 },
    );
  });
});
