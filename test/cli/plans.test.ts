/** `bigvae plan` and `bigvae strategy` as a user types them, and runs along what they made. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EXIT_CODES } from "../../src/errors.js";
import { LatentSpace } from "../../src/latent/index.js";
import { latentDistance } from "../../src/sampling/waypoints.js";
import { bigvae, jsonLines, TINY } from "./run.js";

const PATIENCE = { timeout: 120_000 };
/** Short spans, so that a run takes a moment. */
const SHORT = ["--span", "8", "--n-avg", "2", "--steps", "2"];

let root: string;
const at = (name: string) => join(root, name);
const storm = ["plan", "make", "PLAN", "A storm came up.", "They came home."];
const inRoot = (words: readonly string[]) =>
  words.map((word) => (/^[A-Z]+$/.test(word) ? at(`${word.toLowerCase()}.json`) : word));
const run = (...words: string[]) => bigvae(inRoot(words));

interface Shown {
  text?: string;
  tolerance: number;
  weight: number;
  z?: number[];
}
const shown = async (name: string) =>
  jsonLines<{ waypoints: Shown[] }>(await run("plan", "show", name, "--json"))[0]!.waypoints;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "bigvae-plans-"));
  expect((await run(...storm, ...TINY)).code).toBe(0);
});
afterAll(() => rm(root, { recursive: true }));

describe("bigvae plan", PATIENCE, () => {
  it("makes a plan of texts, and shows it without a model", async () => {
    const { stdout, code } = await run("plan", "show", "PLAN");
    expect(code).toBe(0);
    const waypoints = await shown("PLAN");
    const space = new LatentSpace({ zDim: 48, slots: 1, span: 64 });
    const apart = latentDistance(space, Float32Array.from(waypoints[0]!.z!), Float32Array.from(waypoints[1]!.z!));
    expect(apart).toBeGreaterThan(0.1);
    expect(stdout).toBe(
      `  1  tolerance 0.45  weight 1.00  A storm came up.\n  2  tolerance 0.45  weight 1.00  They came home.  (${apart.toFixed(2)} from 1)\n`,
    );
    for (const { z } of waypoints) expect(z).toHaveLength(48);
  });

  it("says of a text that is longer than a span that it is read less exactly", async () => {
    const { code, stderr } = await run("plan", "make", "LONG", "It rained on the hill. ".repeat(30), ...TINY);
    expect(code).toBe(0);
    expect(stderr).toMatch(/tokens, more than the span of 64; it is encoded whole, and less exactly/);
  });

  it("makes one along a line, by analogy and by search", async () => {
    expect(
      (await run("plan", "make", "LINE", "A storm.", "A calm.", "--by", "line", "--steps", "3", ...TINY)).code,
    ).toBe(0);
    const line = await shown("LINE");
    expect(line).toHaveLength(3);
    expect(line[2]!.text).toBe("A calm.");

    const words = ["The fox was sad.", "The fox was glad.", "The owl was sad."];
    expect(
      (await run("plan", "make", "ANALOGY", ...words, "--by", "analogy", "--tolerance", "0.3", ...TINY)).code,
    ).toBe(0);
    expect(await shown("ANALOGY")).toEqual([expect.objectContaining({ tolerance: 0.3, weight: 1 })]);

    const search = [
      "--by",
      "search",
      "--context",
      "A storm.",
      "--steps",
      "3",
      "--n-avg",
      "2",
      "--beam",
      "1",
      "--seed",
      "4",
    ];
    for (const name of ["SEARCH", "AGAIN"])
      expect((await run("plan", "make", name, "A calm.", ...search, ...TINY)).code).toBe(0);
    const found = await shown("SEARCH");
    expect(found).toHaveLength(3);
    expect(found.at(-1)!.text).toBe("A calm.");
    // A seed repeats a search.
    expect(await shown("AGAIN")).toEqual(found);
  });

  it("edits, inserts and removes waypoints, and encodes texts that were edited by hand", async () => {
    const before = await shown("PLAN");
    await run("plan", "make", "EDIT", "A storm came up.", "They came home.", ...TINY);
    expect((await run("plan", "edit", "EDIT", "2", "--text", "They sank.", "--weight", "0.5", ...TINY)).code).toBe(0);
    expect((await run("plan", "edit", "EDIT", "1", "--insert", "--text", "It was calm.", ...TINY)).code).toBe(0);
    expect((await shown("EDIT")).map(({ text, weight }) => [text, weight])).toEqual([
      ["It was calm.", 1],
      ["A storm came up.", 1],
      ["They sank.", 0.5],
    ]);
    expect((await shown("EDIT"))[1]!.z).toEqual(before[0]!.z);
    expect((await run("plan", "edit", "EDIT", "1", "--remove", ...TINY)).code).toBe(0);
    const file = await readFile(at("edit.json"), "utf8");
    await writeFile(at("edit.json"), file.replace("They sank.", "They came home."));
    expect((await run("plan", "show", "EDIT")).stdout).toContain("They came home.  (to be encoded)");
    expect((await run("plan", "edit", "EDIT", ...TINY)).code).toBe(0);
    expect((await shown("EDIT"))[1]!.z).toEqual(before[1]!.z);
  });

  it("names its commands where another word is given", async () => {
    for (const words of [["mak", "X", "hi"], ["nope.json"]])
      expect((await run("plan", ...words)).stderr).toMatch(
        /^bigvae: plan: expected make, show, edit, merge, or flags alone, got "(mak|nope.json)"; see/,
      );
    expect((await run("plan", "--help")).stdout).toMatch(/--start "The owl/);
  });

  it("refuses to replace what is no plan, or one that is to be merged", async () => {
    const before = await readFile(at("plan.json"), "utf8");
    expect((await run("plan", "merge", "PLAN", "PLAN")).stderr).toMatch(
      /expected a new plan, and at least two to merge/,
    );
    expect((await run("plan", "merge", "PLAN", "PLAN", "PLAN")).stderr).toMatch(/plan.json among those to merge/);
    expect(await readFile(at("plan.json"), "utf8")).toBe(before);
    await writeFile(at("package.json"), '{"name": "mine"}');
    expect((await run("plan", "make", "PACKAGE", "A storm.", ...TINY)).code).toBe(EXIT_CODES.format);
    expect(await readFile(at("package.json"), "utf8")).toBe('{"name": "mine"}');
  });

  it("merges plans without a model, mixed or one after the other", async () => {
    await run("plan", "make", "OTHER", "A calm came down.", "They sank.", ...TINY);
    expect((await run("plan", "merge", "MIXED", "PLAN", "OTHER", "--weights", "3,1")).stdout).toMatch(
      /mixed\.json: 2 waypoints\n$/,
    );
    const norm = (z: number[]) => Math.hypot(...z);
    const [[a], [b], [mixed]] = [await shown("PLAN"), await shown("OTHER"), await shown("MIXED")];
    const direction = a!.z!.map((value, i) => 0.75 * value + 0.25 * b!.z![i]!);
    const length = 0.75 * norm(a!.z!) + 0.25 * norm(b!.z!);
    for (const [i, value] of mixed!.z!.entries())
      expect(value).toBeCloseTo((direction[i]! * length) / norm(direction), 4);
    expect((await run("plan", "merge", "LONG", "PLAN", "OTHER", "--append")).code).toBe(0);
    expect((await shown("LONG")).map(({ text }) => text)).toEqual([
      "A storm came up.",
      "They came home.",
      "A calm came down.",
      "They sank.",
    ]);
  });

  it("still writes from one text to another by itself", async () => {
    const finished = await run(
      "plan",
      ...TINY,
      "--start",
      "A storm.",
      "--terminal",
      "A calm.",
      ...SHORT,
      "--json",
      "--quiet",
    );
    expect(finished.code).toBe(0);
    expect(jsonLines(finished)).toHaveLength(3);
  });
});

describe("generate --plan", PATIENCE, () => {
  interface Line {
    plan?: { waypoint: number; tries: number; share: number; distance: number; isReached: boolean; agreement: number };
    text: string;
  }

  it("follows it by the policy, and says of each span what was asked and how far it is", async () => {
    const finished = await run("generate", "--plan", "PLAN", "--context", "The sea.", ...SHORT, ...TINY, "--json");
    expect(finished).toMatchObject({ code: 0, stderr: "" });
    const spans = jsonLines<Line>(finished).slice(0, -1);
    expect(spans.length).toBeGreaterThan(0);
    for (const { plan } of spans) {
      const { share, agreement, tries, distance } = plan!;
      const p = Math.min(Math.max(0.3 + 0.7 * agreement, 0), 1);
      expect(share).toBeCloseTo(1 - (1 - p) ** tries, 5);
      expect(distance).toBeGreaterThanOrEqual(0);
    }
  });

  it("is traced, and a replay gives the same tokens", async () => {
    const trace = ["--trace", at("trace")];
    const first = await run(
      "generate",
      "--plan",
      "PLAN",
      "--context",
      "The sea.",
      ...SHORT,
      ...TINY,
      "--quiet",
      "--json",
      ...trace,
    );
    const lines = (await readFile(join(at("trace"), "trace.jsonl"), "utf8")).trim().split("\n");
    const steps = lines.map((line) => JSON.parse(line)).filter(({ kind }) => kind === "span");
    const latents = lines.map((line) => JSON.parse(line)).filter(({ kind }) => kind === "latent");
    for (const { plan } of steps) {
      expect(latents[plan.asked].role).toBe("waypoint");
      expect(latents[plan.written].role).toBe("span");
      expect(plan).toMatchObject({
        share: expect.any(Number),
        agreement: expect.any(Number),
        distance: expect.any(Number),
      });
    }
    const again = await bigvae([
      "generate",
      "--replay",
      at("trace"),
      ...TINY.filter((word) => word !== "--seed"),
      "--json",
    ]);
    expect(again).toMatchObject({ code: 0 });
    const ids = (finished: typeof first) =>
      jsonLines<{ span?: number; ids: number[] }>(finished).flatMap(({ span, ids }) => (span ? [ids] : []));
    expect(ids(again)).toEqual(ids(first));
  });

  it("takes the place of the task in paragraph", async () => {
    const words = ["--sampler", "paragraph", "--prompt", "The sea.", "--plan", "PLAN", ...SHORT, ...TINY, "--json"];
    const finished = await run("generate", ...words);
    expect(finished).toMatchObject({ code: 0, stderr: "" });
    expect(jsonLines<Line>(finished)[0]!.plan).toMatchObject({ waypoint: 1 });
  });
});

describe("bigvae strategy", PATIENCE, () => {
  const strategies = () => ["--strategies", at("strategies")];

  it("saves, lists, shows, merges, applies and removes", async () => {
    const of = (...words: string[]) => run("strategy", ...words, ...strategies());
    expect((await of("save", "brave", "The bear was brave.", "The fox was brave.", ...TINY)).stdout).toBe("brave@1\n");
    expect((await of("save", "brave", "The owl was brave.", ...TINY)).stdout).toBe("brave@2\n");
    expect((await of("save", "home", "--plan", "PLAN", "--origin", "They were far away.", ...TINY)).stdout).toBe(
      "home@1\n",
    );
    expect((await of("list")).stdout).toBe("brave@1,2  task vector of 1 example\nhome@1  plan of 2 waypoints\n");
    for (const weights of ["1", "1,2,3", "0,0"])
      expect((await of("merge", "both", "brave@1", "home", "--weights", weights)).stderr).toMatch(
        /expected 2 weights, each above 0/,
      );
    expect((await of("merge", "both", "brave@1", "home", "--weights", "2,1")).stdout).toBe(
      "both@1: task vector of 2 examples, plan of 2 waypoints\n",
    );
    expect((await of("show", "both")).stdout).toMatch(
      /^both@1: task vector of 2 examples, plan of 2 waypoints, merged from brave@1, home@1\n {2}the plan is moved by analogy/,
    );
    const task = await run(
      "generate",
      "--strategy",
      "brave@1",
      ...strategies(),
      "--prompt",
      "The owl.",
      "--span",
      "8",
      "--steps",
      "1",
      ...TINY,
      "--json",
    );
    expect(task).toMatchObject({ code: 0, stderr: "" });
    const plan = await run(
      "generate",
      "--strategy",
      "home",
      ...strategies(),
      "--context",
      "The owl.",
      ...SHORT,
      ...TINY,
      "--json",
    );
    expect(plan).toMatchObject({ code: 0, stderr: "" });
    expect(jsonLines<{ plan?: object }>(plan)[0]!.plan).toBeDefined();
    expect((await of("rm", "brave@1", "--yes")).stdout).toBe("brave@1: 1 removed\n");
    expect((await of("rm", "home")).code).toBe(EXIT_CODES.usage);
  });
});

it.each<[string, keyof typeof EXIT_CODES, string]>([
  ["plan show NONE", "format", "none.json: expected a path that can be read, got no such file"],
  ["plan make BAD x --by line", "usage", "plan by line: expected at least two texts, got 1"],
  ["plan make bad.txt x", "usage", "bad.txt: expected a name that ends with .json, got .txt"],
  ["plan make BAD x --beam 3", "usage", "--beam: expected a plan that takes it, got --by texts"],
  ["plan make BAD x --tolerance 5", "usage", "Expected a number"],
  ["plan edit PLAN 9 --remove", "usage", "waypoint 9: expected a number from 1 to 2, got 9"],
  ["plan edit PLAN --text x", "usage", "plan edit: expected the number of a waypoint, got none"],
  ["plan edit PLAN 1", "usage", "plan edit: expected a change of the waypoint, got none"],
  ["plan edit PLAN 1 --insert", "usage", "expected a change of the waypoint"],
  ["generate --plan NONE", "format", "none.json: expected a path that can be read"],
  ["generate --sampler policy", "usage", "give --plan, the waypoints to pass"],
  ["generate --sampler bridge --terminal x", "usage", "give --start, the text to begin from"],
  ["generate --strategy gone", "usage", "strategy gone: expected a strategy in strategies, got none of this name"],
  ["strategy save ../up x", "usage", "expected a name of letters"],
  ["strategy save name", "usage", "expected examples, a plan, or both, got none"],
  ["strategy save name x --origin y", "usage", "expected a plan that begins at --origin, got none"],
  ["generate --plan PLAN --model pocket --adapters pocket", "mismatch", "expected latents of base"],
])("refuses %s", PATIENCE, async (words, kind, message) => {
  const given = inRoot(words.split(" "));
  const hasModel = given[1] !== "show" && !words.includes("--model");
  const { code, stderr, stdout } = await bigvae([...given, ...(hasModel ? TINY : [])]);
  expect(stderr).toContain(message);
  expect(code).toBe(EXIT_CODES[kind]);
  expect(stdout).toBe("");
});

it("merging without a model names a text that is yet to be encoded, and plans of two models", PATIENCE, async () => {
  await run("plan", "make", "EDITED", "A storm came up.", ...TINY);
  const file = await readFile(at("edited.json"), "utf8");
  await writeFile(at("edited.json"), file.replace("A storm", "A calm"));
  const edited = await run("plan", "merge", "BAD", "PLAN", "EDITED");
  expect(edited).toMatchObject({ code: EXIT_CODES.usage, stderr: expect.stringContaining("got an edited text at 1") });
  await writeFile(at("edited.json"), file.replace(/"base": "\w/, '"base": "g'));
  const other = await run("plan", "merge", "BAD", "PLAN", "EDITED");
  expect(other).toMatchObject({
    code: EXIT_CODES.mismatch,
    stderr: expect.stringContaining("expected latents of base g"),
  });
});
