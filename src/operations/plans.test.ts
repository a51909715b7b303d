/** Strategies merged by closed forms, and plans of a model that encodes by a table. */
import { describe, expect, it } from "vitest";
import type { BigVae } from "../bigVae.js";
import { LatentSpace } from "../latent/index.js";
import type { SpaceIdentity } from "../memory/types.js";
import type { NamedStrategy } from "../plans/index.js";
import { planByAnalogy, planOfTexts, settled } from "./plans.js";
import { mergedStrategies } from "./strategies.js";

const shape: SpaceIdentity = { base: "base", encoder: "encoder", zDim: 2, slots: 1, span: 4 };
const space = new LatentSpace(shape);
const z = (...values: number[]) => Float32Array.from(values);
const named = (name: string, rest: Partial<NamedStrategy>): NamedStrategy => ({
  name,
  version: 1,
  space: shape,
  ...rest,
});
const [A, B] = [z(1, 0), z(0, 1)];
const stop = (at: Float32Array, text?: string) => ({ z: at, tolerance: 0.4, weight: 1, ...(text ? { text } : {}) });

describe("merged strategies", () => {
  it("average task vectors by weight and examples, at their mean norm, and count all examples", () => {
    const merged = mergedStrategies(
      space,
      [named("a", { task: { z: A, examples: 3 } }), named("b", { task: { z: B, examples: 2 } })],
      [2, 1],
    );
    expect(merged.task!.examples).toBe(5);
    expect(merged.task!.z[0]! / merged.task!.z[1]!).toBeCloseTo(6 / 2, 5);
    expect(space.norm(merged.task!.z)).toBeCloseTo(1, 5);
    expect(merged.from).toEqual(["a@1", "b@1"]);
    expect(merged).not.toHaveProperty("plan");
  });

  it("mix plans and their origins, and take what only one has", () => {
    const both = [named("a", { plan: [stop(A)], origin: A }), named("b", { plan: [stop(B)], origin: B })];
    const merged = mergedStrategies(space, [...both, named("c", { task: { z: A, examples: 1 } })]);
    const half = expect.closeTo(Math.SQRT1_2, 5);
    expect([...merged.plan![0]!.z!]).toEqual([half, half]);
    expect([...merged.origin!]).toEqual([half, half]);
    expect(merged.task).toEqual({ z: A, examples: 1 });
  });

  it("are refused where they do not belong together", () => {
    const other = named("b", { space: { ...shape, base: "other" }, task: { z: B, examples: 1 } });
    const own = named("a", { task: { z: A, examples: 1 } });
    expect(() => mergedStrategies(space, [own, other])).toThrow(/strategy b: expected latents of base other/);
    const withOrigin = named("a", { plan: [stop(A)], origin: A });
    const without = named("b", { plan: [stop(B)] });
    expect(() => mergedStrategies(space, [withOrigin, without])).toThrow(
      /expected an origin for every plan, or for none, got 1 of 2/,
    );
    const edited = named("b", { plan: [{ text: "x", tolerance: 0.4, weight: 1 }] });
    expect(() => mergedStrategies(space, [edited])).toThrow(
      /^b: expected latents of all waypoints, got an edited text at 1/,
    );
  });
});

/** Tokens are letters; the model knows the latents of some texts. */
function fake(latents: Record<string, Float32Array>, prefixes = false) {
  const asked: string[] = [];
  const vae = {
    space,
    tokenizer: { encode: (text: string) => text, decode: (ids: string) => (prefixes ? ` ${ids}` : ids) },
    encode: async (texts: string[]) => {
      asked.push(...texts);
      return texts.map((text) => ({ mean: latents[text.trim()]! }));
    },
    decodeAll: async (zs: Float32Array[]) => zs.map((each) => ` ${[...each].join(" ")}`),
  };
  return { asked, vae: vae as unknown as BigVae };
}

describe("plans of a model", () => {
  it("encode a text behind a space, unless its first token has one", async () => {
    const { vae, asked } = fake({ here: A, there: B });
    expect(await planOfTexts(vae, ["here", " there", z(3, 4)])).toMatchObject([
      { z: A, text: "here" },
      { z: B },
      { z: z(3, 4) },
    ]);
    expect(asked).toEqual([" here", " there"]);
    const prefixing = fake({ here: A }, true);
    await planOfTexts(prefixing.vae, ["here"]);
    expect(prefixing.asked).toEqual(["here"]);
  });

  it("encode only what has no latent", async () => {
    const { vae, asked } = fake({ new: B });
    const plan = await settled(vae, [stop(A, "old"), { text: "new", tolerance: 0.1, weight: 0.5 }]);
    expect(plan).toEqual([stop(A, "old"), { z: B, text: "new", tolerance: 0.1, weight: 0.5 }]);
    expect(asked).toEqual([" new"]);
  });

  it("by analogy are c + b - a, with what the decoder makes of it as their text", async () => {
    const { vae } = fake({ a: z(1, 1), b: z(1, 3), c: z(4, 1) });
    const [found] = await planByAnalogy(vae, ["a", "b", "c"], { tolerance: 0.2 });
    expect(found).toEqual({ z: z(4, 3), text: "4 3", tolerance: 0.2, weight: 1 });
  });
});
