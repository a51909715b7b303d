/** Lifetimes of values, counted by hand on small graphs. */
import { describe, expect, it } from "vitest";
import {
  add,
  checkpoint,
  exp,
  gradients,
  input,
  matmul,
  mul,
  reshape,
  silu,
  sumAll,
  type Value,
} from "../../graph/index.js";
import { activationBytes } from "./memoryEstimate.js";
import { deepestFirst } from "./outputOrder.js";

/** 64 bytes a value. */
const x = input("x", [4, 4]);
const BYTES = 64;

describe("activationBytes", () => {
  it("counts what lies in memory at once, not all that is made", () => {
    let y: Value = x;
    for (let i = 0; i < 10; i++) y = matmul(y, y);
    // A product needs its input beside it; the last one is returned, and its memory is the caller's.
    expect(activationBytes([y])).toBe(2 * BYTES);
  });

  it("counts an elementwise chain once, and a reshape not at all", () => {
    expect(activationBytes([matmul(reshape(exp(exp(matmul(x, x))), [2, 8]), input("w", [8, 1]))])).toBe(BYTES);
  });

  it("keeps what is used later", () => {
    const early = matmul(x, x);
    const late = matmul(matmul(early, x), x);
    expect(activationBytes([add(matmul(late, x), early)])).toBe(3 * BYTES);
  });
});

describe("gradients with checkpoints", () => {
  it("hold one block at a time, in the order of deepestFirst", () => {
    const weights = Array.from({ length: 8 }, (_, i) => input(`w${i}`, [4, 4]));
    const bytesOf = (wrap: (x: Value, fn: (x: Value) => Value) => Value) => {
      let y: Value = x;
      for (const w of weights) y = wrap(y, (value) => silu(matmul(silu(matmul(silu(matmul(value, w)), w)), w)));
      const loss = sumAll(mul(y, y));
      const derived = gradients(loss, weights);
      const outputs = deepestFirst({ loss, ...Object.fromEntries(derived.map((value, i) => [`d${i}`, value])) });
      return activationBytes(Object.values(outputs));
    };
    const [plain, saved] = [bytesOf((value, fn) => fn(value)), bytesOf(checkpoint)];
    expect(plain).toBeGreaterThan(8 * 5 * BYTES);
    expect(saved).toBeLessThan((8 + 16) * BYTES);
  });
});
