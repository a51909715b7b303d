/** The loom with a memory of drafts, and with experts. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, it } from "vitest";
import { RecalledDrafts } from "../../src/operations/draftMemory.js";
import { openExperts } from "../../src/operations/experts.js";
import { openMemory } from "../../src/operations/memories.js";
import type { StudioEvent } from "../../src/studio/events.js";
import { Loom } from "../../src/studio/loom.js";
import { POCKET, writeExperts } from "../expert/make.js";
import { OPTIONS, TEXT, useLoom } from "./useLoom.js";

const used = useLoom();
let { vae, project, loom } = used;
beforeEach(() => {
  ({ vae, project, loom } = used);
});

it("shows a memory on the map, and tells which of its drafts were recalled", async () => {
  const memoryFolder = await mkdtemp(join(tmpdir(), "loom-memory-"));
  const memory = await openMemory(vae, memoryFolder);
  try {
    const [fox] = await vae.encode(["A fox stood in the snow."]);
    await memory.add([{ text: fox!.text, ids: fox!.ids, z: fox!.mean }]);
    // As the server tells of its memory.
    const onChange = (change: { added?: readonly number[] }) => own.atlas.memory!.change(change);
    const calibrated = new RecalledDrafts(memory, vae.tokenizer, { distance: 1e6 }, { onChange });
    const own: Loom = new Loom(project, () => vae, { memory: { get: () => memory, drafts: async () => calibrated } });
    const told: StudioEvent[] = [];
    own.events.listen((event) => told.push(event));
    await own.atlas.memory!.show();
    const [point] = own.atlas.map.points();
    expect(point).toMatchObject({ id: -1, node: 0, text: fox!.text });
    expect(await own.atlas.latentOf(-1)).toEqual(fox!.mean);
    expect((await own.atlas.nearest(fox!.mean, 1, "another text"))[0]!.id).toBe(-1);
    const { id: parent } = await own.type(TEXT.repeat(8));
    const write = async (seed: number) => {
      const [node] = await own.write({
        parent,
        sampler: "avg",
        seed,
        recalls: true,
        options: { ...OPTIONS, nSteps: 1 },
      });
      await own.finished(node!);
      return told.filter((event) => event.kind === "span" && event.node === node);
    };
    const [first] = await write(1);
    expect(first).not.toHaveProperty("recalled");
    expect(told.filter(({ kind }) => kind === "memory")).toMatchObject([
      { records: 3, points: [{ id: -2 }, { id: -3 }] },
    ]);
    const [second] = await write(2);
    expect((second as { recalled: number[] }).recalled.sort()).toEqual([-2, -3]);
    await memory.delete([1]);
    await expect(own.atlas.latentOf(-1)).rejects.toMatchObject({ kind: "usage" });
    // What is deleted elsewhere leaves the map, and nothing asks for it again.
    await own.atlas.memory!.change({ deleted: [1] });
    expect(own.atlas.map.points().map(({ id }) => id)).not.toContain(-1);
    expect((await own.atlas.nearest(fox!.mean, 1, "another text"))[0]!.id).not.toBe(-1);
    await own.close();
  } finally {
    await memory.close();
    await rm(memoryFolder, { recursive: true });
  }
});

it("refuses to recall drafts where there is no memory, before a branch is begun", async () => {
  const { id: parent } = await loom.type(TEXT);
  await expect(loom.write({ parent, sampler: "avg", recalls: true })).rejects.toThrow(
    /expected a studio with a memory, got one without/,
  );
  expect(loom.nodes()).toHaveLength(1);
});

it("is written by experts where they are asked for, and says which wrote each span", async () => {
  const root = await mkdtemp(join(tmpdir(), "loom-experts-"));
  try {
    const folder = await writeExperts(root, ["letters"], 0.001, POCKET);
    const experts = await openExperts(vae, folder);
    const own = new Loom(project, () => vae, { experts: () => experts });
    const { id: parent } = await own.type(TEXT);
    const [node] = await own.write({ parent, sampler: "guide", byExperts: true, options: { ...OPTIONS, nSteps: 1 } });
    await own.finished(node!);
    expect(project.node(node!).settings).toMatchObject({ byExperts: true });
    expect(project.labelNames()).toEqual(["expert"]);
    const [span] = project.spans(node!);
    expect(project.labels("expert")).toEqual([[span!.id, "letters"]]);
    await expect(loom.write({ parent, sampler: "guide", byExperts: true })).rejects.toThrow(
      /expected a studio with experts, got one without/,
    );
    await own.close();
  } finally {
    await rm(root, { recursive: true });
  }
});
