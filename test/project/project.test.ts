import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { exportProject, importProject, Project } from "../../src/project/index.js";

let root: string;
let time = 1000;
const open = (name = "p") => Project.open(join(root, name), () => time++);

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "project-"));
});
afterEach(() => rm(root, { recursive: true }));

/** Values of a latent here. */
const WIDTH = 3;
const z = (...values: number[]) => Float32Array.from(values);

/** A tree of four nodes: a prompt, two branches, one going on. */
function grow(project: Project): number[] {
  const first = project.add({ origin: "typed", title: "Opening" }, [
    { text: "The fox found a lamp. ", z: z(1, 2, 3) },
    { text: "It would not burn.", z: z(-1, 0.5, 0) },
  ]);
  const left = project.add({ parent: first, origin: "avg", settings: { seed: 3 }, unread: true }, [
    { text: " The baker laughed.", z: z(4, 4, 4), origins: [{ role: "draft", weight: 0.25 }] },
  ]);
  const right = project.add({ parent: first, origin: "typed" }, [{ text: " Then it rained." }]);
  return [first, left, right, project.add({ parent: left, origin: "plain" }, [{ text: " So did the fox." }])];
}

it("keeps a tree, its spans and their latents over closing and opening", async () => {
  const project = await open();
  const ids = grow(project);
  const before = [project.nodes(), [...project.allSpans()]];
  await project.close();
  const again = await open();
  expect([again.nodes(), [...again.allSpans()]]).toEqual(before);
  expect(again.nodes().map(({ id, parent, text }) => [id, parent, text])).toEqual([
    [ids[0], undefined, "The fox found a lamp. It would not burn."],
    [ids[1], ids[0], " The baker laughed."],
    [ids[2], ids[0], " Then it rained."],
    [ids[3], ids[1], " So did the fox."],
  ]);
  expect(again.spans(ids[1])).toEqual([
    expect.objectContaining({ place: 0, z: z(4, 4, 4), origins: [{ role: "draft", weight: 0.25 }] }),
  ]);
  await again.close();
});

it("takes spans while a node is written, and none afterwards", async () => {
  const project = await open();
  const node = project.begin({ origin: "avg" });
  expect(
    [project.write(node, { text: "One" }), project.write(node, { text: " two" })].map(({ place }) => place),
  ).toEqual([0, 1]);
  expect(project.nodes()[0]).toMatchObject({ text: "One two", finished: false });
  project.finish(node);
  expect(() => project.write(node, { text: " three" })).toThrow(/a finished one/);
  expect(() => project.begin({ parent: 99, origin: "typed" })).toThrow(/got 99/);
  await project.close();
});

it("undoes and does again what was marked, and a new mark ends what could be done again", async () => {
  const project = await open();
  const [first, left] = grow(project) as [number, number];
  const marks = () => project.nodes().map(({ title, rating, removed }) => [title, rating, removed]);
  const states = [marks()];
  for (const change of [
    () => project.mark(first, { title: "Lamp" }),
    () => project.mark(left, { rating: 1 }),
    () => project.mark(left, { removed: true }),
  ]) {
    change();
    states.push(marks());
  }
  for (const state of states.slice(0, -1).reverse()) {
    expect(project.undo()).toBeDefined();
    expect(marks()).toEqual(state);
  }
  expect(project.undo()).toBeUndefined();
  for (const state of states.slice(1)) {
    project.redo();
    expect(marks()).toEqual(state);
  }
  project.undo();
  // What was read is not undone, and leaves what can be done again.
  project.mark(left, { unread: false });
  project.redo();
  expect(marks()).toEqual(states.at(-1));
  project.undo();
  project.mark(first, { rating: -1 });
  expect(project.redo()).toBeUndefined();
  await project.close();
});

it("finds spans by their words, not those of removed nodes, whatever is typed", async () => {
  const project = await open();
  const ids = grow(project);
  expect(project.search("lam")).toEqual([{ node: ids[0], place: 0, excerpt: "The fox found a \u0001lamp\u0002. " }]);
  expect(project.search("fox").map(({ node }) => node)).toEqual([ids[3], ids[0]]);
  project.mark(ids[3]!, { removed: true });
  expect(project.search("fox").map(({ node }) => node)).toEqual([ids[0]]);
  for (const odd of ['"', "fox OR", "*", "NEAR(", "", "text:fox", "-"]) expect(() => project.search(odd)).not.toThrow();
  await project.close();
});

describe("plans", () => {
  const [A, B] = [
    { z: z(1, 2, 3), text: "A storm\0 came up.", tolerance: 0.4, weight: 1 },
    { z: z(4e-9, -5, 6), tolerance: 0, weight: 0.5 },
  ];

  it("come back to the bit, and their changes are undone in one order with those of nodes", async () => {
    const project = await open();
    const [node] = grow(project);
    const plan = project.plans.add({ title: "Home", waypoints: [A!] });
    project.plans.change(plan, [A!, B!]);
    project.mark(node!, { title: "Lamp" });
    project.plans.remove(plan);
    await project.close();
    const again = await open();
    expect(again.plans.all()).toEqual([{ id: plan, title: "Home", removed: true, waypoints: [A, B] }]);
    expect(again.undo()).toEqual({ kind: "plan", id: plan });
    expect(again.undo()).toEqual({ kind: "node", id: node });
    expect(again.undo()).toEqual({ kind: "plan", id: plan });
    expect(again.plans.get(plan)).toMatchObject({ removed: false, waypoints: [A] });
    expect(again.redo()).toEqual({ kind: "plan", id: plan });
    expect(again.plans.get(plan).waypoints).toEqual([A, B]);
    expect(() => again.plans.get(99)).toThrow(/plan: expected one of the project's, got 99/);
    for (let i = 0; i < 120; i++) again.plans.change(plan, [i % 2 ? A! : B!]);
    expect(again.database.all("SELECT count(*) AS n FROM changes WHERE kind = 'plan'")).toEqual([{ n: 100 }]);
    await again.close();
  });

  it("are found by nodes that were written along them, and both by an import", async () => {
    const project = await open();
    const other = await open("other");
    const plan = project.plans.add({ title: "Home", waypoints: [A!, B!] });
    const passed = {
      waypoint: 2,
      hash: "ab",
      isFound: false,
      tries: 1,
      distance: 0.3,
      tolerance: 0.4,
      isReached: true,
    };
    const node = project.add({ origin: "policy", settings: { plan, seed: 1 } }, [
      { text: " They came home.", origins: [{ plan: passed }, { role: "waypoint", weight: 1 }] },
      { text: " All slept." },
    ]);
    expect(project.passed()).toEqual([{ node, place: 0, text: " They came home.", ...passed }]);
    other.plans.add({ title: "Another", waypoints: [B!] });
    const { nodes, plans } = importProject(other, JSON.parse(JSON.stringify(exportProject(project))), WIDTH);
    const [id, planId] = [nodes.get(node)!, plans.get(plan)!];
    expect(planId).toBe(2);
    expect(other.node(id).settings).toEqual({ plan: planId, seed: 1 });
    expect(other.plans.get(planId)).toEqual({ ...project.plans.get(plan), id: planId });
    expect(other.passed().map(({ node }) => node)).toEqual([id]);
    await Promise.all([project.close(), other.close()]);
  });

  it("are there in a project that an older release made, which can still be undone", async () => {
    const project = await open();
    const [node] = grow(project);
    project.mark(node!, { title: "Lamp" });
    // As version 1 had it.
    project.database.exec(`
      DROP TABLE plans;
      ALTER TABLE changes RENAME TO newer;
      CREATE TABLE changes (id INTEGER PRIMARY KEY AUTOINCREMENT, node INTEGER NOT NULL REFERENCES nodes (id), field TEXT NOT NULL,
        before ANY NOT NULL, after ANY NOT NULL, undone INTEGER NOT NULL DEFAULT 0) STRICT;
      INSERT INTO changes SELECT id, subject, field, before, after, undone FROM newer;
      DROP TABLE newer;
      UPDATE facts SET value = '1' WHERE name = 'version';`);
    await project.close();
    for (let times = 0; times < 2; times++) {
      const again = await open();
      expect(again.plans.all()).toEqual([]);
      expect(again.node(node!).title).toBe("Lamp");
      await again.close();
    }
    const again = await open();
    expect(again.undo()).toEqual({ kind: "node", id: node });
    expect(again.node(node!).title).toBe("Opening");
    const { plans: _, ...older } = exportProject(again);
    const copy = await open("copy");
    importProject(copy, { ...older, version: 1 }, WIDTH);
    expect(copy.nodes()).toHaveLength(4);
    await Promise.all([again.close(), copy.close()]);
  });
});

describe("export and import", () => {
  it("come back as they were", async () => {
    const project = await open();
    const [first] = grow(project);
    project.mark(first!, { rating: -1, removed: true });
    project.addFacts({ model: "pocket", latents_sha256: "ab12" });
    project.begin({ origin: "avg", unread: true });
    const file = exportProject(project);
    const copy = await open("copy");
    importProject(copy, JSON.parse(JSON.stringify(file)), WIDTH);
    expect(exportProject(copy)).toEqual(file);
    expect(copy.undo()).toBeUndefined();
    // A second time beside what is there.
    importProject(copy, file, WIDTH);
    expect(copy.nodes()).toHaveLength(2 * file.nodes.length);
    expect(copy.nodes().at(-1)!.parent).toBeUndefined();
    await Promise.all([project.close(), copy.close()]);
  });

  it("leave out a corpus, behind which no node begins, and take in what an older project has there", async () => {
    const project = await open();
    const corpus = project.add({ origin: "corpus", title: "days.txt" }, [{ text: "It rained." }]);
    expect(() => project.begin({ parent: corpus, origin: "typed" })).toThrow(
      /parent 1: expected a text of the tree, got a file of texts; /,
    );
    const behind = project.add({ origin: "typed" }, [{ text: "It snowed." }]);
    project.add({ parent: behind, origin: "typed" }, [{ text: " It thawed." }]);
    project.database.run("UPDATE nodes SET parent = ? WHERE id = ?", [corpus, behind]);
    const copy = await open("copy");
    importProject(copy, exportProject(project), WIDTH);
    expect(copy.nodes().map(({ parent, text }) => [parent, text])).toEqual([
      [undefined, "It snowed."],
      [1, " It thawed."],
    ]);
    await Promise.all([project.close(), copy.close()]);
  });

  const base64Of = (...values: number[]) => Buffer.from(Float32Array.from(values).buffer).toString("base64");

  it("refuse what no export is, and add nothing of it", async () => {
    const project = await open();
    grow(project);
    const file = exportProject(project);
    const broken = [
      undefined,
      [],
      { ...file, format: "loom" },
      { ...file, version: 3 },
      { ...file, plans: {} },
      { ...file, plans: [{ id: 1, title: "x", removed: false, waypoints: [] }] },
      { ...file, plans: [{ id: 1, title: "x", removed: false, waypoints: [{ z: "AAA", tolerance: 1, weight: 1 }] }] },
      { ...file, plans: [{ id: 1, title: "x", removed: false, waypoints: [{ z: "", tolerance: 3, weight: 1 }] }] },
      { ...file, facts: { model: 3 } },
      { ...file, facts: { version: "7" } },
      { ...file, nodes: [{ ...file.nodes[0], rating: 5 }] },
      { ...file, nodes: [...file.nodes, { ...file.nodes[0], id: 77, spans: [{ text: 5 }] }] },
      { ...file, nodes: [...file.nodes, { ...file.nodes[0], id: 77, parent: 99 }] },
      { ...file, nodes: [...file.nodes, { ...file.nodes[0], id: 77, spans: [{ text: "a", z: "AAA=" }] }] },
      {
        ...file,
        nodes: [...file.nodes, { ...file.nodes[0], id: 77, spans: [{ text: "a", z: base64Of(1, Number.NaN) }] }],
      },
      { ...file, nodes: [...file.nodes, file.nodes[0]] },
      {
        ...file,
        nodes: [...file.nodes, { ...file.nodes[0], id: 77, spans: [{ text: "a", origins: [{ plan: {} }] }] }],
      },
      {
        ...file,
        nodes: [...file.nodes, { ...file.nodes[0], id: 77, spans: [{ text: "a", origins: [{ labels: { a: {} } }] }] }],
      },
      { ...file, nodes: [...file.nodes, { ...file.nodes[0], id: 77, spans: [{ text: "a", origins: [5] }] }] },
      {
        ...file,
        plans: [{ id: 1, title: "x", removed: false, waypoints: [{ z: base64Of(Infinity), tolerance: 1, weight: 1 }] }],
      },
    ];
    const before = project.nodes();
    for (const each of broken)
      expect(() => importProject(project, each, WIDTH)).toThrow(expect.objectContaining({ kind: "format" }));
    const other = expect.objectContaining({
      kind: "mismatch",
      message: expect.stringMatching(/latents of 3 values, got one of 1/),
    });
    const span = { ...file.nodes[0], id: 77, spans: [{ text: "a", z: base64Of(1) }] };
    const plan = { id: 1, title: "x", removed: false, waypoints: [{ z: base64Of(1), tolerance: 1, weight: 1 }] };
    for (const each of [
      { ...file, nodes: [...file.nodes, span] },
      { ...file, plans: [plan] },
    ])
      expect(() => importProject(project, each, WIDTH)).toThrow(other);
    expect(project.nodes()).toEqual(before);
    await project.close();
  });
});

it("is open in one process alone, and says what is no project", async () => {
  const project = await open();
  await expect(open()).rejects.toMatchObject({ kind: "locked" });
  await project.close();
  await writeFile(join(root, "p", "project.db"), "not a database, though it is long enough for one".repeat(50));
  await expect(open()).rejects.toMatchObject({ kind: "format" });
  // Its lock is free again.
  await expect(open()).rejects.toMatchObject({ kind: "format" });
});

it("keeps every character of a span, U+0000 among them", async () => {
  const project = await open();
  const id = project.add({ origin: "typed" }, [{ text: "a\0 lamp" }, { text: "\uFEFF\0" }]);
  expect(project.node(id).text).toBe("a\0 lamp\uFEFF\0");
  expect(project.spans(id).map(({ text }) => text)).toEqual(["a\0 lamp", "\uFEFF\0"]);
  expect(project.search("lamp")[0]!.excerpt).toContain("lamp");
  await project.close();
});

it("holds latents of one model", async () => {
  const project = await open();
  const [one, other] = [
    { model: "pocket", latents_sha256: "a".repeat(64) },
    { model: "large", latents_sha256: "b".repeat(64) },
  ];
  project.addFacts(one);
  project.addFacts(one);
  for (const attempt of [
    () => project.addFacts(other),
    () => importProject(project, { ...exportProject(project), facts: other }, WIDTH),
  ])
    expect(attempt).toThrow(/expected latents of pocket \(sha256 a{12}\), got those of large .*`model`/);
  expect(project.facts()).toEqual(one);
  await project.close();
});

it("says that the disk is at fault, and keeps what it had", async () => {
  await writeFile(join(root, "file"), "");
  await expect(open("file")).rejects.toMatchObject({ kind: "disk" });
  const project = await open();
  const [first] = grow(project);
  const before = project.nodes();
  project.database.exec("PRAGMA max_page_count = 1");
  const long = { text: "word ".repeat(20_000) };
  expect(() => project.add({ origin: "typed" }, [long])).toThrow(
    expect.objectContaining({ kind: "disk", message: expect.stringContaining("a full disk") }),
  );
  expect(project.nodes()).toEqual(before);
  project.mark(first!, { title: "Still here" });
  expect(project.node(first!).title).toBe("Still here");
  expect(() => project.mark(first!, { rating: 3 })).toThrow(/expected -1, 0 or 1, got 3/);
  await project.close();
});
