/** Plans and strategies on disk: they come back as they were written, editing counts, and what is damaged is refused by name. */
import { spawn } from "node:child_process";
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SpaceIdentity } from "../../src/latent/index.js";
import { newStrategyName, readPlan, type StoredWaypoint, Strategies, writePlan } from "../../src/plans/index.js";

const space: SpaceIdentity = { base: "b".repeat(64), encoder: "e".repeat(64), zDim: 4, slots: 2, span: 8 };
const z = (...values: number[]) => Float32Array.from(values);
const WAYPOINTS: StoredWaypoint[] = [
  { text: "A storm came up.", z: z(0.1, 2, -3, 4e-9, 0.5), tolerance: 0.45, weight: 1 },
  { z: z(1, 2, 3, 4, 5), tolerance: 0.2, weight: 0.5 },
];

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-plans-"));
  path = join(folder, "plan.json");
  await writePlan(path, { space, waypoints: WAYPOINTS });
});
afterEach(() => rm(folder, { recursive: true }));

type Json = Record<string, unknown> & { waypoints: Record<string, unknown>[] };
async function edit(change: (json: Json) => void): Promise<void> {
  const json = JSON.parse(await readFile(path, "utf8")) as Json;
  change(json);
  await writeFile(path, JSON.stringify(json));
}

describe("a plan", () => {
  it("comes back as it was written, to the bit", async () => {
    expect(await readPlan(path)).toEqual({ space, waypoints: WAYPOINTS });
  });

  it("is readable: texts, numbers, and where the latents lie", async () => {
    const { waypoints } = JSON.parse(await readFile(path, "utf8")) as Json;
    const sheet = (await readdir(folder)).find((name) => name.endsWith(".jsonl"));
    expect(sheet).toMatch(/^plan\.[0-9a-f]{8}\.jsonl$/);
    expect(waypoints).toEqual([
      { text: "A storm came up.", tolerance: 0.45, weight: 1, z: `@${sheet}#1` },
      { tolerance: 0.2, weight: 0.5, z: `@${sheet}#2` },
    ]);
  });

  it("whose text was edited, or has no latent, is to be encoded there", async () => {
    await edit(({ waypoints }) => {
      waypoints[0]!.text = "A calm came down.";
      waypoints.push({ text: "They came home." });
    });
    const { waypoints } = await readPlan(path);
    expect(waypoints[0]).toEqual({ text: "A calm came down.", tolerance: 0.45, weight: 1 });
    expect(waypoints[1]).toEqual(WAYPOINTS[1]);
    expect(waypoints[2]).toEqual({ text: "They came home.", tolerance: 0.45, weight: 1 });
  });

  it("takes latents of other files beside it", async () => {
    await writeFile(join(folder, "z.jsonl"), '{"z":[9,8,7,6,5]}\n');
    await edit(({ waypoints }) => {
      waypoints[1]!.z = "@z.jsonl";
      waypoints[1]!.text = "a name for it";
    });
    const [, second] = (await readPlan(path)).waypoints;
    expect(second).toMatchObject({ z: z(9, 8, 7, 6, 5), text: "a name for it" });
  });

  it("is replaced whole: latents that nothing refers to go, those of a copy stay", async () => {
    await copyFile(path, join(folder, "copy.json"));
    await writePlan(path, { space, waypoints: WAYPOINTS.slice(1) });
    const { waypoints } = await readPlan(join(folder, "copy.json"));
    expect(waypoints).toEqual(WAYPOINTS);
    await rm(join(folder, "copy.json"));
    await writePlan(path, { space, waypoints: WAYPOINTS.slice(0, 1) });
    expect(await readdir(folder)).toHaveLength(2);
    expect((await readPlan(path)).waypoints).toEqual(WAYPOINTS.slice(0, 1));
  });

  it("has a name that ends with .json, or copies would not be known for plans", async () => {
    for (const name of ["plan", "plan.txt"])
      await expect(writePlan(join(folder, name), { space, waypoints: WAYPOINTS })).rejects.toMatchObject({
        kind: "usage",
        message: expect.stringMatching(/expected a name that ends with \.json/),
      });
  });

  const DAMAGES: [string, (json: Json) => void, string, RegExp][] = [
    ["another kind", (json) => (json.kind = "else"), "format", /expected a file of the kind "bigvae plan", got "else"/],
    [
      "no waypoints",
      (json) => (json.waypoints = []),
      "format",
      /waypoints: expected a list that is not empty, got \[\]/,
    ],
    [
      "an unknown field",
      ({ waypoints }) => (waypoints[0]!.tolerence = 1),
      "format",
      /waypoint 1: expected the fields text, .*got "tolerence"/,
    ],
    [
      "a tolerance beyond all distances",
      ({ waypoints }) => (waypoints[1]!.tolerance = 3),
      "format",
      /waypoint 2, tolerance: expected a number from 0 to 2, got 3/,
    ],
    [
      "a weight that is none",
      ({ waypoints }) => (waypoints[1]!.weight = "much"),
      "format",
      /waypoint 2, weight: .* got "much"/,
    ],
    [
      "a waypoint of nothing",
      ({ waypoints }) => void waypoints.push({ weight: 1 }),
      "format",
      /waypoint 3: expected a text, a latent z, or both/,
    ],
    ["an empty text", ({ waypoints }) => (waypoints[0]!.text = " "), "format", /waypoint 1, text: expected a text/],
    [
      "a latent by its numbers",
      ({ waypoints }) => (waypoints[0]!.z = [1, 2]),
      "format",
      /waypoint 1, z: expected a text/,
    ],
    [
      "a reference to no file",
      ({ waypoints }) => (waypoints[0]!.z = "@none.npy#1"),
      "format",
      /none\.npy: expected a path that can be read, got no such file/,
    ],
    [
      "a reference beyond the file",
      ({ waypoints }) => (waypoints[0]!.z = `${waypoints[0]!.z}9`),
      "usage",
      /expected a number from 1 to 2, got 19/,
    ],
    [
      "a space that says too little",
      (json) => (json.space = { base: "b" }),
      "format",
      /space, encoder: expected a text, got nothing/,
    ],
    [
      "slots of half",
      (json) => (json.space = { ...space, slots: 1.5 }),
      "format",
      /space, slots: expected a whole number/,
    ],
    [
      "another width",
      (json) => (json.space = { ...space, zDim: 8 }),
      "mismatch",
      /expected latents of 9 values, got 5/,
    ],
  ];
  it.each(DAMAGES)("with %s is refused", async (_, damage, kind, message) => {
    await edit(damage);
    await expect(readPlan(path)).rejects.toMatchObject({ kind, message: expect.stringMatching(message) });
  });

  it.each([
    ["no file", undefined, /no such file/],
    ["no JSON", "{", /character 1/],
    ["a list", "[]", /expected an object, got \[\]/],
    ["a key twice", '{"kind":"bigvae plan","kind":"bigvae plan"}', /each key once/],
  ])("that is %s is refused", async (_, content, message) => {
    await rm(path);
    if (content !== undefined) await writeFile(path, content);
    await expect(readPlan(path)).rejects.toMatchObject({ kind: "format", message: expect.stringMatching(message) });
  });

  it("is the old one or the new one wherever its writer is killed", async () => {
    const built = fileURLToPath(new URL("../../dist/plans/index.js", import.meta.url));
    const writer = `import { writePlan } from ${JSON.stringify(built)};
      const space = ${JSON.stringify(space)};
      for (let i = 0; ; i = (i + 1) % 50) {
        const waypoints = [0, 1, 2].map(() => ({ z: new Float32Array(5).fill(i), tolerance: i / 100, weight: 1 }));
        await writePlan(${JSON.stringify(path)}, { space, waypoints });
        process.stdout.write(".");
      }`;
    for (let round = 0; round < 5; round++) {
      const child = spawn(process.execPath, ["--input-type=module", "-e", writer], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      await new Promise((resolve) => child.stdout.once("data", resolve));
      await new Promise((resolve) => setTimeout(resolve, 5 + 13 * round));
      child.kill("SIGKILL");
      await new Promise((resolve) => child.once("close", resolve));
      const { waypoints } = await readPlan(path);
      // Numbers and latents are of one writing.
      for (const { z, tolerance } of waypoints) expect(z![0]).toBeCloseTo(100 * tolerance, 5);
    }
  });
});

describe("strategies", () => {
  const task = { z: z(1, 0, 0, 0, 0), examples: 3 };
  const at = () => new Strategies(join(folder, "strategies"));

  it("are kept version by version, and the newest is meant by a name alone", async () => {
    expect(await at().save("brave", { space, task })).toBe(1);
    const plan = WAYPOINTS;
    expect(await at().save("brave", { space, task, plan, origin: z(5, 4, 3, 2, 1), from: ["a@1", "b@2"] })).toBe(2);
    expect(await at().open("brave@1")).toEqual({ name: "brave", version: 1, space, task });
    expect(await at().open("brave")).toEqual({
      ...{ name: "brave", version: 2, space, task, plan, origin: z(5, 4, 3, 2, 1) },
      from: ["a@1", "b@2"],
    });
    await at().save("kind", { space, plan });
    expect(await at().list()).toEqual([
      { name: "brave", versions: [1, 2] },
      { name: "kind", versions: [1] },
    ]);
  });

  it("do not give the number of a removed version to another", async () => {
    for (let i = 0; i < 3; i++) await at().save("brave", { space, task });
    expect(await at().remove("brave@3")).toBe(1);
    expect(await at().save("brave", { space, task })).toBe(4);
    expect(await at().remove("brave")).toBe(3);
    expect(await at().list()).toEqual([]);
    expect(await at().save("brave", { space, task })).toBe(5);
    const left = await readdir(join(folder, "strategies", "brave"));
    expect(left.filter((name) => name.endsWith(".jsonl"))).toHaveLength(1);
  });

  it("of two writers have each a version of its own", async () => {
    const saves = await Promise.allSettled(Array.from({ length: 8 }, () => at().save("brave", { space, task })));
    const versions = saves.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
    expect(new Set(versions).size).toBe(versions.length);
    for (const each of saves) if (each.status === "rejected") expect(each.reason).toMatchObject({ kind: "locked" });
  });

  it("that are not there are named, with those that are", async () => {
    await at().save("brave", { space, task });
    await expect(at().open("kind")).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringMatching(/there are brave$/),
    });
    await expect(at().open("brave@7")).rejects.toThrow(/expected one of the versions 1, got 7/);
    await expect(at().remove("kind")).rejects.toMatchObject({ kind: "usage" });
    await expect(at().save("brave", { space })).rejects.toThrow(/a task vector, a plan, or both/);
  });

  it.each(["", ".", "..", "../up", "a/b", "-a", "a@b", "a@", "a".repeat(101)])("refuses the name %j", (name) => {
    expect(() => newStrategyName(name)).toThrow(/expected a name of letters/);
  });

  it("refuse damaged files", async () => {
    await at().save("brave", { space, task });
    const file = join(folder, "strategies", "brave", "1.json");
    const json = JSON.parse(await readFile(file, "utf8"));
    for (const [damaged, message] of [
      [{ ...json, task: { ...json.task, examples: 0 } }, /task, examples: expected a number from 1/],
      [{ ...json, task: undefined }, /expected a task vector, a plan, or both/],
      [{ ...json, kind: "bigvae plan" }, /of the kind "bigvae strategy"/],
      [{ ...json, more: 1 }, /expected the fields .*got "more"/],
    ] as const) {
      await writeFile(file, JSON.stringify(damaged));
      await expect(at().open("brave")).rejects.toMatchObject({
        kind: "format",
        message: expect.stringMatching(message),
      });
    }
  });
});
