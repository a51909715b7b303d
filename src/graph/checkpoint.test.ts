/** Gradient checkpointing and the masks of dropout, as graphs. */
import { describe, expect, it } from "vitest";
import { runGraph, tensor, uniforms, valuesOf } from "../../test/runGraph.js";
import { Rng } from "../rng.js";
import {
  checkpoint,
  gradients,
  input,
  keepMask,
  matmul,
  mul,
  silu,
  sumAll,
  topologicalOrder,
  type Value,
} from "./index.js";

describe("checkpoint", () => {
  const rng = Rng.fromSeed("checkpoint");
  const feeds = Object.fromEntries(
    ["x", "a", "b"].map((name) => [name, tensor("float32", uniforms(rng.fork(name), [4, 4]), [4, 4])]),
  );
  const layered = (wrap: (x: Value, fn: (x: Value) => Value) => Value) => {
    const [x, a, b] = ["x", "a", "b"].map((name) => input(name, [4, 4])) as [Value, Value, Value];
    const layer = (value: Value) => silu(matmul(silu(matmul(value, a)), b));
    const y = wrap(wrap(x, layer), layer);
    const loss = sumAll(mul(y, y));
    const [dx, da, db] = gradients(loss, [x, a, b]) as [Value, Value, Value];
    return { loss, dx, da, db };
  };

  it("changes no bit of loss and gradients", async () => {
    const plain = await runGraph(
      layered((x, fn) => fn(x)),
      feeds,
    );
    expect(await runGraph(layered(checkpoint), feeds)).toEqual(plain);
  });

  it("keeps nothing but its input: no gradient uses a value from inside the first forward pass", () => {
    const usersOfFirst = (wrap: (x: Value, fn: (x: Value) => Value) => Value) => {
      const x = input("x", [4, 4]);
      const inside: Value[] = [];
      const y = wrap(x, (value) => {
        inside.push(silu(value));
        return mul(inside.at(-1)!, inside.at(-1)!);
      });
      const [dx] = gradients(sumAll(mul(y, y)), [x]);
      return topologicalOrder([dx!]).filter(({ inputs }) => inputs.includes(inside[0]!));
    };
    // The product that is y itself, and no other.
    expect(usersOfFirst(checkpoint)).toHaveLength(1);
    expect(usersOfFirst((x, fn) => fn(x)).length).toBeGreaterThan(1);
  });
});

describe("keepMask", () => {
  const keys = (name: string, count: number) => {
    const rng = Rng.fromSeed(name);
    return {
      dtype: "int32" as const,
      shape: [count],
      data: Int32Array.from({ length: count }, () => rng.integer(2 ** 32) | 0),
    };
  };
  const [rows, columns] = [512, 384];
  const maskOf = (rate: number, rowKeys: string) =>
    valuesOf(keepMask(input("r", [rows], "int32"), input("c", [columns], "int32"), rate), {
      r: keys(rowKeys, rows),
      c: keys("columns", columns),
    });

  it.each([0.05, 0.1, 0.5, 0.9])("keeps a share of 1 - %d, scaled so that the mean stays", async (rate) => {
    const mask = await maskOf(rate, "rows");
    const kept = mask.filter((value) => value !== 0);
    const deviation = Math.sqrt((rate * (1 - rate)) / mask.length);
    expect(Math.abs(kept.length / mask.length - (1 - rate))).toBeLessThan(4 * deviation);
    expect(new Set(kept)).toEqual(new Set([Math.fround(1 / (1 - rate))]));
  });

  it("is as random along rows, along columns and from one set of keys to the next", async () => {
    const [mask, other] = [await maskOf(0.5, "rows"), await maskOf(0.5, "other rows")];
    const at = (values: number[], row: number, column: number) => (values[row * columns + column] ? 1 : -1);
    const agreement = (pair: (row: number, column: number) => number) => {
      let sum = 0;
      for (let row = 1; row < rows; row++) for (let column = 1; column < columns; column++) sum += pair(row, column);
      return Math.abs(sum) / Math.sqrt((rows - 1) * (columns - 1));
    };
    expect(agreement((r, c) => at(mask, r, c) * at(mask, r - 1, c))).toBeLessThan(4);
    expect(agreement((r, c) => at(mask, r, c) * at(mask, r, c - 1))).toBeLessThan(4);
    const square = (r: number, c: number) =>
      at(mask, r, c) * at(mask, r - 1, c) * at(mask, r, c - 1) * at(mask, r - 1, c - 1);
    expect(agreement(square)).toBeLessThan(4);
    expect(agreement((r, c) => at(mask, r, c) * at(other, r, c))).toBeLessThan(4);
  });

  it("is the same for the same keys", async () => {
    expect(await maskOf(0.1, "rows")).toEqual(await maskOf(0.1, "rows"));
  });

  it("refuses keys and rates that cannot be", () => {
    const int32 = input("keys", [2], "int32");
    expect(() => keepMask(input("x", [2]), int32, 0.5)).toThrow(
      "keepMask: expected int32 keys [M] and [N], got float32",
    );
    expect(() => keepMask(int32, int32, 1)).toThrow("keepMask: expected a rate between 0 and 1, got 1");
  });
});
