/** What each sampler asks of the model, in order, and what it returns; a fake model writes it down. The weights are MiniHF's. */
import { describe, expect, it } from "vitest";
import { type Latent, LatentSpace, mixScale } from "../../src/latent/index.js";
import { Rng } from "../../src/rng.js";
import type { Averaging } from "../../src/sampling/averaging.js";
import { AVG_PRESETS, avg } from "../../src/sampling/avg.js";
import type { LatentModel, SamplingOptions, TracedLatent } from "../../src/sampling/model.js";
import { type SamplerEntry, type SamplerInputs, type SamplerName, samplers } from "../../src/sampling/samplers.js";
import { waypoint } from "../../src/sampling/waypoints.js";
import { EXPECTED, EXPECTED_EARLY, MEANS } from "./expected.js";
import { BOS, FakeModel, type FakeOptions, fakeOptions, finish, STOP, show, text } from "./fakeModel.js";

/** P and Q are prompts, C the context, X and Y examples of a task, S a start, T a terminal; written texts are a, b, c, ... */
const INPUTS: SamplerInputs = {
  prompts: [text("P", 6), text("Q", 3)],
  context: text("C", 2),
  examples: [text("X", 6), text("Y", 3)],
  start: text("S", 3),
  terminal: text("T", 3),
  aeScale: 2,
  nStarts: 1,
};

/** Waypoints of the policy: the 31st and the 32nd unit vector, which no text is encoded to. */
const PLAN = [30, 31].map((place) => waypoint(Float32Array.from({ length: 32 }, (_, i) => (i === place ? 1 : 0))));
/** What a sampler is given: the policy a plan, which would stand in for the task of others. */
const inputsOf = (name: SamplerName, inputs: SamplerInputs): SamplerInputs =>
  name === "policy" ? { plan: PLAN, ...inputs } : inputs;

const NAMES = Object.keys(samplers) as SamplerName[];
const lines = (log: string) => log.trim().split(/\n\s*/);

async function run(name: SamplerName, fake: FakeOptions = {}, options: Partial<SamplingOptions> = {}, inputs = INPUTS) {
  const model = new FakeModel({ stopAt: 1, score: (target) => target.length, ...fake });
  const { write, defaults } = samplers[name];
  const { spans, written } = await finish(
    write(model, inputsOf(name, inputs), fakeOptions({ ...defaults, nSteps: 2, ...options })),
  );
  const texts = spans.map(({ ids }) => show(ids)).join(" | ");
  const next = written.next ? [`next ${show(written.next)}`] : [];
  return { model, spans, written, log: [...model.log, `yields ${texts}`, `returns ${show(written.ids)}`, ...next] };
}

describe("asks, in order", () => {
  it.each(NAMES)("%s", async (name) => {
    expect((await run(name)).log).toEqual(lines(EXPECTED[name]));
  });

  it("avg with the weights and lengths of the repository", async () => {
    const { log } = await run("avg", {}, { nSteps: 1 }, { ...INPUTS, preset: "repository" });
    expect(AVG_PRESETS.repository.draftPull).toBe(0.3);
    expect(log).toEqual(
      lines(`z1 = ^ P0-5
        z2 = ^ P0-5
        a = 0.3 z1 + 0.7 z2: 8 after ^ C0-1
        b = 0.3 z1 + 0.7 z2: 8 after ^ C0-1
        z3 = a4-7
        z4 = b4-7
        c = 0.2 z1 + 0.4 z3 + 0.4 z4: 4 after ^ C0-1
        yields c0-0 . c2-3
        returns ^ C0-1 ^ P0-5`),
    );
  });

  it("avg writes from the drafts' mean at their norm, from the one nearest to all, or from the only one", async () => {
    const asked = async (averaging: Averaging) => {
      const { log } = await run("avg", {}, { nSteps: 1, nAvg: 3 }, { ...INPUTS, averaging });
      return log.filter((line) => line.includes(": 8 after"));
    };
    expect(await asked("mean")).toEqual(["d = 0.3 z1 + 0.233 z3 + 0.233 z4 + 0.233 z5: 8 after ^ C0-1"]);
    // The mean of three unit vectors at right angles has the norm 1 / sqrt 3.
    expect(await asked("normKept")).toEqual(["d = 0.3 z1 + 0.404 z3 + 0.404 z4 + 0.404 z5: 8 after ^ C0-1"]);
    // All are equally far: the first.
    expect(await asked("medoid")).toEqual(["d = 0.3 z1 + 0.7 z3: 8 after ^ C0-1"]);
    expect(await asked("one")).toEqual(["b = 0.3 z1 + 0.7 z3: 8 after ^ C0-1"]);
  });

  it("avg with its own preset writes a span behind the one before it", async () => {
    const { log } = await run("avg", {}, { nSteps: 2, nAvg: 1 }, { ...INPUTS, preset: "thread" });
    const written = log.filter((line) => line.includes(": 4 after"));
    expect(written).toEqual([
      "a = 0.3 z1 + 0.7 z2: 4 after ^ C0-1 and ^ P0-5, endless",
      // The key of one slot is the latent itself, and moves half of the way to the prompt's.
      "b = 0.6 z1 + 0.4 z3: 4 after ^ C0-1 ^ P0-5, endless",
      "c = 0.3 z1 + 0.7 z4: 4 after ^ C0-1 ^ P0-5 and b0-0 . b2-3, endless",
      "d = 0.6 z1 + 0.4 z5: 4 after ^ C0-1 ^ P0-5 b0-0 . b2-3",
    ]);
  });

  it("avg leaves the drafts behind a short prompt to the base, and lets its last span alone end the text", async () => {
    const inputs = { ...INPUTS, prompts: [text("P", 1)], context: [], preset: "thread" as const };
    const { log } = await run(
      "avg",
      { eosId: STOP, stopAt: 4, length: () => 5 },
      { nSteps: 1, nAvg: 1, span: 8 },
      inputs,
    );
    expect(log).toEqual(
      lines(`z1 = ^ P0-0
        a = base: 8 after ^ ^ P0-0, endless
        z2 = a0-3
        b = 0.6 z1 + 0.4 z2: 8 after ^ ^ P0-0
        yields b0-3 .
        returns ^ ^ P0-0`),
    );
  });

  it("avg keeps the thread by default where latents have slots", async () => {
    const space = new LatentSpace({ zDim: 31, slots: 31, span: 4 });
    const asked = async (preset?: "thread") =>
      (await run("avg", { space }, {}, { ...INPUTS, ...(preset ? { preset } : {}) })).log;
    expect(await asked()).toEqual(await asked("thread"));
  });

  it("the more texts have a share in a latent, the more the base guides, where latents have slots", async () => {
    const space = new LatentSpace({ zDim: 31, slots: 31, span: 4 });
    const scales = async (name: SamplerName, options: Partial<SamplingOptions> = {}) =>
      (await run(name, { space }, { nSteps: 1, ...options })).spans.map(({ written }) => written.cfgScale);
    expect(await scales("generate")).toEqual([1]);
    // First the prompt alone.
    const [first, second] = await scales("guide", { nSteps: 2 });
    expect(first).toBe(1);
    expect(second).toBeCloseTo(mixScale([0.85, 0.15]), 10);
    // Two drafts with 0.4 each, and 0.2 of the prompt.
    expect((await scales("avg"))[0]).toBeCloseTo(mixScale([0.4, 0.4, 0.2]), 6);
    expect(await scales("avg", { cfgScale: 1.5 })).toEqual([1.5]);
  });

  it.each(NAMES)("%s without a beginning token where that is the end token", async (name) => {
    // The base writes behind a token that begins a text, whatever that is.
    const without = (line: string) =>
      line.includes("base:") ? line : line.replaceAll("^ ", "").replace(/after \^$/, "after nothing");
    expect((await run(name, { eosId: BOS })).log).toEqual(lines(EXPECTED[name]).map(without));
  });

  it("plan-search keeps the likeliest plan", async () => {
    const likesLong = await run("plan-search", { score: (target) => (show(target).startsWith("a") ? -2 : -1) });
    expect(likesLong.log.slice(-2)).toEqual([
      "yields b0-0 . b2-7 | c0-0 . c2-7",
      "returns C0-1 b0-0 . b2-3 c0-0 . c2-3",
    ]);
  });

  it("plan-search goes to the terminal whatever its last weight", async () => {
    const { model } = await run("plan-search", {}, { nSteps: 4 });
    const weights = model.log.filter((line) => / z1 \+ .*: 8 after/.test(line)).slice(-3);
    expect(weights.map((line) => line.split(" = ")[1]!.split(":")[0])).toEqual([
      expect.stringMatching(/^0\.25 z1 \+ 0\.75 /),
      expect.stringMatching(/^0\.5 z1 \+ 0\.5 /),
      expect.stringMatching(/^0\.75 z1 \+ 0\.25 /),
    ]);
  });
});

it.each(NAMES)("%s takes latents in place of texts, as they are", async (name) => {
  const unit = (place: number) => Float32Array.from({ length: 32 }, (_, i) => (i === place ? 1 : 0));
  const given = { prompt: unit(28), start: unit(29), terminal: unit(30), task: unit(31) };
  const { prompt, start, terminal, task } = given;
  const inputs = { ...INPUTS, prompts: [prompt], start, terminal, examples: [task] };
  const { spans } = await run(name, {}, { noise: 1 }, inputs);
  const used = new Map<string, Latent>();
  const visit = ({ role, z, parents, ids }: TracedLatent) => {
    if (ids === undefined && parents.length === 0) used.set(role, z);
    for (const parent of parents) visit(parent.latent);
  };
  for (const { latent, drafts } of spans)
    for (const from of [latent, ...drafts.map((draft) => draft.from)]) if (from) visit(from);
  const { needs, takes } = samplers[name] as SamplerEntry;
  const roles = [...needs, ...takes].filter((input) => input in given) as (keyof typeof given)[];
  for (const role of roles) expect([role, used.get(role)]).toEqual([role, given[role]]);
});

describe("a task vector counts as its examples would", () => {
  const unit = (place: number) => Float32Array.from({ length: 32 }, (_, i) => (i === place ? 1 : 0));
  const [a, b, c] = [unit(29), unit(30), unit(31)];
  const mean = a.map((_, i) => (a[i]! + b[i]!) / 2);

  it.each(["task", "paragraph", "paragraph-topic", "plan", "plan-2"] as const)("in %s", async (name) => {
    const taskOf = async (examples: SamplerInputs["examples"]) => {
      const { spans } = await run(name, {}, { noise: 0, nSteps: 2 }, { ...INPUTS, examples });
      const tasks: TracedLatent[] = [];
      const visit = (latent: TracedLatent) => {
        if (latent.role === "task" && latent.parents.length > 0) tasks.push(latent);
        for (const parent of latent.parents) visit(parent.latent);
      };
      for (const { latent, drafts } of spans)
        for (const from of [latent, ...drafts.map((d) => d.from)]) if (from) visit(from);
      return tasks[0]!;
    };
    const direction = ({ z }: TracedLatent) => Array.from(z, (value) => expect.closeTo(value / Math.hypot(...z), 5));
    const [whole, counted] = [await taskOf([a, b, c]), await taskOf([{ z: mean, examples: 2 }, c])];
    expect(Array.from(counted.z, (value) => value / Math.hypot(...counted.z))).toEqual(direction(whole));
    expect(counted.z[29]).toBeCloseTo(counted.z[31]! * 1, 5);
    // A sum is as long as that of the examples; a mean has the mean of the lengths, and a mean of two is shorter than they.
    if (name === "paragraph") expect(Array.from(counted.z)).toEqual(Array.from(whole.z));
  });
});

it("a latent in place of a text is one text for guidance, however often it is used", async () => {
  const space = new LatentSpace({ zDim: 31, slots: 31, span: 4 });
  const prompt = Float32Array.from({ length: 32 }, (_, i) => (i === 28 ? 1 : 0));
  const { spans } = await run("guide", { space }, { nSteps: 1 }, { ...INPUTS, prompts: [prompt] });
  expect(spans.map(({ written }) => written.cfgScale)).toEqual([1]);
});

describe("where rows end early", () => {
  it.each(Object.keys(EXPECTED_EARLY) as SamplerName[])("%s uses what there is", async (name) => {
    expect((await run(name, { length: () => 3 })).log).toEqual(lines(EXPECTED_EARLY[name]!));
  });

  it.each(NAMES)("%s never encodes an empty span, whatever the lengths", async (name) => {
    for (let seed = 0; seed < 30; seed++) {
      const rng = Rng.fromSeed(seed);
      const { spans } = await run(name, { length: () => 1 + rng.integer(9) }, { nSteps: 4 });
      expect(spans.length).toBeGreaterThan(0);
    }
  });

  it("drafts are encoded without their end token", async () => {
    const { log } = await run("avg", { eosId: STOP, length: () => 3, stopAt: 2 }, { nSteps: 1 });
    expect(log).toContain("a = 0.5 z1 + 0.5 z2: 16 after ^ C0-1");
    expect(log.filter((line) => /^z[34] = /.test(line))).toEqual(["z3 = a0-1", "z4 = b0-1"]);
  });

  it("prose keeps a text without a full stop", async () => {
    const { log } = await run("prose", { stopAt: -1 }, { nSteps: 1 });
    expect(log).toContain("z3 = a2-3 ~ ~");
    expect(log).toContain("b = z3: 8 after C0-1 a0-1");
  });
});

describe("noise", () => {
  const roots = ({ parents, ...latent }: TracedLatent): Omit<TracedLatent, "parents">[] =>
    parents.length === 0 ? [latent] : parents.flatMap((parent) => roots(parent.latent));

  it.each(NAMES)("%s draws from the posterior, or takes its mean, as the original does", async (name) => {
    const { spans } = await run(name, {}, { noise: 1 });
    const latents = spans
      .flatMap(({ latent, drafts }) => [latent, ...drafts.flatMap(({ from }) => from ?? [])])
      .flatMap(roots);
    const encoded = latents.filter(({ role }) => role !== "random");
    // The fake's means are unit vectors.
    const isMean = ({ z }: { z: Latent }) => z.filter((value) => value !== 0).length === 1;
    expect(encoded.length > 0 || name === "plan-search").toBe(true);
    for (const latent of encoded) expect(isMean(latent), latent.role).toBe(MEANS[name]?.includes(latent.role) ?? false);
  });

  it("plans begin from a random latent where there is no start, and go toward the task as far as weights say", async () => {
    const inputs = { ...INPUTS, start: undefined };
    for (const name of ["plan", "plan-2"] as const) {
      const parents = async (weights: Record<string, number>) => {
        const { spans } = await run(name, {}, { nSteps: 1, weights }, inputs);
        const written = spans[0]!;
        const from = name === "plan" ? written.drafts[0]!.from : written.latent.parents[0]!.latent;
        return from!.parents.map(({ latent, weight }) => [latent.role, Number(weight.toFixed(3))]);
      };
      expect(await parents({})).toEqual([
        ["random", 0.7],
        ["task", 0.3],
      ]);
      expect(await parents({ random: 0.9 })).toEqual([
        ["random", 0.9],
        ["task", 0.1],
      ]);
    }
  });

  it.each(NAMES)("%s: each row of each call has its own", async (name) => {
    const { model } = await run(name);
    expect(new Set(model.rngKeys).size).toBe(model.rngKeys.length);
  });

  it.each(NAMES)("%s: a seed repeats it, another changes it", async (name) => {
    const noises = async (seed: number) => (await run(name, {}, { rng: Rng.fromSeed(seed) })).model.rngKeys;
    expect(await noises(1)).toEqual(await noises(1));
    expect(await noises(1)).not.toEqual(await noises(2));
  });

  it("a draft's noise does not depend on how many drafts there are", async () => {
    const noises = async (nAvg: number) => (await run("avg", {}, { nAvg, nSteps: 1 })).model.rngKeys;
    const [two, five] = [await noises(2), await noises(5)];
    expect(five.slice(0, 2)).toEqual(two.slice(0, 2));
    expect(five.at(-1)).toBe(two.at(-1));
  });

  it("on latents is drawn anew for each, and none where noise is 0", async () => {
    const zs = async (noise: number) =>
      (await run("guide", {}, { noise })).spans.map(({ latent }) => latent.parents[0]!.latent);
    const [a, b] = await zs(1);
    expect(a!.z).not.toEqual(b!.z);
    expect((await zs(0)).every(({ z }) => Math.hypot(...z) === 1)).toBe(true);
  });
});

describe("on the way", () => {
  it.each(NAMES)("%s gives each token of the spans, and none of drafts or of plans that were dropped", async (name) => {
    const streamed: number[] = [];
    const { spans } = await run(name, {}, { onToken: (id) => void streamed.push(id) });
    expect(streamed).toEqual(spans.flatMap(({ ids }) => ids));
  });

  it.each(NAMES)("%s names the origin of every latent", async (name) => {
    const { spans } = await run(name);
    for (const { latent, written } of spans) {
      expect(written.rngKey).toHaveLength(4);
      const roots = [latent];
      for (const found of roots) roots.push(...found.parents.map(({ latent: parent }) => parent));
      for (const root of roots.filter(({ parents }) => parents.length === 0))
        expect(root.ids !== undefined || ["random", "waypoint"].includes(root.role)).toBe(true);
    }
  });

  it("an error of the model ends the run", async () => {
    const model: LatentModel = new FakeModel();
    model.write = async () => Promise.reject(new Error("no room"));
    await expect(finish(samplers.guide.write(model, INPUTS, fakeOptions()))).rejects.toThrow("no room");
  });
});

describe("what is missing is named", () => {
  const cases: [SamplerName, Partial<SamplerInputs>, RegExp][] = [
    ["guide", { prompts: [] }, /give `prompt`, the text/],
    ["task", { examples: [] }, /give `task`, example/],
    ["plan", { terminal: undefined }, /give `terminal`, the text/],
  ];
  it.each(cases)("%s", async (name, change, message) => {
    await expect(run(name, {}, {}, { ...INPUTS, ...change })).rejects.toThrow(message);
  });
});

describe("in a window", () => {
  it.each(NAMES)("%s keeps the newest tokens of its context, and says so once", async (name) => {
    const warnings: string[] = [];
    const options = { nSteps: 9, onWarning: (text: string) => warnings.push(text) };
    const { spans, model } = await run(name, { maxPositions: 24 }, options, { ...INPUTS, context: text("C", 30) });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(
      /^the window of 24 tokens is full; from here on it holds the newest \d+ of the context/,
    );
    for (const { written } of spans) expect(written.context.length + written.nTokens).toBeLessThanOrEqual(24);
    expect(model.log.join()).toMatch(/after C\d+-29/);
    expect(model.log.join()).not.toContain("C0-");
  });

  it.each(NAMES)(
    "%s is refused before it writes anything where the window does not hold its longest text",
    async (name) => {
      const model = new FakeModel({ maxPositions: 7 });
      const sampler = samplers[name].write(model, inputsOf(name, INPUTS), fakeOptions({ span: 8 }));
      await expect(sampler.next()).rejects.toMatchObject({
        kind: "usage",
        message: expect.stringMatching(
          /^`span`: expected .* window of 7 tokens, got 8, which makes it \d+ long; give \d+ or fewer$/,
        ),
      });
      expect(model.rngKeys).toEqual([]);
    },
  );
});

it.each(NAMES)("%s tells the model where an end token ends nothing, and a replay too", async (name) => {
  const asked: (boolean | undefined)[] = [];
  const model = new FakeModel({ stopAt: 1, score: () => 0 });
  const write = model.write.bind(model);
  model.write = (rows, context, options) => {
    asked.push(options.ignoreEos);
    return write(rows, context, options);
  };
  const options = fakeOptions({ ...samplers[name].defaults, nSteps: 2, ignoreEos: true });
  const { spans } = await finish(samplers[name].write(model, inputsOf(name, INPUTS), options));
  expect(new Set(asked)).toEqual(new Set([true]));
  for (const { written } of spans) expect(written.ignoreEos).toBe(true);
});

describe("experts", () => {
  it("are chosen for each span and each draft by the latent that it is written from", async () => {
    const model = new FakeModel();
    const written: string[] = [];
    const { write } = model;
    model.write = (rows, ...rest) => {
      for (const { z, experts } of rows) written.push(z ? experts!.map(({ name }) => name).join() : "base");
      return write.call(model, rows, ...rest);
    };
    const experts = {
      choose: (z: Float32Array) => [{ name: `${z.findLastIndex((value) => value > 0)}`, folder: "", weight: 1 }],
    };
    const { spans } = await finish(avg(model, text("P", 4), [], fakeOptions({ experts }), AVG_PRESETS.card));
    const of = (z: Float32Array) => experts.choose(z)[0]!.name;
    expect(spans.map(({ written: { experts: by } }) => by?.map(({ name }) => name))).toEqual(
      spans.map(({ latent }) => [of(latent.z)]),
    );
    const expected = spans.flatMap(({ latent, drafts }) => [
      ...drafts.map(({ from }) => (from ? of(from.z) : "base")),
      of(latent.z),
    ]);
    expect(written).toEqual(expected);
  });
});
