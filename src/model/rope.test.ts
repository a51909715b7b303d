/** Rotary frequencies and tables equal those of Transformers, for every scaling (test/fixtures/rope/make_rope.py). */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseConfig } from "./config.js";
import { ropeFrequencies, ropeTables } from "./rope.js";

interface Case {
  name: string;
  /** As published: rope_theta and rope_scaling. */
  config: Record<string, unknown>;
  /** What Transformers 5 saves in their place. */
  rope_parameters: Record<string, unknown>;
  /** [Dh/2] */
  frequencies: number[];
  /** [positions, Dh/2] */
  cos: number[][];
  sin: number[][];
}

const fixture = new URL("../../test/fixtures/rope/rope.json", import.meta.url);
const { positions, cases } = JSON.parse(readFileSync(fixture, "utf8")) as { positions: number[]; cases: Case[] };

/** Single precision: the powers of theta are off by a few last bits. */
const FREQUENCY_TOLERANCE = 5e-7;
/** An angle of thousands has its last bit in the fourth digit. */
const toleranceAt = (position: number) => Math.max(1e-6, position * FREQUENCY_TOLERANCE);

describe.each(cases)("rotation of $name", ({ config, rope_parameters, frequencies, cos, sin }) => {
  const parsed = parseConfig(config);

  it("has Transformers' frequencies", () => {
    const ours = ropeFrequencies(parsed);
    expect(ours).toHaveLength(frequencies.length);
    for (const [i, expected] of frequencies.entries())
      expect(Math.abs(ours[i]! / expected - 1), `pair ${i}`).toBeLessThan(FREQUENCY_TOLERANCE);
  });

  it("has Transformers' cosines and sines", () => {
    const tables = ropeTables(parsed, Math.max(...positions) + 1);
    const half = frequencies.length;
    for (const [p, position] of positions.entries()) {
      for (let i = 0; i < half; i++) {
        const at = position * half + i;
        const apart = Math.max(Math.abs(tables.cos[at]! - cos[p]![i]!), Math.abs(tables.sin[at]! - sin[p]![i]!));
        expect(apart, `position ${position}, pair ${i}`).toBeLessThan(toleranceAt(position));
      }
    }
  });

  it("is read from rope_parameters as well", () => {
    const { rope_theta, rope_scaling, ...rest } = config;
    expect(parseConfig({ ...rest, rope_parameters })).toEqual(parsed);
  });
});

describe("rotation", () => {
  it("is covered for every scaling that can be read", () => {
    const kinds = new Set(cases.map(({ config }) => parseConfig(config).ropeScaling.kind));
    expect([...kinds].sort()).toEqual(["default", "linear", "llama3", "yarn"]);
  });

  it.each(["dynamic", "longrope", "su"])("of the kind %s is refused by name", (type) => {
    const scaling = { type, factor: 2 };
    expect(() => parseConfig({ ...cases[0]!.config, rope_scaling: scaling })).toThrow(
      `expected rope_scaling.rope_type to be default, linear, llama3 or yarn, got ${type}`,
    );
  });
});
