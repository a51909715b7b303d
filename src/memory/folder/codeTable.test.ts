/** The parts of an index's table: bits that differ, a rotation that keeps products, the best of many, and what is nearest among codes. */
import { describe, expect, it } from "vitest";
import { dot, type Latent, norm } from "../../latent/index.js";
import { Rng } from "../../rng.js";
import { METRICS, type Metric } from "../types.js";
import { Best } from "./best.js";
import { Centre } from "./centre.js";
import { CodeTable } from "./codeTable.js";
import { countDifferences } from "./hamming.js";
import { Rotation, TURNED } from "./rotation.js";

const WIDTH = 192;

it("counts the bits in which codes differ", () => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const rng = Rng.fromSeed("codes");
  const codes = Array.from({ length: 100 }, () => Uint8Array.from({ length: 128 }, () => rng.integer(256)));
  const [own, ...others] = codes;
  new Uint8Array(memory.buffer).set(own!, 0);
  for (const [i, code] of others.entries()) new Uint8Array(memory.buffer).set(code, 8192 + 128 * i);
  countDifferences(memory, 128)(8192, others.length, 1024);
  const bits = (a: Uint8Array, b: Uint8Array) =>
    a.reduce((sum, byte, i) => sum + (byte ^ b[i]!).toString(2).replaceAll("0", "").length, 0);
  expect([...new Uint16Array(memory.buffer, 1024, others.length)]).toEqual(others.map((code) => bits(own!, code)));
});

describe("a rotation", () => {
  it.each([1, 8, 32, 100, 768, 1024])("keeps the products of keys of %i values", (width) => {
    const rotation = new Rotation(width);
    const rng = Rng.fromSeed(width);
    const [a, b] = [rng.normals(width), rng.normals(width)];
    expect(rotation.turn(a)).toHaveLength(TURNED);
    expect(Math.abs(dot(rotation.turn(a), rotation.turn(b)) - dot(a, b))).toBeLessThan(1e-4 * norm(a) * norm(b));
  });

  it("keeps those of longer keys on average", () => {
    const rotation = new Rotation(3000);
    const rng = Rng.fromSeed("long");
    for (let i = 0; i < 10; i++) {
      const [a, b] = [rng.normals(3000), rng.normals(3000)];
      // Six standard deviations of the mean of 1024 products.
      expect(Math.abs(dot(rotation.turn(a), rotation.turn(b)) - dot(a, b)) / (norm(a) * norm(b))).toBeLessThan(6 / 32);
    }
  });

  it("spreads a key of a single value", () => {
    const turned = new Rotation(768).turn(Float32Array.from({ length: 768 }, (_, i) => (i === 3 ? 1 : 0)));
    expect(Math.max(...turned.map(Math.abs))).toBeLessThan(6 / Math.sqrt(TURNED));
  });
});

it("keeps the best of many values, of equal ones the earlier", () => {
  const rng = Rng.fromSeed("best");
  const values = Float32Array.from({ length: 2000 }, () => rng.integer(50));
  const best = new Best(30);
  for (const [row, value] of values.entries()) best.add(row, value);
  const expected = [...values.keys()].sort((a, b) => values[b]! - values[a]! || a - b).slice(0, 30);
  expect([...best.rows]).toEqual(expected.toSorted((a, b) => a - b));
  expect(best.ranked()).toEqual(expected);
});

const NEARNESS: Record<Metric, (a: Latent, b: Latent) => number> = {
  cosine: (a, b) => dot(a, b) / (norm(a) * norm(b)),
  inner: dot,
  l2: (a, b) => -norm(a.map((value, i) => value - b[i]!)),
};

describe.each(METRICS)("codes, by %s", (metric) => {
  /** Share of the ten nearest of 6,000 keys among the 256 that codes find. */
  function recall(common: number): number {
    const rng = Rng.fromSeed("keys");
    const shared = rng.normals(WIDTH);
    const key = () => rng.normals(WIDTH).map((value, i) => value / Math.sqrt(1 + i) + common * shared[i]!);
    const keys = Array.from({ length: 6000 }, key);
    const centre = Centre.of(metric, WIDTH, keys.slice(0, 512));
    const table = new CodeTable(new Rotation(WIDTH));
    for (const [id, key] of keys.entries()) table.add(id, centre.less(key));
    const hits = Array.from({ length: 20 }, key).map((query) => {
      const nearness = keys.map((other) => NEARNESS[metric](query, other));
      const nearest = [...keys.keys()].sort((a, b) => nearness[b]! - nearness[a]!).slice(0, 10);
      const found = table.search(centre.query(query), 256);
      return nearest.filter((id) => found.includes(id)).length / 10;
    });
    return hits.reduce((sum, share) => sum + share, 0) / hits.length;
  }

  it("find the nearest", () => expect(recall(0)).toBeGreaterThan(0.99));

  it("find the nearest of keys that are much alike", () => expect(recall(3)).toBeGreaterThan(0.99));
});

it("has the ids that were added, and gives and takes its rows as bytes", () => {
  const rotation = new Rotation(WIDTH);
  const rng = Rng.fromSeed("rows");
  const [table, copy] = [new CodeTable(rotation), new CodeTable(rotation)];
  const keys = Array.from({ length: 5000 }, () => rng.normals(WIDTH));
  for (const [i, key] of keys.entries()) table.add(3 * i, key);
  expect([0, 1, 3, 3 * 4999, 3 * 5000].map((id) => table.has(id))).toEqual([true, false, true, true, false]);
  for (const [from, count] of [
    [0, 2000],
    [2000, 3000],
  ] as const)
    copy.addBytes(Buffer.concat(table.bytesOf(from, count)));
  const query = { vector: keys[70]!, pull: 2, push: 1 };
  expect(table.search(query, 20)[0]).toBe(210);
  expect(copy.search(query, 20)).toEqual(table.search(query, 20));
});
