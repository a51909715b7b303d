/** Strategies merged by closed forms, and plans of a model that encodes by a table. */
import { describe, expect, it } from "vitest";
import type { BigVae } from "../bigVae.js";
import { LatentSpace } from "../latent/index.js";
import type { SpaceIdentity } from "../memory/types.js";
import type { NamedStrategy } from "../plans/index.js";
import { DEFAULT_TOLERANCE } from "../sampling/waypoints.js";
import { distancesOf, editedPlan, type PlanEdit } from "./planMaking.js";
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

describe("a plan that is edited", () => {
  const plan = [stop(A, "here"), { ...stop(B), weight: 0.5 }];

  it("keeps the numbers of a waypoint that says something else, and loses a text that it no longer says", async () => {
    const { vae, asked } = fake({ there: B });
    expect(await editedPlan(vae, plan, 1, { text: "there" })).toEqual([stop(B, "there"), plan[1]]);
    expect(await editedPlan(vae, plan, 1, { z: z(3, 4) })).toEqual([stop(z(3, 4)), plan[1]]);
    // A latent and what it says, as the map has both.
    expect(await editedPlan(vae, plan, 2, { z: z(3, 4), text: "far" })).toEqual([
      plan[0],
      { ...stop(z(3, 4), "far"), weight: 0.5 },
    ]);
    expect(await editedPlan(vae, plan, 1, { tolerance: 0 })).toEqual([{ ...plan[0], tolerance: 0 }, plan[1]]);
    expect(asked).toEqual([" there"]);
  });

  it("takes a new waypoint at its beginning and its end, with the usual numbers, and loses one", async () => {
    const { vae } = fake({ new: z(5, 5) });
    const added = { z: z(5, 5), text: "new", tolerance: DEFAULT_TOLERANCE, weight: 1 };
    expect(await editedPlan(vae, plan, 1, { insert: true, text: "new" })).toEqual([added, ...plan]);
    expect(await editedPlan(vae, plan, 3, { insert: true, text: "new" })).toEqual([...plan, added]);
    expect(await editedPlan(vae, plan, 1, { remove: true })).toEqual([plan[1]]);
  });

  it.each<[string, number, PlanEdit, RegExp]>([
    ["no waypoint of that number", 3, { tolerance: 0.1 }, /^waypoint 3: expected a number from 1 to 2, got 3/],
    ["half a waypoint", 1.5, { tolerance: 0.1 }, /^waypoint 1.5: expected a number from 1 to 2/],
    ["a number that none is", 1, { weight: 2 }, /expected `weight` to be a number from 0 to 1, got 2/],
    ["a latent of another width", 1, { z: z(1) }, /waypoint 1: expected .*2.* got 1/],
    ["such a latent further on", 2, { z: z(1) }, /waypoint 2: expected .*2.* got 1/],
    ["a change and a removal", 1, { remove: true, weight: 1 }, /expected `remove` alone, got other changes too/],
    ["nothing to put there", 1, { insert: true, weight: 1 }, /expected the `text` of the new waypoint, got none/],
  ])("is refused with %s", async (_, number, edit, message) => {
    await expect(editedPlan(fake({}).vae, plan, number, edit)).rejects.toThrow(message);
  });

  it("says how far its waypoints are from their neighbours", () => {
    const [first, last] = distancesOf(space, [stop(A), stop(z(2, 0))]);
    expect([first, last]).toEqual([{ toNext: expect.closeTo(0, 5) }, { toPrevious: expect.closeTo(0, 5) }]);
    expect(distancesOf(space, [stop(A)])).toEqual([{}]);
  });
});

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
