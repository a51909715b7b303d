/** Checkpoints that survive a kill at any moment: a folder per step, its manifest with sha256 written last. */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { BigVaeError } from "../../errors.js";
import { diskError, errorCode, readError } from "../../formats/fileOps.js";
import {
  type FileOps,
  nodeFileOps,
  openSafetensors,
  type StoredTensor,
  sha256OfFile,
  writeFileAtomic,
  writeSafetensors,
} from "../../formats/index.js";
import type { HostTensor } from "../../runtime/runtime.js";
import type { FlatTensors } from "./flatTensors.js";

const MANIFEST = "manifest.json";
const FOLDER = /^step-(\d{8})$/;

/** Plain facts: step, seed, options. */
export type Facts = Readonly<Record<string, unknown>>;

/** Flat arrays by role: parameters, mean, square. */
export type StateArrays = Readonly<Record<string, FlatTensors>>;

/** What a training run needs to go on: the values, the optimiser, and how far it is. */
export interface TrainingState {
  arrays: StateArrays;
  facts: Facts;
}

interface Manifest {
  facts: Facts;
  /** File name -> sha256 in hexadecimal digits. */
  files: Readonly<Record<string, string>>;
  /** sha256 of facts and files as JSON. */
  sha256?: string;
}

/** A checkpoint whose files are those that were written. */
export interface FoundCheckpoint {
  path: string;
  facts: Facts;
}

/**
 * Writes `folder/step-N`; then removes all but it and the newest `keep - 1` before it. A failure leaves the older ones.
 * @throws BigVaeError("disk") naming the path and the bytes needed and free.
 */
export async function saveCheckpoint(
  folder: string,
  step: number,
  state: TrainingState,
  { keep = 2, ops = nodeFileOps }: { keep?: number; ops?: FileOps } = {},
): Promise<void> {
  const target = join(folder, `step-${`${step}`.padStart(8, "0")}`);
  try {
    await rm(target, { recursive: true, force: true });
    const made = await mkdir(target, { recursive: true });
    await writeState(target, state, ops);
    await ops.syncFolder(folder);
    // The first save makes `folder` itself: its name is durable by its own folder's fsync.
    if (made !== undefined && made !== target) await ops.syncFolder(dirname(folder));
  } catch (error) {
    // Part of a checkpoint would only take the room that the disk lacks.
    await rm(target, { recursive: true, force: true }).catch(() => undefined);
    const bytes = Object.values(state.arrays).reduce((sum, { data }) => sum + data.byteLength, 0);
    throw error instanceof BigVaeError ? error : await diskError(target, bytes, error, ops);
  }
  await rotate(folder, step, keep);
}

async function writeState(target: string, { arrays, facts }: TrainingState, ops: FileOps): Promise<void> {
  const files: Record<string, string> = {};
  for (const [role, flat] of Object.entries(arrays)) {
    const name = `${role}.safetensors`;
    await writeSafetensors(join(target, name), storedTensors(flat), {}, ops);
    files[name] = await sha256OfFile(join(target, name));
  }
  const manifest: Manifest = { facts, files, sha256: sha256OfManifest({ facts, files }) };
  await writeFileAtomic(join(target, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`, ops);
}

/**
 * Keeps the checkpoint of `step`, which was just written and read again, and `keep - 1` complete ones before it. Those of later
 * steps were damaged, or `step` would not have been reached again. A manifest goes first, so that what is half removed is not complete.
 */
async function rotate(folder: string, step: number, keep: number): Promise<void> {
  let kept = 0;
  for (const { path, step: other, complete } of await checkpointFolders(folder)) {
    if (other <= step && complete && kept++ < keep) continue;
    try {
      await rm(join(path, MANIFEST), { force: true });
      await rm(path, { recursive: true, force: true });
    } catch (error) {
      throw await diskError(path, 0, error);
    }
  }
}

/** Removes checkpoints that a writer died over. */
export async function removeUnfinished(folder: string): Promise<void> {
  for (const { path, complete } of await checkpointFolders(folder)) {
    if (!complete) await rm(path, { recursive: true, force: true });
  }
}

/** Step of the newest checkpoint, sound or not; undefined where there is none. */
export async function newestStep(folder: string): Promise<number | undefined> {
  return (await checkpointFolders(folder)).find(({ complete }) => complete)?.step;
}

/**
 * The newest checkpoint whose files have the sha256 that its manifest says; undefined where there is none at all. Damaged ones
 * are told to `warn` and passed over.
 * @throws BigVaeError("format") where all are damaged.
 */
export async function newestCheckpoint(
  folder: string,
  warn: (line: string) => void,
): Promise<FoundCheckpoint | undefined> {
  const found = (await checkpointFolders(folder)).filter(({ complete }) => complete);
  for (const { path } of found) {
    const damage = await inspect(path);
    if (typeof damage !== "string") return { path, facts: damage.facts };
    warn(`checkpoint ${path} is damaged (${damage}); an older one is used`);
  }
  if (found.length === 0) return undefined;
  throw new BigVaeError("format", {
    subject: "`resume`",
    expected: `a sound checkpoint in ${folder}`,
    got: `${found.length} that are damaged`,
    remedy: "start the run again with another `output`",
  });
}

/** The manifest of a sound checkpoint, or what is wrong with it. */
async function inspect(path: string): Promise<Manifest | string> {
  try {
    const manifest = JSON.parse(await readFile(join(path, MANIFEST), "utf8")) as Manifest;
    if (manifest.sha256 !== undefined && manifest.sha256 !== sha256OfManifest(manifest)) return MANIFEST;
    for (const [name, sha256] of Object.entries(manifest.files)) {
      if ((await sha256OfFile(join(path, name)).catch(() => "")) !== sha256) return name;
    }
    return manifest;
  } catch {
    return MANIFEST;
  }
}

/** Folders of checkpoints, newest first; complete ones have a manifest. */
async function checkpointFolders(folder: string): Promise<{ path: string; step: number; complete: boolean }[]> {
  const names = (await namesIn(folder)).filter((name) => FOLDER.test(name));
  const found = names.map(async (name) => {
    const path = join(folder, name);
    return { path, step: Number(FOLDER.exec(name)![1]), complete: (await namesIn(path)).includes(MANIFEST) };
  });
  return (await Promise.all(found)).sort((a, b) => b.step - a.step);
}

/** What lies in a folder; nothing where there is none. A folder that cannot be read is not an empty one. */
async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error) => {
    if (errorCode(error) === "ENOENT") return [];
    throw readError(folder, error);
  });
}

/** Fills the arrays from a checkpoint. */
export async function readArrays({ path }: FoundCheckpoint, arrays: StateArrays): Promise<void> {
  for (const [role, flat] of Object.entries(arrays)) await fill(flat, join(path, `${role}.safetensors`));
}

async function fill(flat: FlatTensors, path: string): Promise<void> {
  const file = await openSafetensors(path);
  try {
    for (const [name, shape] of flat.shapes) {
      const info = file.info(name);
      if (info.shape.join() !== shape.join()) {
        throw new BigVaeError("mismatch", {
          subject: path,
          expected: `${name} of shape [${shape.join(", ")}]`,
          got: `[${info.shape.join(", ")}]`,
          remedy: "resume with the options that the run was started with",
        });
      }
      flat.set(name, await file.readFloat32(name));
    }
  } finally {
    await file.close();
  }
}

/** The tensors as they go into a safetensors file. */
export function storedTensors({ tensors }: Pick<FlatTensors, "tensors">): Map<string, StoredTensor> {
  const stored = ({ shape, data }: HostTensor): StoredTensor => ({
    dtype: "F32",
    shape,
    data: data as Float32Array<ArrayBuffer>,
  });
  return new Map(Object.entries(tensors).map(([name, tensor]) => [name, stored(tensor)]));
}

function sha256OfManifest({ facts, files }: Manifest): string {
  return createHash("sha256").update(JSON.stringify({ facts, files })).digest("hex");
}
