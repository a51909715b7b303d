/** Plans by closed forms: what a merge, an analogy, a search and the policy give in a space of letters, where every figure can be counted. */
import { describe, expect, it } from "vitest";
import { type Latent, LatentSpace } from "../../src/latent/index.js";
import type { LatentModel, SamplingOptions, TokenIds } from "../../src/sampling/model.js";
import { paragraph } from "../../src/sampling/paragraph.js";
import { planShare } from "../../src/sampling/planWalk.js";
import { bridge, policy } from "../../src/sampling/policy.js";
import { searchPlan } from "../../src/sampling/searchPlan.js";
import {
  checkPlan,
  latentDistance,
  lineBetweenLatents,
  mergedPlans,
  type Plan,
  transposed,
  waypoint,
} from "../../src/sampling/waypoints.js";
import { fakeOptions, finish } from "./fakeModel.js";

const space = new LatentSpace({ zDim: 3, slots: 1, span: 4 });
const z = (...values: number[]): Latent => Float32Array.from(values);
const [A, B, C] = [z(1, 0, 0), z(0, 1, 0), z(0, 0, 1)];
const letters = (text: string): number[] => Array.from(text, (letter) => "abc".indexOf(letter));
const close = (a: Latent, b: readonly number[]) => expect([...a]).toEqual(b.map((value) => expect.closeTo(value, 5)));

interface Asked {
  z: Latent | undefined;
  context: string;
}

/**
 * Tokens are a, b and c; a latent is the share of each in its text. The router writes the letter with the greatest share in z, four times; the base goes
 * on with the letter that the context ends with, or those that are given, draft by draft.
 */
class Letters implements LatentModel {
  readonly space = space;
  readonly asked: Asked[] = [];
  readonly tokenizer = {
    encode: letters,
    decode: (ids: TokenIds) => ids.map((id) => "abc"[id]).join(""),
  };

  constructor(
    readonly drafts?: string,
    readonly likes?: (text: string) => number,
  ) {}

  async encode(spans: readonly TokenIds[]) {
    return spans.map((ids) => ({ mean: z(...[0, 1, 2].map((letter) => share(ids, letter))) }));
  }

  async write(
    rows: Parameters<LatentModel["write"]>[0],
    context: TokenIds,
    { nTokens, writer }: Parameters<LatentModel["write"]>[2],
  ) {
    return rows.map(({ z }, row) => {
      const own = writer === "base" ? (letters(this.drafts?.[row] ?? "")[0] ?? context.at(-1) ?? 0) : likeliest(z!);
      if (writer !== "base") this.asked.push({ z, context: this.tokenizer.decode(context) });
      return new Array<number>(nTokens).fill(own);
    });
  }

  async score(rows: Parameters<LatentModel["score"]>[0]) {
    return rows.map(({ target }) => this.likes?.(this.tokenizer.decode(target)) ?? 0);
  }
}

const share = (ids: TokenIds, letter: number) => ids.filter((id) => id === letter).length / ids.length;
const likeliest = (z: Latent) => z.indexOf(Math.max(...z));
const options = (changes: Partial<SamplingOptions> = {}) => fakeOptions({ nSteps: 9, ...changes });
const ordered = (plan: Plan) => plan.map(({ z }) => [...z].map((value) => Number(value.toFixed(3))));

async function follow(plan: Plan, context = "aaaa", changes: Partial<SamplingOptions> = {}, nTries?: number) {
  const model = new Letters();
  const { spans, written } = await finish(policy(model, { plan, context: letters(context), nTries }, options(changes)));
  return { model, spans, steps: spans.map(({ plan }) => plan!), text: model.tokenizer.decode(written.ids) };
}

it("is written by experts where there are any, those of what each span is written from", async () => {
  const choose = (of: Latent) => [{ name: `${likeliest(of)}`, folder: "", weight: 1 }];
  const { spans } = await follow([waypoint(B)], "aaaa", { experts: { choose } });
  expect(spans.length).toBeGreaterThan(0);
  for (const { latent, written } of spans) expect(written.experts).toEqual(choose(latent.z));
});

describe("a plan", () => {
  it("is as far from a latent as they are unlike", () => {
    expect(latentDistance(space, A, A)).toBeCloseTo(0, 6);
    expect(latentDistance(space, A, B)).toBeCloseTo(1, 6);
    expect(latentDistance(space, A, z(-1, 0, 0))).toBeCloseTo(2, 6);
  });

  it("lies evenly between two latents, at a norm between theirs", () => {
    const line = lineBetweenLatents(space, A, B, 3);
    const norms = line.map(({ z }) => space.norm(z));
    for (const norm of norms) expect(norm).toBeCloseTo(1, 5);
    close(line[1]!.z, [Math.SQRT1_2, Math.SQRT1_2, 0]);
    expect(line.map(({ z }) => z[0]! > z[1]!)).toEqual([true, false, false]);
    const slots = new LatentSpace({ zDim: 2, slots: 2, span: 4 });
    expect(ordered(lineBetweenLatents(slots, z(1, 0, 0), z(0, 1, 1), 1))).toEqual([[0.5, 0.5, 0.5]]);
  });

  it("is moved by analogy: z + to - from, without its texts", () => {
    const moved = transposed(space, [{ ...waypoint(B, { text: "bbbb", tolerance: 0.2 }) }], A, C);
    expect(moved).toEqual([{ z: z(-1, 1, 1), tolerance: 0.2, weight: 1 }]);
  });

  it("by analogy keeps the length of its texts", () => {
    const slots = new LatentSpace({ zDim: 2, slots: 2, span: 4 });
    const of = (length: number) => slots.withLength(z(1, 0), length);
    const [moved] = transposed(slots, [waypoint(of(8))], of(4), of(1));
    expect(slots.lengthOf(moved!.z)).toBeCloseTo(8, 5);
  });
});

describe("merged plans", () => {
  it("are mixed place by place, at the mean norm", () => {
    const merged = mergedPlans(space, [
      [waypoint(A, { tolerance: 0.2 })],
      [waypoint(B, { tolerance: 0.6, weight: 0.5 })],
    ]);
    close(merged[0]!.z, [Math.SQRT1_2, Math.SQRT1_2, 0]);
    expect(merged[0]).toMatchObject({ tolerance: expect.closeTo(0.4, 6), weight: expect.closeTo(0.75, 6) });
  });

  it("count by their weights", () => {
    const [mixed] = mergedPlans(space, [[waypoint(A)], [waypoint(B)]], [3, 1]);
    expect(mixed!.z[0]! / mixed!.z[1]!).toBeCloseTo(3, 5);
    // Their sum is larger than any number.
    const plans = [[waypoint(A)], [waypoint(B)]];
    expect(mergedPlans(space, plans, [1e308, 1e308])).toEqual(mergedPlans(space, plans));
  });

  it("are as long as the longest, the shorter ones read in between", () => {
    const long = [waypoint(A), waypoint(B), waypoint(C)];
    const merged = mergedPlans(space, [long, [waypoint(A), waypoint(C)]]);
    expect(merged).toHaveLength(3);
    close(merged[0]!.z, [1, 0, 0]);
    // Half-way of the shorter lies (a + c) at norm 1; half of b is added, at norm 1 again.
    const half = Math.SQRT1_2;
    const norm = Math.hypot(half, 1, half);
    close(merged[1]!.z, [half / norm, 1 / norm, half / norm]);
    close(merged[2]!.z, [0, 0, 1]);
  });

  it("of one plan are that plan, its texts too", () => {
    const plan = [waypoint(A, { text: "aaaa" }), waypoint(B)];
    expect(mergedPlans(space, [plan])).toEqual(plan);
  });

  it.each([
    [[], undefined, /got plans of nothing/],
    [[[]], undefined, /got plans of 0/],
    [[[waypoint(A)]], [0], /with the weights 0/],
    [[[waypoint(A)]], [1, 1], /with the weights 1, 1/],
  ])("refuse %j %j", (plans, weights, message) => {
    expect(() => mergedPlans(space, plans, weights)).toThrow(message);
  });
});

describe("what is no plan is refused", () => {
  it.each([
    [[], /expected at least one waypoint, got an empty list/],
    [{ waypoints: [] }, /expected a list of waypoints, got a value of type object/],
    [[{}], /a latent as z of waypoint 1/],
    [[waypoint(z(1))], /waypoint 1: expected 3 values, got 1/],
    [[waypoint(z(1, 0, Number.NaN))], /waypoint 1: expected finite values/],
    [
      [waypoint(A), waypoint(A, { tolerance: 3 })],
      /waypoint 2: expected `tolerance` to be a number from 0 to 2, got 3/,
    ],
    [[waypoint(A, { weight: -1 })], /`weight` to be a number from 0 to 1, got -1/],
  ])("%#", (plan, message) => {
    expect(() => checkPlan("plan", plan as Plan, 3)).toThrow(message);
  });
});

describe("the plan's share", () => {
  it("grows with agreement and with each try, and is never more than the weight", () => {
    const s = (agreement: number, tries = 1, weight = 1) => planShare({ weight, agreement, tries, lead: 0.3 });
    expect(s(0)).toBeCloseTo(0.3, 10);
    expect(s(1)).toBeCloseTo(1, 10);
    expect(s(0.5)).toBeCloseTo(0.65, 10);
    expect(s(0, 2)).toBeCloseTo(1 - 0.7 ** 2, 10);
    expect(s(0, 2, 0.5)).toBeCloseTo(0.5 * (1 - 0.7 ** 2), 10);
    // Against the plan, and yet not away from it.
    expect(s(-1)).toBe(0);
  });
});

describe("the policy", () => {
  it("writes from what the context would say and the waypoint, pulls harder at the next try, and goes on when it is there", async () => {
    const { model, steps, text } = await follow([waypoint(B), waypoint(C)]);
    // 0.3 of b leaves a; 0.51 of b is b. Then the same for c.
    expect(text).toBe("aaaaaaaabbbbbbbbcccc");
    expect(
      steps.map(({ waypoint, tries, share, isReached }) => [waypoint, tries, Number(share.toFixed(3)), isReached]),
    ).toEqual([
      [1, 1, 0.3, false],
      [1, 2, 0.51, true],
      [2, 1, 0.3, false],
      [2, 2, 0.51, true],
    ]);
    expect(steps.map(({ distance }) => Number(distance.toFixed(3)))).toEqual([1, 0, 1, 0]);
    close(model.asked[0]!.z!, [0.7, 0.3, 0]);
    // Two attempts a span, behind all that was written.
    expect(model.asked.map(({ context }) => context.length)).toEqual([4, 4, 8, 8, 12, 12, 16, 16]);
  });

  it("leans on the plan at once where the context agrees with it", async () => {
    const { steps } = await follow([waypoint(A)]);
    expect(steps).toHaveLength(1);
    expect(steps[0]).toMatchObject({ agreement: expect.closeTo(1, 6), share: expect.closeTo(1, 6), isReached: true });
  });

  it("finds a waypoint on the way after nTries spans, asks for it first, and then tries anew", async () => {
    const { steps } = await follow([waypoint(B)], "aaaa", {}, 1);
    // The search goes half of the way: of 0.5 a + 0.5 b the first is a, which is reached; then b is tried once more.
    expect(
      steps.slice(0, 3).map(({ waypoint, waypoints, isFound, isReached }) => [waypoint, waypoints, isFound, isReached]),
    ).toEqual([
      [1, 1, false, false],
      [1, 2, true, true],
      [2, 2, false, false],
    ]);
  });

  it("ends after nSteps spans, and says what it did not reach", async () => {
    const { steps } = await follow([waypoint(B, { weight: 0.1 })], "aaaa", { nSteps: 3 });
    expect(steps).toHaveLength(3);
    expect(steps.at(-1)!.isReached).toBe(false);
  });

  it("keeps the best of its attempts: likely, near to the waypoint, and like the span before", async () => {
    const model = new Letters();
    let row = 0;
    model.write = async (rows, _context, { nTokens, writer }) =>
      rows.map(() => new Array<number>(nTokens).fill(writer === "base" ? 0 : row++ % 2));
    const kept = async (likelihood: number) => {
      row = 0;
      const likes = (text: string) => (text.startsWith("a") ? 0 : -likelihood);
      model.score = async (rows) => rows.map(({ target }) => likes(model.tokenizer.decode(target)));
      const plan = [waypoint(B)];
      const run = policy(model, { plan, context: letters("cccc") }, options({ nSteps: 1 }));
      return model.tokenizer.decode((await finish(run)).spans[0]!.ids);
    };
    // b is nearer by 1, which counts 4.
    expect(await kept(3.9)).toBe("bbbb");
    expect(await kept(4.1)).toBe("aaaa");
  });

  it("records what was asked for and what was written, for the trace", async () => {
    const { spans } = await follow([waypoint(B)]);
    for (const { plan, latent, written } of spans) {
      expect(plan!.asked).toEqual({ z: B, role: "waypoint", parents: [] });
      expect(plan!.written.ids).toHaveLength(4);
      expect(latent.parents.at(-1)!.latent).toBe(plan!.asked);
      expect(written.nTokens).toBe(4);
    }
  });
});

describe("a search", () => {
  it("goes evenly to the goal, and its waypoints have texts", async () => {
    const search = { context: letters("aaaa"), goal: B, length: 4 };
    const plan = await searchPlan(new Letters(), search, options());
    // A quarter, a half and three quarters of b: a, a (the first of two alike), b; then the goal itself.
    expect(plan.map(({ text }) => text)).toEqual(["aaaa", "aaaa", "bbbb", undefined]);
    expect(ordered(plan)).toEqual([[...A], [...A], [...B], [...B]]);
  });

  it("takes the direction that the router finds likelier, if it is not too far from the goal", async () => {
    const found = async (likes: number) => {
      const model = new Letters("ac", (text) => (text.startsWith("c") ? likes : 0));
      const [first] = await searchPlan(model, { context: [], goal: A, length: 2 }, options());
      return first!.text;
    };
    // To the goal a; half of it each: the draft a gives a, the draft c gives 0.5 a + 0.5 c, of which a is the first.
    expect(await found(9)).toBe("aaaa");
    const away = async (likes: number) => {
      const model = new Letters("bc", (text) => (text.startsWith("c") ? likes : 0));
      const [first] = await searchPlan(model, { context: [], goal: z(0, 0.2, 0), length: 2 }, options());
      return first!.text;
    };
    // c is 1 farther from the goal, which counts 4.
    expect(await away(3.9)).toBe("bbbb");
    expect(await away(4.1)).toBe("cccc");
  });

  it("with a wider beam finds a plan that a narrow one misses", async () => {
    // b is a bad first step, and the only one from which c, the likeliest second, can be written.
    const likes = (text: string) => (text.startsWith("c") ? 9 : text.startsWith("b") ? -1 : 0);
    const model = () => {
      const letters = new Letters("ab", likes);
      const write = letters.write.bind(letters);
      letters.write = async (rows, context, how) =>
        context.at(-1) === 1 ? rows.map(() => [2, 2, 2, 2]) : write(rows, context, how);
      return letters;
    };
    const goal = z(0, 0, 0.01);
    const found = async (beam: number) =>
      (await searchPlan(model(), { context: [], goal, length: 3, beam }, options())).map(({ text }) => text);
    expect(await found(1)).toEqual(["aaaa", "aaaa", undefined]);
    expect(await found(2)).toEqual(["bbbb", "cccc", undefined]);
  });

  it("of one waypoint is the goal alone, and writes nothing", async () => {
    const model = new Letters();
    expect(await searchPlan(model, { context: [], goal: B, length: 1 }, options())).toEqual([waypoint(B)]);
    expect(model.asked).toEqual([]);
  });
});

describe("samplers on plans", () => {
  it("bridge has a span for each waypoint of the line, reached or not, behind the start", async () => {
    const model = new Letters();
    const inputs = { start: letters("aaaa"), terminal: letters("bbbb"), context: letters("cc") };
    const { spans, written } = await finish(bridge(model, inputs, options({ nSteps: 3 })));
    expect(spans.map(({ plan }) => plan!.waypoint)).toEqual([1, 2, 3]);
    expect(model.tokenizer.decode(written.ids)).toMatch(/^ccaaaa/);
    const roots = spans[0]!.plan!.asked.parents.map(({ latent, weight }) => [latent.role, weight]);
    expect(roots).toEqual([
      ["start", 0.75],
      ["terminal", 0.25],
    ]);
  });

  it("bridge does not write its start again where the context ends with it", async () => {
    const model = new Letters();
    const inputs = { start: letters("aaaa"), terminal: letters("bbbb"), context: letters("ccaaaa") };
    await finish(bridge(model, inputs, options({ nSteps: 1 })));
    expect(model.asked[0]!.context).toBe("ccaaaa");
  });

  it("paragraph goes along a plan where there is one, and ends with it", async () => {
    const model = new Letters();
    model.tokenizer.encode = () => [0];
    const plan = [waypoint(B)];
    const run = paragraph(model, letters("aaaa"), [], [], options({ noise: 0 }), plan);
    const { spans } = await finish(run);
    const steps = spans.flatMap(({ plan }) => plan ?? []);
    expect(steps.at(-1)!.isReached).toBe(true);
    // One span more: the next topic.
    expect(spans).toHaveLength(steps.length + 1);
    expect(steps[0]!.share).toBeCloseTo(
      planShare({ weight: 1, agreement: steps[0]!.agreement, tries: 1, lead: 0.2 }),
      6,
    );
  });
});
