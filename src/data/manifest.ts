/** manifest.json of a prepared corpus: what was read and written so far, enough to go on after a crash. */
import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { BigVaeError } from "../errors.js";
import { writeFileAtomic } from "../formats/atomic.js";
import { errorCode, readError } from "../formats/fileOps.js";
import type { Tokenizer } from "../tokenizer/tokenizer.js";
import type { InputFile } from "./inputs.js";
import { SPLITS, type Split } from "./splits.js";

/** What must be the same for a run to go on. */
export interface PrepareSettings {
  readonly inputs: readonly InputFile[];
  readonly tokenizerSha256: string;
  /** Tokens per row. */
  readonly length: number;
  readonly rowsPerShard: number;
  readonly field: string;
  /** Whether a .txt file is one text. */
  readonly whole?: boolean;
  /** Whether each sentence is a text of its own. */
  readonly sentences?: boolean;
}

export interface ShardEntry {
  readonly name: string;
  readonly rows: number;
  readonly sizeBytes: number;
  readonly sha256: string;
}

interface SplitState {
  rows: number;
  /** Real tokens in the shards, padding not counted. */
  tokens: number;
  shards: ShardEntry[];
  /** Tokens read but not yet in a shard: little-endian int32 in base64. */
  pending: string;
}

/**
 * Raised where a preparation that is half done would be continued wrongly. In version 1 `position` counted texts, and a .txt file was cut
 * otherwise; its finished rows are those of version 2.
 */
const VERSION = 2;

export interface Manifest {
  readonly version: number;
  readonly settings: PrepareSettings;
  complete: boolean;
  /** File that is read, and the last line or row of it that was. */
  position: { file: number; record: number };
  records: number;
  splits: Record<Split, SplitState>;
}

export function newManifest(settings: PrepareSettings): Manifest {
  const state = (): SplitState => ({ rows: 0, tokens: 0, shards: [], pending: "" });
  const splits = { train: state(), validation: state(), test: state() };
  return { version: VERSION, settings, complete: false, position: { file: 0, record: 0 }, records: 0, splits };
}

/**
 * The manifest in `folder`, or nothing.
 * @throws BigVaeError("format") where it is malformed or a shard that it lists is missing or cut short, "unsupported" for what another
 * version has written, finished rows of an earlier one excepted.
 */
export async function readManifest(folder: string): Promise<Manifest | undefined> {
  const path = join(folder, "manifest.json");
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw readError(path, error);
  }
  const manifest = parseManifest(text, path);
  for (const { name, sizeBytes } of SPLITS.flatMap((split) => manifest.splits[split].shards)) {
    const size = (await stat(join(folder, name)).catch(() => undefined))?.size;
    if (size !== sizeBytes)
      throw new BigVaeError("format", {
        subject: join(folder, name),
        expected: `${sizeBytes} bytes`,
        got: size ?? "no such file",
        remedy: `delete ${folder} and prepare the data again`,
      });
  }
  return manifest;
}

function parseManifest(text: string, path: string): Manifest {
  const refused = { subject: path, remedy: "delete the folder and prepare the data again" };
  const manifest = soundManifest(text);
  if (!manifest) throw new BigVaeError("format", { ...refused, expected: "a manifest", got: "something else" });
  const { version, complete } = manifest;
  if (version === VERSION || (version < VERSION && complete)) return manifest;
  const got = `version ${version}${complete ? "" : ", unfinished"}`;
  throw new BigVaeError("unsupported", { ...refused, expected: `a manifest of version ${VERSION}`, got });
}

function soundManifest(text: string): Manifest | undefined {
  try {
    const manifest = JSON.parse(text) as Manifest;
    const isSound =
      isCount(manifest.version) &&
      isCount(manifest.position.file) &&
      isCount(manifest.position.record) &&
      isCount(manifest.settings.length) &&
      Array.isArray(manifest.settings.inputs) &&
      SPLITS.every((split) => isSoundState(manifest.splits[split]));
    return isSound ? manifest : undefined;
  } catch {
    return undefined;
  }
}

function isSoundState({ rows, tokens, shards, pending }: SplitState): boolean {
  return (
    isCount(rows) &&
    isCount(tokens) &&
    typeof pending === "string" &&
    shards.every(
      ({ name, rows, sizeBytes }) => /^\w+-\d+\.safetensors$/.test(name) && isCount(rows) && isCount(sizeBytes),
    )
  );
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

export async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  await writeFileAtomic(join(folder, "manifest.json"), `${JSON.stringify(manifest, null, 1)}\n`);
}

/** @throws BigVaeError("mismatch") naming what differs. */
export function checkSettings(manifest: Manifest, settings: PrepareSettings, folder: string): void {
  const keys = new Set([...Object.keys(settings), ...Object.keys(manifest.settings)]);
  for (const key of keys as Set<keyof PrepareSettings>) {
    const [was, is] = [JSON.stringify(manifest.settings[key]), JSON.stringify(settings[key])];
    if (was !== is)
      throw new BigVaeError("mismatch", {
        subject: folder,
        expected: `${key} ${shorten(was)} as it was begun with`,
        got: shorten(is),
        remedy: "give the same, or another `output`",
      });
  }
}

function shorten(text: string | undefined): string {
  if (text === undefined) return "none";
  return text.length <= 120 ? text : `${text.slice(0, 120)}...`;
}

/** What a folder of rows remembers of the tokenizer that made them: the sha256 of its tokenizer.json. */
export function hashTokenizer(tokenizer: Pick<Tokenizer, "toJson">): string {
  return createHash("sha256").update(JSON.stringify(tokenizer.toJson())).digest("hex");
}
