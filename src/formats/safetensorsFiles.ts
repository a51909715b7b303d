/** Safetensors files and folders of shards on disk, read by ranges so that a model never lies in memory twice. */
import { type FileHandle, open, readdir, readFile, realpath } from "node:fs/promises";
import { join, sep } from "node:path";
import { BigVaeError, quote } from "../errors.js";
import { writeFileAtomic } from "./atomic.js";
import { withNf4 } from "./bitsandbytes.js";
import { errorCode, type FileOps, readError } from "./fileOps.js";
import { malformed, missingTensor } from "./malformed.js";
import {
  parseSafetensorsHeader,
  type SafetensorsHeader,
  safetensorsChunks,
  safetensorsDataStart,
  safetensorsSource,
} from "./safetensors.js";
import { parseStrictJsonBytes } from "./strictJson.js";
import {
  bytesPerElement,
  type Dtype,
  type OpenTensors,
  type StoredTensor,
  type TensorData,
  toFloat32,
  viewElements,
} from "./tensors.js";

/**
 * Opens one file; only the header is read.
 * @throws BigVaeError("format") where it is missing or malformed.
 */
export async function openSafetensors(path: string): Promise<OpenTensors> {
  const file = await openForReading(path);
  try {
    const { size } = await file.stat();
    const start = safetensorsDataStart(await readRange(file, 0, Math.min(8, size), path), size, path);
    const header: SafetensorsHeader = parseSafetensorsHeader(await readRange(file, 0, start, path), size, path);
    const read = (begin: number, end: number) => readRange(file, begin, end, path);
    const source = safetensorsSource(header, read, path);
    const elements: OpenTensors["readElements"] = (...range) => readElements(header, read, ...range);
    return {
      ...source,
      readElements: elements,
      async readRows(name, begin, end) {
        const { dtype, shape } = source.info(name);
        const width = shape[1]!;
        const data = await elements(name, begin * width, end * width);
        return toFloat32(
          { dtype: dtype as Dtype, shape: [end - begin, width], data },
          `tensor ${quote(name)} of ${path}`,
        );
      },
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw readError(path, error);
  }
}

async function readElements(
  header: SafetensorsHeader,
  read: (begin: number, end: number) => Promise<Uint8Array>,
  name: string,
  begin: number,
  end: number,
): Promise<TensorData> {
  const entry = header.tensors.get(name);
  const width = entry ? bytesPerElement(entry.dtype) : 0;
  if (!entry || begin < 0 || end < begin || entry.begin + end * width > entry.end)
    throw new BigVaeError("internal", {
      subject: `tensor ${quote(name)}`,
      expected: "a range of its elements",
      got: `[${begin}, ${end})`,
      remedy: "read within its shape",
    });
  return viewElements(await read(entry.begin + begin * width, entry.begin + end * width), entry.dtype);
}

/** Opens a file for reading. @throws BigVaeError("format") where that fails or it is no file. */
export async function openForReading(path: string): Promise<FileHandle> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, "r");
    if ((await file.stat()).isFile()) return file;
  } catch (error) {
    await file?.close();
    throw readError(path, error);
  }
  await file.close();
  throw new BigVaeError("format", {
    subject: path,
    expected: "a file",
    got: "a folder or a device",
    remedy: "name a file",
  });
}

/** A single read of Node takes less than 2 GiB. */
const MAX_READ_BYTES = 2 ** 30;

/** The bytes [begin, end). @throws BigVaeError("format") where the file has become shorter. */
export async function readRange(file: FileHandle, begin: number, end: number, path: string): Promise<Uint8Array> {
  const bytes = new Uint8Array(end - begin);
  for (let at = 0; at < bytes.length; ) {
    const length = Math.min(bytes.length - at, MAX_READ_BYTES);
    const { bytesRead } = await file.read(bytes, at, length, begin + at);
    if (bytesRead === 0) throw malformed(path, `at least ${end} bytes`, begin + at);
    at += bytesRead;
  }
  return bytes;
}

const MODEL = "model.safetensors";
const INDEX = "model.safetensors.index.json";

/**
 * Opens a model's folder in Hugging Face form: `model.safetensors`, or the shards that `model.safetensors.index.json` names. Weights that bitsandbytes packed
 * are one tensor each.
 * @throws BigVaeError("format") where a shard lies outside the folder or a tensor is not in exactly the shard named,
 * BigVaeError("unsupported") for a pickle, and as `withNf4`.
 */
export async function openSafetensorsFolder(folder: string): Promise<OpenTensors> {
  const stored = await openStored(folder);
  try {
    return await withNf4(stored, folder);
  } catch (error) {
    await stored.close();
    throw error;
  }
}

/** The tensors of the folder's files as they are stored. */
async function openStored(folder: string): Promise<OpenTensors> {
  const shardOf = await readShardIndex(folder);
  if (!shardOf) {
    await refusePickle(folder, MODEL, ["pytorch_model.bin", "pytorch_model.bin.index.json"], "Transformers");
    return openSafetensors(await confine(folder, MODEL));
  }
  const shards = new Map<string, OpenTensors>();
  try {
    for (const name of new Set(shardOf.values())) shards.set(name, await openSafetensors(await confine(folder, name)));
    checkShards(shardOf, shards, join(folder, INDEX));
  } catch (error) {
    await closeAll(shards);
    throw error;
  }
  return joinShards(shardOf, shards, folder);
}

/** Paths of the files that `openSafetensorsFolder` reads the weights from, in order of name. */
export async function weightFiles(folder: string): Promise<string[]> {
  const shardOf = await readShardIndex(folder);
  const names = shardOf ? [...new Set(shardOf.values())].sort() : [MODEL];
  return Promise.all(names.map((name) => confine(folder, name)));
}

/** By tensor the name of its shard; undefined where the folder has no index. */
async function readShardIndex(folder: string): Promise<Map<string, string> | undefined> {
  const path = join(folder, INDEX);
  const bytes = await readFile(path).catch((error) => {
    if (errorCode(error) === "ENOENT") return undefined;
    throw readError(path, error);
  });
  return bytes && parseShardIndex(bytes, path);
}

/** A pickle can run any code when it is loaded. @throws BigVaeError("unsupported") where there is one in place of the safetensors file. */
export async function refusePickle(
  folder: string,
  safetensors: string,
  pickles: readonly string[],
  library: string,
): Promise<void> {
  const names: readonly string[] = await readdir(folder).catch(() => []);
  const pickle = pickles.find((name) => names.includes(name));
  if (pickle === undefined || names.includes(safetensors)) return;
  throw new BigVaeError("unsupported", {
    subject: folder,
    expected: `weights in ${safetensors}`,
    got: `${pickle}, a Python pickle`,
    remedy: `load it with ${library} and save it with safe_serialization=True`,
  });
}

function joinShards(shardOf: Map<string, string>, shards: Map<string, OpenTensors>, folder: string): OpenTensors {
  const shard = (name: string) => {
    const found = shards.get(shardOf.get(name) ?? "");
    if (!found) throw missingTensor(folder, name);
    return found;
  };
  return {
    names: [...shardOf.keys()],
    metadata: [...shards.values()][0]?.metadata ?? new Map(),
    info: (name) => shard(name).info(name),
    readRaw: async (name) => shard(name).readRaw(name),
    readFloat32: async (name) => shard(name).readFloat32(name),
    readRows: async (name, ...rows) => shard(name).readRows(name, ...rows),
    readElements: async (name, begin, end) => shard(name).readElements(name, begin, end),
    close: () => closeAll(shards),
  };
}

async function closeAll(shards: ReadonlyMap<string, OpenTensors>): Promise<void> {
  await Promise.all([...shards.values()].map((shard) => shard.close()));
}

function parseShardIndex(bytes: Uint8Array, path: string): Map<string, string> {
  const json = parseStrictJsonBytes(bytes, path);
  const shardOf = json instanceof Map ? json.get("weight_map") : undefined;
  if (!(shardOf instanceof Map) || [...shardOf.values()].some((shard) => typeof shard !== "string"))
    throw malformed(
      path,
      "a weight_map of tensor names to file names",
      shardOf === undefined ? "none" : "something else",
    );
  return shardOf as Map<string, string>;
}

function checkShards(shardOf: Map<string, string>, shards: Map<string, OpenTensors>, path: string): void {
  const owners = new Map<string, string>();
  for (const [shardName, shard] of shards) {
    for (const name of shard.names) {
      const other = owners.get(name);
      if (other) throw malformed(`tensor ${quote(name)}`, "one file that holds it", `${other} and ${shardName}`);
      owners.set(name, shardName);
      if (shardOf.get(name) !== shardName)
        throw malformed(path, `tensor ${quote(name)} listed in ${shardName}`, shardOf.get(name) ?? "none");
    }
  }
  const missing = [...shardOf.keys()].find((name) => !owners.has(name));
  if (missing)
    throw malformed(`${shardOf.get(missing)}`, `tensor ${quote(missing)}, which ${path} lists there`, "none");
}

/**
 * The real path of `name` within `folder`. Links may not lead out of the folder, except from a snapshot of the Hugging Face
 * cache to its blobs.
 * @throws BigVaeError("format") where it does not lie there or does not exist.
 */
export async function confine(folder: string, name: string): Promise<string> {
  if (!/^[^/\\\0]+$/.test(name) || name === "." || name === "..")
    throw new BigVaeError("format", {
      subject: folder,
      expected: "the name of a file within it",
      got: quote(name),
      remedy: "put the file there",
    });
  const path = join(folder, name);
  try {
    const root = await realpath(folder);
    const real = await realpath(path);
    if ([root, ...blobFolders(root)].some((allowed) => real.startsWith(allowed + sep))) return real;
    throw new BigVaeError("format", {
      subject: path,
      expected: "a file within the folder",
      got: `a link to ${real}, outside the folder`,
      remedy: "put the file itself there",
    });
  } catch (error) {
    throw readError(path, error);
  }
}

/**
 * Where the files of a folder in a snapshot of the cache (models--owner--name/snapshots/COMMIT) lie: the repository's own blobs, and those
 * that all repositories share.
 */
function blobFolders(folder: string): string[] {
  const parts = folder.split(sep);
  const at = parts.lastIndexOf("snapshots");
  const isSnapshot = at > 1 && at < parts.length - 1 && /^models--.+--/.test(parts[at - 1]!);
  return isSnapshot ? [at, at - 1].map((end) => [...parts.slice(0, end), "blobs"].join(sep)) : [];
}

/**
 * Writes a file in one step: after a crash there is the old one or the new one.
 * @throws BigVaeError("disk")
 */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata?: Readonly<Record<string, string>>,
  ops?: FileOps,
): Promise<void> {
  await writeFileAtomic(path, safetensorsChunks(tensors, metadata), ops);
}
