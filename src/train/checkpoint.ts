/** Checkpoints that survive a kill at any moment: a folder per step, its manifest with sha256 written last. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { BigVaeError } from "../errors.js";
import { openSafetensors, type StoredTensor, writeFileAtomic, writeSafetensors } from "../formats/index.js";
import type { HostTensor } from "../runtime/runtime.js";
import type { FlatTensors } from "./flatTensors.js";

const MANIFEST = "manifest.json";
const FOLDER = /^step-(\d{8})$/;

/** What a training run needs to go on: the values, the optimiser, and how far it is. */
export interface TrainingState {
  /** Flat arrays by role: parameters, mean, square. */
  arrays: Readonly<Record<string, FlatTensors>>;
  /** Plain facts: step, seed, options. */
  facts: Readonly<Record<string, unknown>>;
}

interface Manifest {
  facts: Record<string, unknown>;
  /** File name -> sha256 in hexadecimal digits. */
  files: Record<string, string>;
}

/** Writes `folder/step-N`; then removes all but the newest `keep` complete checkpoints. */
export async function saveCheckpoint(folder: string, step: number, state: TrainingState, keep = 2): Promise<void> {
  const target = join(folder, `step-${`${step}`.padStart(8, "0")}`);
  await rm(target, { recursive: true, force: true });
  await mkdir(target, { recursive: true });
  const files: Record<string, string> = {};
  for (const [role, flat] of Object.entries(state.arrays)) {
    const name = `${role}.safetensors`;
    await writeSafetensors(join(target, name), storedTensors(flat), {});
    files[name] = await sha256OfFile(join(target, name));
  }
  const manifest: Manifest = { facts: { ...state.facts }, files };
  await writeFileAtomic(join(target, MANIFEST), new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`));
  for (const old of (await completeCheckpoints(folder)).slice(keep)) await rm(old.path, { recursive: true });
}

/** Fills the arrays from the newest complete checkpoint and returns its facts; undefined where there is none. */
export async function loadCheckpoint(
  folder: string,
  arrays: TrainingState["arrays"],
): Promise<Record<string, unknown> | undefined> {
  for (const { path, manifest } of await completeCheckpoints(folder)) {
    if (!(await filesMatch(path, manifest))) continue;
    for (const [role, flat] of Object.entries(arrays)) await fill(flat, join(path, `${role}.safetensors`));
    return manifest.facts;
  }
  return undefined;
}

/** Folders with a manifest, newest first. */
async function completeCheckpoints(folder: string): Promise<{ path: string; manifest: Manifest }[]> {
  const names = await readdir(folder).catch(() => [] as string[]);
  const found: { path: string; manifest: Manifest }[] = [];
  for (const name of names
    .filter((name) => FOLDER.test(name))
    .sort()
    .reverse()) {
    const path = join(folder, name);
    const text = await readFile(join(path, MANIFEST), "utf8").catch(() => undefined);
    if (text !== undefined) found.push({ path, manifest: JSON.parse(text) as Manifest });
  }
  return found;
}

async function filesMatch(path: string, { files }: Manifest): Promise<boolean> {
  for (const [name, sha256] of Object.entries(files)) {
    if ((await sha256OfFile(join(path, name)).catch(() => "")) !== sha256) return false;
  }
  return true;
}

async function fill(flat: FlatTensors, path: string): Promise<void> {
  const file = await openSafetensors(path);
  try {
    for (const [name, shape] of flat.shapes) {
      const info = file.info(name);
      if (info.shape.join() !== shape.join()) {
        throw new BigVaeError(
          "mismatch",
          `${path}: expected ${name} of shape [${shape.join(", ")}], got [${info.shape.join(", ")}]; resume with the options that the run was started with`,
        );
      }
      flat.set(name, await file.readFloat32(name));
    }
  } finally {
    await file.close();
  }
}

/** The tensors as they go into a safetensors file. */
export function storedTensors({ tensors }: FlatTensors): Map<string, StoredTensor> {
  const stored = ({ shape, data }: HostTensor): StoredTensor => ({
    dtype: "F32",
    shape,
    data: data as Float32Array<ArrayBuffer>,
  });
  return new Map(Object.entries(tensors).map(([name, tensor]) => [name, stored(tensor)]));
}

export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return hash.digest("hex");
}
