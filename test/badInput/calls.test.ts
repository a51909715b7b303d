/** Bad texts, tokens and latents: each is refused in one sentence that says how many, where, and what to do. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Engine } from "../../src/engine/engine.js";
import { medoid, normLerp, slerp, weightedSum } from "../../src/latent/index.js";
import { Rng } from "../../src/rng.js";
import { loadTinyAdapters, loadTinyBase, runtime } from "../parity/reference.js";
import { expectRefusal } from "./folder.js";

const WINDOW = 100;
const rngKey = Rng.fromSeed(1).key;
const z = Rng.fromSeed(2).normals(48);
const ids = (length: number) => Array.from({ length }, (_, i) => 5 + (i % 400));
const how = { writer: "router", context: [5, 6], nTokens: 4, tau: 0 } as const;
let engine: Engine;

beforeAll(async () => {
  const base = await loadTinyBase();
  engine = new Engine({ runtime, base, vae: await loadTinyAdapters(base.config), maxPositions: WINDOW });
});
afterAll(() => engine.close());

describe("encode", () => {
  it("refuses an empty text and one that is all padding", async () => {
    await expectRefusal(() => engine.encode([{ ids: [5] }, { ids: [] }]), "usage", /text 2: .*an empty text/);
    await expectRefusal(() => engine.encode([{ ids: [5, 6], mask: [0, 0] }]), "usage", /text 1: .*an empty text/);
  });

  it("refuses a text beyond the window, and cuts nothing of one that fills it", async () => {
    const long = () => engine.encode([{ ids: ids(WINDOW + 1) }]);
    await expectRefusal(long, "usage", /at most 100 tokens, the model's window, got 101; shorten/);
    const [whole] = await engine.encode([{ ids: ids(WINDOW) }]);
    expect(whole!.poolWeights).toHaveLength(WINDOW);
  });

  it("refuses tokens that the model does not have", async () => {
    for (const id of [512, -1, 1.5, Number.NaN])
      await expectRefusal(() => engine.encode([{ ids: [id] }]), "usage", /whole numbers from 0 to 511/);
  });
});

describe("write", () => {
  const write = (row: { z?: Float32Array }, options = {}) => engine.write([{ ...row, rngKey }], { ...how, ...options });

  it("refuses NaN and infinity in z, naming the place", async () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY])
      await expectRefusal(() => write({ z: z.with(7, bad) }), "nonFinite", /z 1: .*got (NaN|Infinity) at 7/);
  });

  it("refuses z of another width", () =>
    expectRefusal(() => write({ z: z.subarray(1) }), "mismatch", /expected 48 values, got 47/));

  it("refuses a context that leaves no room, and says how much there is", async () => {
    await expectRefusal(
      () => write({ z }, { context: ids(90), nTokens: 20 }),
      "usage",
      /got 90 of context and 20 to write; 10 still fit/,
    );
    await expectRefusal(() => write({ z }, { context: ids(300) }), "usage", /0 still fit/);
    const [written] = await write({ z }, { context: ids(90), nTokens: 10 });
    expect(written).toHaveLength(10);
  });

  it("reads a context anew after it was refused in the middle of one", async () => {
    const good = ids(20);
    const [expected] = await write({ z }, { context: good });
    await expectRefusal(() => write({ z }, { context: [...ids(10), 9999] }), "usage", /got 9999/);
    await expectRefusal(() => write({ z }, { context: [...ids(10), 9999] }), "usage", /got 9999/);
    expect(await write({ z }, { context: good })).toEqual([expected]);
  });

  it("refuses a temperature that is none", async () => {
    for (const tau of [-1, Number.NaN]) await expectRefusal(() => write({ z }, { tau }), "usage", /`tau`: expected/);
  });

  it("refuses a base without anything to continue", () =>
    expectRefusal(
      () => engine.write([{ rngKey }], { ...how, writer: "base", context: [] }),
      "usage",
      /give a non-empty `context`$/,
    ));

  it("refuses latents where there are no adapters", async () => {
    const base = new Engine({ runtime, base: await loadTinyBase() });
    await expectRefusal(() => base.encode([{ ids: [5] }]), "usage", /expected adapters/);
    await expectRefusal(() => base.write([{ z, rngKey }], how), "usage", /expected adapters/);
    await base.close();
  });
});

describe("mixes", () => {
  const bad = z.with(3, Number.NaN);
  it("let no NaN through, and name its latent", async () => {
    await expectRefusal(() => weightedSum([z, bad], [1, 1]), "nonFinite", /latent 2 with NaN/);
    await expectRefusal(() => normLerp(bad, z, 0.5), "nonFinite", /latent 1/);
    await expectRefusal(() => slerp(z, bad, 0.5), "nonFinite", /latent 2/);
    await expectRefusal(() => weightedSum([z], [1e300]), "nonFinite", /weights that overflow/);
    await expectRefusal(() => weightedSum([z], [Number.NaN]), "usage", /got NaN at 0/);
  });
  it("take latents of one width, and at least one", async () => {
    await expectRefusal(() => weightedSum([z, z.subarray(1)], [1, 1]), "mismatch", /48 and 47/);
    await expectRefusal(() => weightedSum([], []), "usage", /at least one/);
    await expectRefusal(() => medoid([]), "usage", /at least one/);
  });
  it("refuse opposite ends of an arc, and take a latent of no length", async () => {
    await expectRefusal(
      () =>
        slerp(
          z,
          z.map((x) => -x),
          0.5,
        ),
      "usage",
      /opposite/,
    );
    expect(slerp(new Float32Array(48), z, 0.5).every(Number.isFinite)).toBe(true);
  });
});
