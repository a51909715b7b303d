/** Rows of token ids from a folder of shards, cut to the width that training wants, without loading the shards. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { BigVaeError } from "../errors.js";
import { readError } from "../formats/fileOps.js";
import { openSafetensors } from "../formats/safetensorsFiles.js";
import type { OpenTensors } from "../formats/tensors.js";
import { readManifest } from "./manifest.js";
import type { Split } from "./splits.js";

/** [columns] each; the mask is 1 for tokens and 0 for padding. */
export interface ShardRow {
  readonly inputIds: Int32Array;
  readonly attentionMask: Int32Array;
}

/** `rows` rows of `length` columns, of which the last holds `lastTokens` real tokens. */
interface Shard {
  readonly path: string;
  readonly rows: number;
  readonly length: number;
  readonly lastTokens: number;
  /** Whether padding may stand anywhere, not behind the last tokens alone. */
  readonly mayHavePadding: boolean;
}

interface OpenShard {
  readonly file: Promise<OpenTensors>;
  /** Reads under way. */
  users: number;
}

/** Elements of a mask that are read at a time. */
const MASK_ELEMENTS = 2 ** 22;

/** Shards kept open; a file descriptor each. */
const MAX_OPEN_SHARDS = 16;

export class Shards {
  readonly #shards: readonly Shard[];
  readonly #open = new Map<string, OpenShard>();

  private constructor(shards: readonly Shard[]) {
    this.#shards = shards;
  }

  /**
   * Opens the shards of one split. A folder of *.safetensors without manifest.json counts wholly as train.
   * @throws BigVaeError("format") where shards are missing or malformed, BigVaeError("mismatch") for an unfinished folder.
   */
  static async open(folder: string, split: Split): Promise<Shards> {
    const manifest = await readManifest(folder);
    if (!manifest) return new Shards(split === "train" ? await readForeign(folder) : []);
    if (!manifest.complete)
      throw new BigVaeError("mismatch", {
        subject: folder,
        expected: "a complete folder of rows",
        got: "one that was begun and not finished",
        remedy: "prepare the data again with the same inputs to finish it",
      });
    const { shards, rows, tokens } = manifest.splits[split];
    const { length } = manifest.settings;
    const padding = rows * length - tokens;
    const last = shards.length - 1;
    return new Shards(
      shards.map(({ name, rows }, i) => {
        const lastTokens = i === last ? length - padding : length;
        return { path: join(folder, name), rows, length, lastTokens, mayHavePadding: false };
      }),
    );
  }

  /** How many rows of `columns` tokens there are. What is left of a longer row, and rows of padding only, are dropped. */
  rowCount(columns: number): number {
    return this.#shards.reduce((sum, shard) => sum + pieceCount(shard, columns), 0);
  }

  /**
   * Numbers of the rows of `columns` tokens that have at least `minTokens` of them, padding not counted. Shards of other origin may
   * hold padding anywhere: their masks are read, once.
   */
  async rowsWith(minTokens: number, columns: number): Promise<Uint32Array> {
    const kept: number[] = [];
    let first = 0;
    for (const shard of this.#shards) {
      const count = pieceCount(shard, columns);
      const tokens = shard.mayHavePadding ? await this.#maskSums(shard, columns) : tokensOfPieces(shard, columns);
      for (let at = 0; at < count; at++) if (tokens(at) >= minTokens) kept.push(first + at);
      first += count;
    }
    return Uint32Array.from(kept);
  }

  /** Tokens of each piece, by its number. */
  async #maskSums(shard: Shard, columns: number): Promise<(at: number) => number> {
    const perRow = Math.floor(shard.length / columns);
    const sums = new Uint32Array(shard.rows * perRow);
    await this.#use(shard.path, async (file) => {
      const step = Math.max(1, Math.floor(MASK_ELEMENTS / shard.length));
      for (let row = 0; row < shard.rows; row += step) {
        const end = Math.min(shard.rows, row + step);
        const mask = toInt32(
          await file.readElements("attention_mask", row * shard.length, end * shard.length),
          shard.path,
        );
        for (let i = 0; i < (end - row) * perRow; i++) {
          const begin = Math.floor(i / perRow) * shard.length + (i % perRow) * columns;
          sums[row * perRow + i] = mask.subarray(begin, begin + columns).reduce((sum, value) => sum + value, 0);
        }
      }
    });
    return (at) => sums[at]!;
  }

  /**
   * Row `index` of `rowCount(columns)`. With `beginId` it begins at the first such token that it holds, and goes on as much
   * longer, where the stored row has that many tokens left; such rows may overlap, and leave tokens out between them.
   */
  async row(index: number, columns: number, beginId?: number): Promise<ShardRow> {
    let at = index;
    for (const shard of this.#shards) {
      const count = pieceCount(shard, columns);
      if (at >= 0 && at < count) return this.#read(shard, at, columns, beginId);
      at -= count;
    }
    throw new BigVaeError("internal", {
      subject: "rows",
      expected: `a number below ${this.rowCount(columns)}, as many as there are of ${columns} columns`,
      got: index,
      remedy: "ask for a row that there is",
    });
  }

  async close(): Promise<void> {
    const open = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(open.map(async ({ file }) => (await file).close()));
  }

  #read({ path, rows, length, lastTokens }: Shard, at: number, columns: number, beginId?: number): Promise<ShardRow> {
    const perRow = Math.floor(length / columns);
    const column = (at % perRow) * columns;
    const stored = Math.floor(at / perRow);
    const tokens = stored === rows - 1 ? lastTokens : length;
    const slack = beginId === undefined ? 0 : Math.max(0, Math.min(columns - 1, tokens - column - columns));
    const begin = stored * length + column;
    return this.#use(path, async (file) => {
      const read = async (name: string) => toInt32(await file.readElements(name, begin, begin + columns + slack), path);
      const ids = await read("input_ids");
      const start = slack > 0 ? Math.max(0, ids.subarray(0, slack + 1).indexOf(beginId!)) : 0;
      const cut = (row: Int32Array) => row.subarray(start, start + columns);
      const hasMask = file.names.includes("attention_mask");
      const mask = hasMask ? cut(await read("attention_mask")) : new Int32Array(columns).fill(1);
      return { inputIds: cut(ids), attentionMask: mask };
    });
  }

  /** Calls `use` with an open shard, which stays open until it is done. */
  async #use<T>(path: string, use: (file: OpenTensors) => Promise<T>): Promise<T> {
    const opened = this.#openShard(path);
    opened.users++;
    try {
      return await use(await opened.file);
    } finally {
      opened.users--;
    }
  }

  /** Opens a shard; of too many, closes the one that has been idle longest. */
  #openShard(path: string): OpenShard {
    const shard = this.#open.get(path) ?? { file: openSafetensors(path), users: 0 };
    this.#open.delete(path);
    this.#open.set(path, shard);
    const idle = [...this.#open].find(([, { users }]) => users === 0);
    if (this.#open.size > MAX_OPEN_SHARDS && idle && idle[1] !== shard) {
      this.#open.delete(idle[0]);
      idle[1].file.then((file) => file.close()).catch(() => undefined);
    }
    return shard;
  }
}

/** Tokens of a piece, where all rows are full but for the end of the last one. */
function tokensOfPieces({ rows, length, lastTokens }: Shard, columns: number): (at: number) => number {
  const perRow = Math.floor(length / columns);
  return (at) => {
    const tokens = Math.floor(at / perRow) === rows - 1 ? lastTokens : length;
    return Math.max(0, Math.min(columns, tokens - (at % perRow) * columns));
  };
}

function pieceCount({ rows, length, lastTokens }: Shard, columns: number): number {
  if (!Number.isSafeInteger(columns) || columns < 1)
    throw new BigVaeError("usage", {
      subject: "rows",
      expected: "a whole number of columns, at least 1",
      got: columns,
      remedy: "give 1 or more",
    });
  const perRow = Math.floor(length / columns);
  const ofLast = Math.min(perRow, Math.ceil(lastTokens / columns));
  return rows === 0 ? 0 : (rows - 1) * perRow + ofLast;
}

/** The shards of a folder without manifest.json, in order of name. */
export async function foreignShards(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error) => {
    throw readError(folder, error);
  });
  const shards = names.filter((name) => name.endsWith(".safetensors")).sort();
  return shards.map((name) => join(folder, name));
}

async function readForeign(folder: string): Promise<Shard[]> {
  const shards: Shard[] = [];
  for (const path of await foreignShards(folder)) {
    const file = await openSafetensors(path);
    try {
      shards.push(shardOf(file, path));
    } finally {
      await file.close();
    }
  }
  if (shards.length > 0) return shards;
  throw new BigVaeError("format", {
    subject: folder,
    expected: "manifest.json or *.safetensors",
    got: "neither",
    remedy: "prepare the data first",
  });
}

function shardOf(file: OpenTensors, path: string): Shard {
  const shapes = ["input_ids", "attention_mask"]
    .filter((name) => file.names.includes(name))
    .map((name) => file.info(name));
  const [rows, length] = shapes[0]?.shape ?? [];
  const isSound =
    file.names.includes("input_ids") &&
    shapes.every(({ shape }) => shape.length === 2 && shape[0] === rows && shape[1] === length);
  if (!isSound || rows === undefined || length === undefined)
    throw new BigVaeError("format", {
      subject: path,
      expected: "input_ids, and attention_mask if any, of one shape [rows, length]",
      got: "something else",
      remedy: "prepare the data again",
    });
  const other = shapes.find(({ dtype }) => !/^I(32|64)$/.test(dtype));
  if (other)
    throw new BigVaeError("unsupported", {
      subject: path,
      expected: "input_ids and attention_mask of I32 or I64",
      got: other.dtype,
      remedy: "write them as I32",
    });
  return { path, rows, length, lastTokens: length, mayHavePadding: file.names.includes("attention_mask") };
}

function toInt32(data: ArrayLike<number> | BigInt64Array, path: string): Int32Array {
  if (data instanceof Int32Array) return data;
  if (data instanceof BigInt64Array) return Int32Array.from(data, Number);
  throw new BigVaeError("format", {
    subject: path,
    expected: "ids of I32 or I64",
    got: "another type",
    remedy: "prepare the data again",
  });
}
