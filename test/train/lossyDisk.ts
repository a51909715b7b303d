/**
 * A disk as POSIX promises it and no better. Calls go to a real folder; beside it stands what a crash may leave: of what was not
 * synced any part, in any order. A write is durable by the file's fsync, a name (made, renamed, removed) by its folder's.
 */
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, sep } from "node:path";
import { type FileOps, nodeFileOps, type OpenFile } from "../../src/formats/index.js";
import type { Rng } from "../../src/rng.js";

interface FileNode {
  readonly writes: Uint8Array[];
  /** Of them, those that are durable. */
  synced: number;
}

type Entries = Map<string, FileNode | FolderNode>;

interface FolderNode {
  /** Names that a crash leaves for sure. */
  durable: Entries;
  /** Changes since the folder's last fsync, each of which a crash may leave out. */
  pending: ((entries: Entries) => void)[];
}

/** What a crash left: paths and contents; undefined for a folder. */
export type Remains = ReadonlyMap<string, Uint8Array | undefined>;

const isFolder = (node: FileNode | FolderNode | undefined): node is FolderNode =>
  node !== undefined && "durable" in node;
const newFolder = (): FolderNode => ({ durable: new Map(), pending: [] });

function live({ durable, pending }: FolderNode): Entries {
  const entries = new Map(durable);
  for (const change of pending) change(entries);
  return entries;
}

/** Which calls a careless writer leaves out. */
export interface Carelessness {
  file?: boolean;
  folder?: boolean;
}

export class LossyDisk implements FileOps {
  readonly #disk = newFolder();

  /** `root` is there, empty and durable. `onChange` is called after every call that changes something. */
  constructor(
    readonly root: string,
    readonly onChange: (disk: LossyDisk) => void,
    readonly leaves: Carelessness = {},
  ) {}

  async create(path: string): Promise<OpenFile> {
    await this.observe();
    const real = await nodeFileOps.create(path);
    const node: FileNode = { writes: [], synced: 0 };
    this.#change(path, (entries, name) => entries.set(name, node));
    return {
      write: async (bytes) => {
        await real.write(bytes);
        node.writes.push(bytes.slice());
        this.onChange(this);
      },
      sync: async () => {
        await real.sync();
        if (!this.leaves.file) node.synced = node.writes.length;
        this.onChange(this);
      },
      close: () => real.close(),
    };
  }

  async rename(from: string, to: string): Promise<void> {
    await this.observe();
    await nodeFileOps.rename(from, to);
    const node = live(this.#folder(dirname(from))).get(basename(from))!;
    this.#change(to, (entries, name) => {
      entries.set(name, node);
      entries.delete(basename(from));
    });
  }

  async remove(path: string): Promise<void> {
    await nodeFileOps.remove(path);
    await this.observe();
  }

  async syncFolder(path: string): Promise<void> {
    await this.observe();
    await nodeFileOps.syncFolder(path);
    const folder = this.#folder(path);
    if (!this.leaves.folder) {
      folder.durable = live(folder);
      folder.pending = [];
    }
    this.onChange(this);
  }

  freeBytes(path: string): Promise<number> {
    return nodeFileOps.freeBytes(path);
  }

  /** Takes in what was done past these calls: folders made, files and folders removed. */
  async observe(): Promise<void> {
    await this.#compare(this.root);
  }

  async #compare(path: string): Promise<void> {
    const found = new Map(
      (await readdir(path, { withFileTypes: true })).map((entry) => [entry.name, entry.isDirectory()]),
    );
    const known = live(this.#folder(path));
    for (const [name, node] of known) {
      if (found.get(name) !== isFolder(node)) this.#change(join(path, name), (entries) => entries.delete(name));
    }
    for (const [name, isDirectory] of found) {
      if (isDirectory && !isFolder(known.get(name))) {
        const node = newFolder();
        this.#change(join(path, name), (entries) => entries.set(name, node));
      } else if (!isDirectory && !known.has(name)) {
        throw new Error(`${join(path, name)} was written past the calls to the disk`);
      }
      if (isDirectory) await this.#compare(join(path, name));
    }
  }

  #change(path: string, change: (entries: Entries, name: string) => unknown): void {
    const name = basename(path);
    this.#folder(dirname(path)).pending.push((entries) => void change(entries, name));
    this.onChange(this);
  }

  #folder(path: string): FolderNode {
    let folder = this.#disk;
    for (const name of relative(this.root, path).split(sep).filter(Boolean)) {
      const node = live(folder).get(name);
      if (!isFolder(node)) throw new Error(`${path}: no folder ${name}`);
      folder = node;
    }
    return folder;
  }

  /** What one crash at this moment may leave, when each thing not synced is kept with probability `kept`. */
  crash(kept: number, rng: Rng): Remains {
    const remains = new Map<string, Uint8Array | undefined>();
    const visit = (folder: FolderNode, path: string) => {
      const entries = new Map(folder.durable);
      for (const change of folder.pending) if (rng.uniform() < kept) change(entries);
      for (const [name, node] of entries) {
        remains.set(join(path, name), isFolder(node) ? undefined : contentAfterCrash(node, kept, rng));
        if (isFolder(node)) visit(node, join(path, name));
      }
    };
    visit(this.#disk, "");
    return remains;
  }
}

/** The synced writes; of the others some, zeros where one before a kept one is lost, and the last perhaps in part. */
function contentAfterCrash({ writes, synced }: FileNode, kept: number, rng: Rng): Uint8Array {
  const isKept = writes.map((_, i) => i < synced || rng.uniform() < kept);
  const end = isKept.lastIndexOf(true) + 1;
  const parts = writes.slice(0, end).map((bytes, i) => (isKept[i] ? bytes : new Uint8Array(bytes.length)));
  const content = Buffer.concat(parts);
  const isTorn = end > synced && kept < 1 && rng.uniform() < 0.5;
  return isTorn ? content.subarray(0, content.length - rng.integer(parts.at(-1)!.length + 1)) : content;
}

/** Puts what a crash left into an empty folder. */
export async function restore(remains: Remains, folder: string): Promise<void> {
  for (const [path, content] of remains) {
    if (content === undefined) await mkdir(join(folder, path), { recursive: true });
    else await writeFile(join(folder, path), content);
  }
}
