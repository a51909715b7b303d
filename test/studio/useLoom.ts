/** A loom on the pocket model, in a project of its own for each test. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import type { BigVae } from "../../src/bigVae.js";
import { Project } from "../../src/project/index.js";
import type { StudioEvent } from "../../src/studio/events.js";
import { Loom } from "../../src/studio/loom.js";
import { importBuilt } from "../host/built.js";

export const TEXT = "The old woman opened the door.  A fox stood in the snow, and it was holding a letter.\n";
export const OPTIONS = { nSteps: 2, span: 8, nAvg: 2 };

interface UsedLoom {
  vae: BigVae;
  project: Project;
  loom: Loom;
  /** What the loom told since the test began. */
  events: StudioEvent[];
}

/** Makes it before each test of a file, and takes it down behind it. */
export function useLoom(): UsedLoom {
  const used = {} as UsedLoom;
  let folder: string;
  beforeAll(async () => {
    used.vae = await (await importBuilt()).BigVae.load("pocket", { threads: 1 });
  });
  afterAll(() => used.vae.close());
  beforeEach(async () => {
    const { vae } = used;
    folder = await mkdtemp(join(tmpdir(), "loom-"));
    const project = await Project.open(folder);
    const loom = new Loom(project, () => vae);
    const events: StudioEvent[] = [];
    loom.events.listen((event) => events.push(event));
    Object.assign(used, { project, loom, events });
  });
  afterEach(async () => {
    await used.loom.close();
    await used.project.close();
    await rm(folder, { recursive: true });
  });
  return used;
}
