/** Corpus to shards: texts become rows of token ids in safetensors files, in constant memory, resumable after a crash. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { BigVaeError } from "../errors.js";
import { removeStaleTemporaries, writeFileAtomic } from "../formats/atomic.js";
import { makeFolder } from "../formats/fileOps.js";
import { lockFolder } from "../formats/lock.js";
import { safetensorsChunks } from "../formats/safetensors.js";
import type { StoredTensor } from "../formats/tensors.js";
import type { Tokenizer } from "../tokenizer/tokenizer.js";
import { listInputs, type TextOptions } from "./inputs.js";
import {
  checkSettings,
  hashTokenizer,
  type Manifest,
  newManifest,
  type PrepareSettings,
  readManifest,
  type ShardEntry,
  writeManifest,
} from "./manifest.js";
import { type PackedRows, Packer } from "./packer.js";
import { splitSentences } from "./sentences.js";
import { SPLITS, type Split, splitOf } from "./splits.js";
import { readTexts, requireText, type TextRecord } from "./texts.js";

export interface PrepareOptions extends TextOptions {
  /** Files (.txt, .jsonl, .jsonl.gz, .parquet) and folders of them. */
  readonly inputs: readonly string[];
  readonly tokenizer: Tokenizer;
  /** Folder of the shards and of manifest.json; made if need be. */
  readonly output: string;
  /** Tokens per row; default: 512. */
  readonly length?: number;
  /** Default: 4096, which is 16 MB per shard at 512 tokens per row. */
  readonly rowsPerShard?: number;
  /** Whether each sentence is a text of its own; default: no. */
  readonly sentences?: boolean;
  readonly onProgress?: (progress: PrepareProgress) => void;
  /** Called with what of the inputs is left out, if anything. */
  readonly onLeftOut?: (what: string) => void;
  readonly signal?: AbortSignal;
}

export interface PrepareProgress {
  /** Of the input files as they are on disk. */
  readonly bytesDone: number;
  readonly bytesTotal: number;
  readonly records: number;
  readonly tokens: number;
  readonly rows: number;
}

export interface PreparedSummary {
  readonly output: string;
  readonly records: number;
  readonly shards: number;
  readonly rows: Readonly<Record<Split, number>>;
  readonly tokens: Readonly<Record<Split, number>>;
  /** Whether an earlier run had begun the work. */
  readonly resumed: boolean;
}

/** Time between two calls of `onProgress`. */
const PROGRESS_MS = 200;

/**
 * Writes `{split}-{00000}.safetensors` with `input_ids` and `attention_mask`, I32 [rows, length]. Run again after a crash
 * or an abort, it goes on after the last shard; run again when done, it only reports.
 * @throws BigVaeError: "mismatch" for other inputs or another tokenizer than the folder was begun with or a tokenizer
 * without end token, "format" for a malformed input, "unsupported" for a folder that another version has begun, "locked", "disk", "aborted".
 */
export async function prepare(options: PrepareOptions): Promise<PreparedSummary> {
  const { output } = options;
  const settings = await readSettings(options);
  await makeFolder(output);
  const lock = await lockFolder(output);
  try {
    await removeStaleTemporaries(output);
    const found = await readManifest(output);
    if (found) checkSettings(found, settings, output);
    const manifest = found ?? newManifest(settings);
    if (!manifest.complete) await new Preparation(options, manifest).run();
    return summarize(manifest, output, found !== undefined);
  } finally {
    await lock.release();
  }
}

async function readSettings(options: PrepareOptions): Promise<PrepareSettings> {
  const { tokenizer, length = 512, rowsPerShard = 4096, field = "text", whole = false, sentences = false } = options;
  for (const [name, value] of Object.entries({ length, rowsPerShard }))
    if (!Number.isSafeInteger(value) || value < 1)
      throw new BigVaeError("usage", {
        subject: `\`${name}\``,
        expected: "a whole number of at least 1",
        got: value,
        remedy: "give 1 or more",
      });
  if (length * rowsPerShard > 2 ** 28)
    throw new BigVaeError("usage", {
      subject: "`rowsPerShard`",
      expected: `at most ${Math.floor(2 ** 28 / length)} rows of ${length} tokens`,
      got: rowsPerShard,
      remedy: "give fewer rows, or a smaller `length`",
    });
  const tokenizerSha256 = hashTokenizer(tokenizer);
  const { files: inputs, leftOut } = await listInputs(options.inputs, options);
  if (leftOut) options.onLeftOut?.(leftOut);
  await requireText(inputs, { field, whole });
  const special = { ...(whole ? { whole } : {}), ...(sentences ? { sentences } : {}) };
  return { inputs, tokenizerSha256, length, rowsPerShard, field, ...special };
}

function summarize({ records, splits }: Manifest, output: string, resumed: boolean): PreparedSummary {
  const count = (key: "rows" | "tokens") => ({
    train: splits.train[key],
    validation: splits.validation[key],
    test: splits.test[key],
  });
  const shards = SPLITS.reduce((sum, split) => sum + splits[split].shards.length, 0);
  return { output, records, shards, rows: count("rows"), tokens: count("tokens"), resumed };
}

/** One run over the inputs, from where the manifest stands. */
class Preparation {
  readonly #packers: Record<Split, Packer>;
  #lastProgress = 0;

  constructor(
    readonly options: PrepareOptions,
    readonly manifest: Manifest,
  ) {
    const { eosId } = options.tokenizer;
    if (eosId === undefined)
      throw new BigVaeError("mismatch", {
        subject: "tokenizer",
        expected: "an end token (eos_token)",
        got: "none",
        remedy: "name one in tokenizer_config.json",
      });
    const { length, rowsPerShard } = manifest.settings;
    const packer = (split: Split) =>
      new Packer(length, rowsPerShard, eosId, decodePending(manifest.splits[split].pending));
    this.#packers = { train: packer("train"), validation: packer("validation"), test: packer("test") };
  }

  async run(): Promise<void> {
    const { position, settings } = this.manifest;
    let bytesBefore = settings.inputs.slice(0, position.file).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    for (; position.file < settings.inputs.length; position.file++, position.record = 0) {
      await this.#readFile(settings.inputs[position.file]!.path, bytesBefore);
      bytesBefore += settings.inputs[position.file]!.sizeBytes;
    }
    for (const split of SPLITS) await this.#writeShard(split, this.#packers[split].takeRest());
    this.manifest.complete = true;
    await this.#save();
    this.#report(bytesBefore, true);
  }

  async #readFile(path: string, bytesBefore: number): Promise<void> {
    const { position, settings } = this.manifest;
    const { signal } = this.options;
    const meter = { bytesRead: 0 };
    const file = settings.inputs[position.file]!;
    for await (const record of readTexts(file, settings, position.record, meter)) {
      if (signal?.aborted)
        throw new BigVaeError("aborted", {
          subject: path,
          expected: "to be read to its end",
          got: "an abort",
          remedy: "run again to go on after the last shard",
        });
      position.record = record.line;
      this.manifest.records++;
      const split = splitOf(record);
      const texts = settings.sentences ? splitSentences(record.text) : [record.text];
      for (const text of texts) this.#packers[split].add(this.#encode(text, record));
      await this.#writeFullShards(split);
      this.#report(bytesBefore + meter.bytesRead);
    }
  }

  /** @throws BigVaeError that names file and line, for a text that the tokenizer cannot encode. */
  #encode(text: string, { where }: TextRecord): number[] {
    try {
      return this.options.tokenizer.encode(text);
    } catch (error) {
      if (!(error instanceof BigVaeError)) throw error;
      throw error.with({ subject: `${where}, ${error.detail?.subject}` });
    }
  }

  async #writeFullShards(split: Split): Promise<void> {
    let shard = this.#packers[split].takeShard();
    if (!shard) return;
    for (; shard; shard = this.#packers[split].takeShard()) await this.#writeShard(split, shard);
    await this.#save();
  }

  async #writeShard(split: Split, shard: PackedRows | undefined): Promise<void> {
    if (!shard) return;
    const state = this.manifest.splits[split];
    const name = `${split}-${String(state.shards.length).padStart(5, "0")}.safetensors`;
    state.shards.push(await writeShardFile(this.options.output, name, shard));
    state.rows += shard.rows;
    state.tokens += shard.tokens;
  }

  async #save(): Promise<void> {
    for (const split of SPLITS) this.manifest.splits[split].pending = encodePending(this.#packers[split].pending);
    await writeManifest(this.options.output, this.manifest);
  }

  #report(bytesDone: number, always = false): void {
    const now = performance.now();
    if (!this.options.onProgress || (!always && now - this.#lastProgress < PROGRESS_MS)) return;
    this.#lastProgress = now;
    const { settings, records, splits } = this.manifest;
    const bytesTotal = settings.inputs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const rows = SPLITS.reduce((sum, split) => sum + splits[split].rows, 0);
    const tokens = SPLITS.reduce((sum, split) => sum + splits[split].tokens + this.#packers[split].pending.length, 0);
    this.options.onProgress({ bytesDone, bytesTotal, records, tokens, rows });
  }
}

async function writeShardFile(folder: string, name: string, shard: PackedRows): Promise<ShardEntry> {
  const shape = [shard.rows, shard.inputIds.length / shard.rows];
  const tensors = new Map<string, StoredTensor>([
    ["attention_mask", { dtype: "I32", shape, data: shard.attentionMask }],
    ["input_ids", { dtype: "I32", shape, data: shard.inputIds }],
  ]);
  const chunks = safetensorsChunks(tensors);
  const hash = createHash("sha256");
  for (const chunk of chunks) hash.update(chunk);
  await writeFileAtomic(join(folder, name), chunks);
  const sizeBytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  return { name, rows: shard.rows, sizeBytes, sha256: hash.digest("hex") };
}

function encodePending(ids: Int32Array): string {
  return Buffer.from(ids.buffer, ids.byteOffset, ids.byteLength).toString("base64");
}

function decodePending(text: string): Int32Array {
  const bytes = Uint8Array.from(Buffer.from(text, "base64"));
  return new Int32Array(bytes.buffer, 0, Math.floor(bytes.length / 4));
}
