/** The loom on the pocket model. */
import { beforeEach, expect, it, vi } from "vitest";
import { planOfTexts } from "../../src/operations/plans.js";
import { exportProject } from "../../src/project/index.js";
import { Loom } from "../../src/studio/loom.js";
import { OPTIONS, TEXT, useLoom } from "./useLoom.js";

const used = useLoom();
let { vae, project, loom, events } = used;
beforeEach(() => {
  ({ vae, project, loom, events } = used);
});

async function textsOf(run: AsyncIterable<{ text: string }>): Promise<string[]> {
  const texts: string[] = [];
  for await (const { text } of run) texts.push(text);
  return texts;
}

it("keeps a typed text as it was typed, each span with its latent", async () => {
  const node = await loom.type(TEXT, { title: "Door" });
  expect(node).toMatchObject({ text: TEXT, title: "Door", origin: "typed", finished: true });
  const spans = project.spans(node.id);
  expect(spans.map(({ text }) => text).join("")).toBe(TEXT);
  const encoded = await vae.encode(spans.map(({ text }) => text.trim()));
  for (const [i, { mean }] of encoded.entries()) expect(spans[i]!.z).toEqual(mean);
  expect(events.map(({ kind }) => kind)).toEqual(["node", ...spans.flatMap(() => ["span", "map"])]);
  await expect(loom.type("  ")).rejects.toMatchObject({ kind: "usage" });
});

it("writes branches as the sampler writes them alone, and keeps each span as it comes", async () => {
  const { id: first } = await loom.type(TEXT);
  const { id: parent } = await loom.type(" She read it twice.", { parent: first });
  const nodes = await loom.write({ parent, sampler: "avg", branches: 2, seed: 5, options: OPTIONS });
  await Promise.all(nodes.map((node) => loom.finished(node)));
  const alone = nodes.map((_, i) =>
    textsOf(vae.generate("avg", { ...OPTIONS, context: TEXT, prompt: " She read it twice.", seed: 5 + i })),
  );
  for (const [i, id] of nodes.entries()) {
    const spans = await alone[i]!;
    expect(project.spans(id).map(({ text }) => text)).toEqual(spans);
    const told = events.flatMap((event) => (event.kind === "text" && event.node === id ? [event.text] : []));
    expect(told.join("")).toBe(spans.join(""));
    const node = loom.nodes().find((each) => each.id === id)!;
    expect(node).toMatchObject({
      parent,
      origin: "avg",
      settings: { ...OPTIONS, seed: 5 + i },
      unread: true,
      finished: true,
    });
    expect(project.spans(id)[1]!.origins!.length).toBeGreaterThan(0);
  }
  expect(loom.textTo(nodes[1]!)).toBe(
    `${TEXT} She read it twice.${loom.nodes().find(({ id }) => id === nodes[1])!.text}`,
  );
});

it("writes toward a goal, from the last span on", async () => {
  const { id: parent } = await loom.type(TEXT);
  const terminal = "They were all safe at home.";
  const start = project.spans(parent).at(-1)!.text;
  const [node] = await loom.write({ parent, sampler: "plan", seed: 1, options: { ...OPTIONS, terminal } });
  const alone = textsOf(vae.generate("plan", { ...OPTIONS, terminal, seed: 1, context: TEXT, start }));
  await loom.finished(node!);
  expect(project.spans(node!).map(({ text }) => text)).toEqual(await alone);
});

it("writes along a plan that is kept and moved on the map, and says which waypoint each span was for", async () => {
  const { id: parent } = await loom.type(TEXT);
  const [stop] = await planOfTexts(vae, ["They were all safe at home."]);
  const { id: plan, waypoints } = loom.plans.keep("Home", [stop!, { ...stop!, tolerance: 0 }]);
  expect(waypoints.map(({ toPrevious, toNext }) => [toPrevious, toNext])).toEqual([
    [undefined, expect.closeTo(0, 5)],
    [expect.closeTo(0, 5), undefined],
  ]);
  const at = { x: 0.5, y: 0 };
  const edits = [loom.plans.edit(plan, 1, { at }), loom.plans.edit(plan, 2, { tolerance: 0.1 })];
  // Both count, whichever is done first.
  expect((await Promise.all(edits))[1]).toMatchObject({ waypoints: [{ tolerance: 0.45 }, { tolerance: 0.1 }] });
  const [moved, last] = project.plans.get(plan).waypoints;
  const { z, text } = await loom.atlas.read(at.x, at.y);
  expect(moved).toEqual({ z, text, tolerance: 0.45, weight: 1 });
  expect(last).toEqual({ ...stop, tolerance: 0.1 });
  const [node] = await loom.write({ parent, sampler: "policy", seed: 1, plan, options: OPTIONS });
  await loom.finished(node!);
  const alone = await textsOf(vae.generate("policy", { ...OPTIONS, plan: [moved!, last!], seed: 1, context: TEXT }));
  expect(project.spans(node!).map(({ text }) => text)).toEqual(alone);
  expect(project.node(node!).settings).toMatchObject({ plan, seed: 1 });
  const told = events.flatMap((event) => (event.kind === "span" && event.passed ? [event.passed] : []));
  expect(told[0]).toMatchObject({ waypoint: 1, tries: 1, isFound: false, tolerance: 0.45 });
  expect(project.passed().map(({ node: of, place, text, ...passed }) => passed)).toEqual(told);
  await expect(loom.plans.edit(plan, 1, { at, text: "Somewhere." })).rejects.toThrow(/a place or a text, got both/);
  await loom.plans.remove(plan);
  await expect(loom.plans.edit(plan, 1, { weight: 0 })).rejects.toThrow(
    /got \d+, which was taken out; undo that first/,
  );
  await expect(loom.write({ parent, sampler: "policy", plan })).rejects.toThrow(/which was taken out/);
  await loom.turn("undo");
  expect(events.filter(({ kind }) => kind === "plan").slice(-2)).toMatchObject([
    { plan: { id: plan, removed: true } },
    { plan: { id: plan, removed: false } },
  ]);
  await expect(loom.plans.edit(plan, 9, { remove: true })).rejects.toMatchObject({ kind: "usage" });
  await expect(loom.write({ parent, sampler: "policy", plan: 99 })).rejects.toThrow(
    /plan: expected one of the project's/,
  );
  const nodes = project.nodes().length;
  await expect(loom.write({ parent, sampler: "policy" })).rejects.toThrow(/the waypoints to pass/);
  expect(project.nodes()).toHaveLength(nodes);
});

it("stops a branch, keeps what was written, and leaves the others alone", async () => {
  const { id: parent } = await loom.type(TEXT);
  const [stopped, other] = await loom.write({
    parent,
    sampler: "avg",
    branches: 2,
    options: { ...OPTIONS, nSteps: 4 },
  });
  await new Promise<void>((resolve) => {
    loom.events.listen((event) => event.kind === "span" && event.node === stopped && resolve());
  });
  loom.stop(stopped!);
  await Promise.all([loom.finished(stopped!), loom.finished(other!)]);
  const lengths = [stopped, other].map((node) => project.spans(node).length);
  expect(lengths[0]).toBeGreaterThan(0);
  expect(lengths[0]).toBeLessThan(4);
  expect(lengths[1]).toBe(4);
  expect(loom.nodes().every(({ finished }) => finished)).toBe(true);
  expect(events.some(({ kind }) => kind === "failed")).toBe(false);
});

it("tells why a branch was not written", async () => {
  const { id: parent } = await loom.type(TEXT);
  const [node] = await loom.write({ parent, sampler: "avg", options: { nSteps: 0 } });
  await loom.finished(node!);
  expect(events).toContainEqual({ kind: "failed", node, message: expect.stringContaining("nSteps") });
});

it("goes on behind no text that is removed while its own is encoded", async () => {
  const first = await loom.type("The alpha fox ran home.");
  const encode = vae.encode.bind(vae);
  const encoding = vi.spyOn(vae, "encode").mockImplementationOnce(async (texts) => {
    const encoded = await encode(texts);
    loom.mark(first.id, { removed: true });
    return encoded;
  });
  const typed = loom.type(" The beta bear slept.", { parent: first.id });
  await expect(typed).rejects.toThrow(/got one that was removed; undo that first/);
  expect(encoding).toHaveBeenCalledTimes(1);
  encoding.mockRestore();
  expect(project.nodes()).toHaveLength(1);
});

it("tells of each piece of text and each span where it stands in its node", async () => {
  const [node] = await loom.write({ sampler: "generate", options: { ...OPTIONS, prompt: "The owl", nSteps: 3 } });
  await loom.finished(node!);
  const { text } = project.node(node!);
  for (const kind of ["text", "span"] as const) {
    const told = events.flatMap((event) => (event.kind === kind ? [event] : []));
    expect(told.length).toBeGreaterThan(2);
    let end = 0;
    for (const { from, text: piece } of told) {
      expect(from).toBe(end);
      end += piece.length;
      expect(text.slice(from, end)).toBe(piece);
    }
    expect(end).toBe(text.length);
  }
});

it("goes on behind no text that was removed, nor one that is still written, and searches none", async () => {
  const first = await loom.type("The alpha fox ran home.");
  const second = await loom.type(" The beta bear slept.", { parent: first.id });
  const [writing] = await loom.write({ parent: second.id, sampler: "generate", options: { ...OPTIONS, nSteps: 8 } });
  await expect(loom.type(" More.", { parent: writing! })).rejects.toThrow(/got one that is still written/);
  await expect(loom.write({ parent: writing!, sampler: "generate" })).rejects.toThrow(/got one that is still written/);
  loom.stop(writing!);
  await loom.finished(writing!);
  loom.mark(first.id, { removed: true });
  await expect(loom.type(" More.", { parent: second.id })).rejects.toThrow(/got one that was removed; undo that first/);
  expect(project.search("beta")).toEqual([]);
  expect(project.hidden()).toEqual(new Set([first.id, second.id, writing!]));
  const shown = await loom.type("It rained on the hill.");
  const { x, y } = loom.atlas.map.points().find(({ node }) => node === second.id)!;
  expect((await loom.atlas.read(x, y)).nearest.node).toBe(shown.id);
  const { mean } = (await vae.encode(["The beta bear sat."]))[0]!;
  expect((await loom.atlas.nearest(mean, 3, "")).map(({ node }) => node)).toEqual([shown.id]);
  await loom.turn("undo");
  expect(project.search("beta")).toHaveLength(1);
});

it("changes plans one after the other, merges them with their texts, and no longer than a plan may be", async () => {
  const [a, b] = await planOfTexts(vae, ["A storm came up.", "They all came home."]);
  const { id } = loom.plans.keep("Storm", [a!, b!]);
  const edit = loom.plans.edit(id, 1, { text: "The wind blew." });
  const undone = loom.turn("undo");
  const again = loom.plans.edit(id, 2, { tolerance: 0.2 });
  await Promise.all([edit, undone, again]);
  expect(project.plans.get(id).waypoints).toMatchObject([{ text: "A storm came up." }, { tolerance: 0.2 }]);
  const other = loom.plans.keep("Home", [b!, a!]);
  const mixed = await loom.plans.merge([id, other.id], { append: false });
  expect(mixed.title).toBe("Storm + Home");
  for (const { text } of mixed.waypoints) expect(text).not.toBe("");
  const late = loom.plans.edit(id, 1, { text: "It snowed." });
  const removed = loom.plans.remove(id);
  await Promise.all([late, removed]);
  await expect(loom.plans.merge([id, other.id], { append: true })).rejects.toThrow(/which was taken out/);
  const long = loom.plans.keep(
    "Long",
    Array.from({ length: 300 }, () => a!),
  );
  await expect(loom.plans.merge([long.id, long.id], { append: true })).rejects.toThrow(
    /at most 512 waypoints, got 600/,
  );
});

it("lays spans on a plane, and finds the latent of a place on it", async () => {
  for (const text of ["The fox ran home.", "The baker lost a key.", "It rained all day.", "Her lamp was broken."])
    await loom.type(text);
  const { map } = loom.atlas;
  const points = map.points();
  expect(points).toHaveLength(4);
  for (const { x, y, id } of points) {
    const { key, nearest } = map.at(x, y, new Set())!;
    expect(nearest.id).toBe(id);
    const z = await loom.atlas.latentOf(id);
    expect(vae.space.withKey(z, key)).toEqual(z);
  }
  // A place between two: its key lies there.
  const [a, b] = points as [(typeof points)[0], (typeof points)[0]];
  const [x, y] = [0.7 * a.x + 0.3 * b.x, 0.7 * a.y + 0.3 * b.y];
  const { z } = await loom.atlas.read(x, y);
  expect(map.placeOf(z)).toEqual({ x: expect.closeTo(x, 3), y: expect.closeTo(y, 3) });
});

it("reads a file of texts into the project, tells how far it is, and can be stopped", async () => {
  const lines = Array.from({ length: 200 }, (_, i) => `The fox found lamp ${i}.`);
  const node = await loom.corpora.add("foxes.txt", `${lines.join("\n")}\n\n`);
  // Others are served between its batches.
  await vae.encode(["It rained."]);
  expect(project.node(node).finished).toBe(false);
  await loom.corpora.finished(node);
  expect(project.spans(node).map(({ text }) => text)).toEqual(lines);
  const told = events.flatMap((event) => (event.kind === "corpus" ? [event] : []));
  expect(told.map(({ done, total }) => [done, total])).toEqual([64, 128, 192, 200].map((done) => [done, 200]));
  expect(told.flatMap(({ points }) => points.map(({ text }) => text))).toEqual(lines);
  expect(project.node(node)).toMatchObject({ origin: "corpus", title: "foxes.txt", text: "", finished: true });
  expect(exportProject(project).nodes).toEqual([]);
  expect((await loom.atlas.mean(project.spans(node).map(({ id }) => id))).text).toContain("fox found lamp");

  const records = lines.map((text) => JSON.stringify({ text })).join("\n");
  const stopped = await loom.corpora.add("again.jsonl", records);
  loom.events.listen((event) => event.kind === "corpus" && loom.stop(stopped));
  await loom.corpora.finished(stopped);
  expect(project.spans(stopped)).toHaveLength(64);
  expect(project.node(stopped).finished).toBe(true);
  await expect(loom.corpora.add("a.jsonl", "{}")).rejects.toMatchObject({ kind: "format" });
  await expect(loom.corpora.add("a.txt", " \n")).rejects.toMatchObject({ kind: "usage" });
});

it("closes what a killed process left half written", async () => {
  const half = project.begin({ origin: "avg" });
  project.write(half, { text: "Once" });
  const again = new Loom(project, () => vae);
  expect(again.nodes()[0]).toMatchObject({ text: "Once", finished: true });
});

it("takes an export in: its nodes are told, finished, and on the map", async () => {
  await loom.type(TEXT);
  project.begin({ origin: "avg", title: "Half" });
  const file = exportProject(project);
  events.length = 0;
  expect(loom.import(file)).toBe(2);
  expect(events.map(({ kind }) => kind)).toEqual(["node", "node", "map"]);
  const [, , copy, half] = loom.nodes();
  expect(copy!.text).toBe(TEXT);
  expect(half).toMatchObject({ title: "Half", finished: true });
  expect(loom.atlas.map.points().map(({ id, node }) => [id, node])).toEqual(
    Array.from(project.allSpans(), ({ id, node }) => [id, node]),
  );
  expect(() => loom.import({})).toThrow(/another kind of JSON/);
});

it("says that the disk is full, and goes on", async () => {
  const { id: parent } = await loom.type(TEXT);
  const [node] = await loom.write({ parent, sampler: "avg", options: OPTIONS });
  project.database.exec("PRAGMA query_only = 1");
  await loom.finished(node!);
  const failures = events.filter(({ kind }) => kind === "failed");
  expect(failures.length).toBeGreaterThan(0);
  for (const each of failures) expect(each).toMatchObject({ node, message: expect.stringContaining("read-only") });
  project.database.exec("PRAGMA query_only = 0");
  expect((await loom.type(TEXT)).finished).toBe(true);
});
