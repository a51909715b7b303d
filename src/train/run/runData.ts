/** The rows that a run is trained and evaluated on. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { Shards, type Split } from "../../data/index.js";
import { hashTokenizer, readManifest } from "../../data/manifest.js";
import { foreignShards } from "../../data/shards.js";
import { BigVaeError } from "../../errors.js";
import { readError } from "../../formats/fileOps.js";
import { sha256OfFile } from "../../formats/index.js";
import { Rng } from "../../rng.js";
import type { Tokenizer } from "../../tokenizer/index.js";
import type { LearningRateSchedule } from "../loop/learningRate.js";
import type { Microbatch, Objective } from "../loop/objective.js";
import { RowOrder, type RowSource } from "../objectives/rowOrder.js";
import { ShortTexts } from "../objectives/shortTexts.js";
import type { DataFacts } from "./facts.js";
import type { CommonOptions } from "./options/shared.js";

/** What says which rows are trained on, in which order and how long. */
export type DataOptions = Pick<
  CommonOptions,
  "preprocessed" | "batchSize" | "gradientAccumulationSteps" | "epochs" | "steps" | "lr" | "warmup" | "lrDecay" | "seed"
> & { tokenizer: Tokenizer };

/** Data of a run, in order. */
export interface TrainingRows {
  rows: RowOrder;
  /** Of the validation split, for evaluation. */
  held: RowOrder;
  schedule: LearningRateSchedule;
  /** Tells one corpus from another. */
  dataSha256: string;
  rng: Rng;
}

/** Microbatches of an evaluation. */
const HELD_OUT_BATCHES = 8;

/** Which rows of a folder are read. */
export interface RowChoice {
  /** Tokens of a row. */
  columns: number;
  /** A row counts with at least so many tokens that are no padding, as in the original. */
  minTokens: number;
  /** Rows begin at such a token where they can. */
  beginId?: number | undefined;
}

/** Which rows are trained on. */
interface TrainedRows extends RowChoice {
  /** The option that makes rows shorter. */
  lowers: "contextLength" | "span";
}

/**
 * Opens the rows, hands them over, and closes them whatever happens.
 * @throws BigVaeError: "usage" for too few rows, "mismatch" for rows of another tokenizer, "format" for a malformed folder.
 */
export async function withRows<T>(
  options: DataOptions,
  choice: TrainedRows,
  use: (data: TrainingRows) => Promise<T>,
): Promise<T> {
  const { preprocessed, batchSize, gradientAccumulationSteps: accumulation, lr, warmup, lrDecay } = options;
  await checkTokenizer(options, "preprocessed");
  const rng = Rng.fromSeed(options.seed);
  const [training, validation] = await Promise.all([
    openRows(preprocessed, "train", choice),
    openRows(preprocessed, "validation", choice),
  ]);
  try {
    const rows = new RowOrder(training, batchSize, accumulation, rng.fork("rows"));
    // Two at least, so that a row can be shown with the z of another.
    const heldBatch = Math.max(1, Math.min(Math.max(2, batchSize), validation.rowCount));
    const held = new RowOrder(validation, heldBatch, 1, rng.fork("held out"));
    const totalSteps = options.steps ?? rows.steps(options.epochs);
    if (totalSteps < 1 || training.rowCount === 0) throw await tooLittleData(options, choice, training.rowCount);
    const dataSha256 = await hashRows(preprocessed, training.rowCount);
    return await use({ rows, held, schedule: { lr, warmup, decay: lrDecay, totalSteps }, dataSha256, rng });
  } finally {
    await Promise.all([training.close(), validation.close()]);
  }
}

/** What tells one corpus from another, wherever it lies: its count of rows and the hashes of its shards. */
export async function hashRows(preprocessed: string, rowCount = 0): Promise<string> {
  const manifest = await readManifest(preprocessed);
  const shards = manifest
    ? manifest.splits.train.shards.map(({ sha256 }) => sha256)
    : await hashesOf(await foreignShards(preprocessed));
  return createHash("sha256")
    .update([rowCount, ...shards].join())
    .digest("hex");
}

/** One file after the other: a corpus may have more shards than a process may open. */
async function hashesOf(paths: readonly string[]): Promise<string[]> {
  const hashes: string[] = [];
  for (const path of paths)
    hashes.push(
      await sha256OfFile(path).catch((error: unknown) => {
        throw readError(path, error);
      }),
    );
  return hashes;
}

/** The microbatches of all evaluations: the same rows and the same noise each time. */
export function heldOutBatches(held: RowOrder, microbatch: Objective["microbatch"]): Promise<Microbatch[]> {
  const count = Math.min(HELD_OUT_BATCHES, held.steps(1));
  return Promise.all(Array.from({ length: count }, (_, i) => microbatch(i + 1, 0)));
}

/** The microbatches of evaluations of a VAE: as they are, and each row with the z of another one, which takes two rows. */
export async function latentHeldOut(
  held: RowOrder,
  batches: (shuffled: boolean) => Objective["microbatch"],
): Promise<{ heldOut: Microbatch[]; shuffled?: Microbatch[] }> {
  const heldOut = await heldOutBatches(held, batches(false));
  return held.batchSize === 1 ? { heldOut } : { heldOut, shuffled: await heldOutBatches(held, batches(true)) };
}

/** The rows of one split. */
export async function openRows(
  preprocessed: string,
  split: Split,
  { columns, minTokens, beginId }: RowChoice,
): Promise<RowSource & { close(): Promise<void> }> {
  const shards = await Shards.open(preprocessed, split);
  const counted = await shards.rowsWith(minTokens, columns);
  return {
    rowCount: counted.length,
    row: (index) => shards.row(counted[index]!, columns, beginId),
    close: () => shards.close(),
  };
}

/** Facts of the data and of the schedule that a resumed run must share, and the length that its rate follows. */
export function dataFacts(
  { tokenizer, seed, batchSize, gradientAccumulationSteps: accumulation }: DataOptions,
  { schedule: { lr, warmup, decay, totalSteps }, dataSha256 }: TrainingRows,
): DataFacts {
  const tokenizerSha256 = hashTokenizer(tokenizer);
  return { seed, batchSize, accumulation, dataSha256, tokenizerSha256, lr, warmup, lrDecay: decay, totalSteps };
}

/** The short texts of one split of a prepared folder. @throws BigVaeError("usage") where there are none. */
export async function readShortTexts(
  preprocessed: string,
  split: Split,
  endId: number,
  longest: number,
): Promise<ShortTexts> {
  const columns = (await readManifest(preprocessed))?.settings.length;
  if (columns === undefined)
    throw new BigVaeError("usage", {
      subject: `\`sentences\` ${preprocessed}`,
      expected: "a folder of texts prepared with `sentences`",
      got: "one without manifest.json",
      remedy: "prepare the texts",
    });
  const rows = await openRows(preprocessed, split, { columns, minTokens: 1 });
  return ShortTexts.read(rows, endId, longest, `${preprocessed}, split ${split}`).finally(() => rows.close());
}

/** The end token, which ends a short text. @throws BigVaeError("mismatch") where the tokenizer has none. */
export function requireEndId({ eosId }: Tokenizer, option: string): number {
  if (eosId !== undefined) return eosId;
  throw new BigVaeError("mismatch", {
    subject: `\`${option}\``,
    expected: "a tokenizer with an end token",
    got: "one without",
    remedy: `leave out \`${option}\``,
  });
}

/** Ids of another tokenizer would train without an error, on nonsense. */
export async function checkTokenizer(
  { preprocessed, tokenizer }: Pick<DataOptions, "preprocessed" | "tokenizer">,
  option: string,
): Promise<void> {
  const expected = (await readManifest(preprocessed))?.settings.tokenizerSha256;
  if (expected === undefined) return;
  const got = hashTokenizer(tokenizer);
  if (got === expected) return;
  throw new BigVaeError("mismatch", {
    subject: `\`${option}\` ${preprocessed}`,
    expected: `rows of the model's own tokenizer (sha256 ${got.slice(0, 12)})`,
    got: `those of another (${expected.slice(0, 12)}, ${join(preprocessed, "manifest.json")})`,
    remedy: "prepare the data again with the `tokenizer` of this model",
  });
}

/** Throws unless `expected` positions fit into the window. */
export function checkWindow(options: string, tokens: number, window: number): void {
  if (tokens <= window) return;
  throw new BigVaeError("usage", {
    subject: options,
    expected: `rows that fit the model's window of ${window} positions`,
    got: tokens,
    remedy: "give a smaller one",
  });
}

async function tooLittleData(
  options: DataOptions,
  { columns, lowers, minTokens }: TrainedRows,
  rows: number,
): Promise<BigVaeError> {
  const stored = (await readManifest(options.preprocessed))?.settings.length;
  if (stored !== undefined && stored < columns) {
    return new BigVaeError("usage", {
      subject: `\`preprocessed\` ${options.preprocessed}`,
      expected: `rows of at least ${columns} tokens`,
      got: `rows of ${stored}`,
      remedy: `prepare the data again with a \`length\` of ${columns}, or lower \`${lowers}\``,
    });
  }
  const needed = options.batchSize * options.gradientAccumulationSteps;
  return new BigVaeError("usage", {
    subject: "train",
    expected: `at least ${needed === 1 ? "a row" : `${needed} rows`} with ${minTokens} tokens or more for one step`,
    got: rows,
    remedy: `give more text, or lower ${needed > 1 ? "`batchSize` or " : ""}\`${lowers}\``,
  });
}
