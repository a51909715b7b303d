/**
 * An expert in a folder: router/ (its adapter, as PEFT stores it), keys.npy (centres of the latents' keys of what it was trained on, [K, W]) and expert.json, which
 * is written last: a folder without it is no expert yet.
 */
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { type Adapter, bindAdapter } from "../engine/adapters.js";
import { BigVaeError, quote } from "../errors.js";
import { errorCode, makeFolder, readError } from "../formats/fileOps.js";
import {
  confine,
  parseNpy,
  readLora,
  serializeNpy,
  sha256OfFile,
  writeFileAtomic,
  writeLora,
} from "../formats/index.js";
import { LORA_WEIGHTS } from "../formats/peftFiles.js";
import { exists, readJsonObject } from "../formats/readFiles.js";
import { isSpaceIdentity, type Latent, type SpaceIdentity } from "../latent/index.js";
import type { ModelConfig } from "../model/config.js";

/** What an expert says of itself. */
export interface ExpertFacts {
  /** By which it is called. */
  name: string;
  /** Of the latents that its keys are made of. */
  space: SpaceIdentity;
  /** What its adapter does. */
  role: "router";
  /** Texts that it was trained on, of the split for training. */
  texts: number;
  /** Spans that its keys are centres of. */
  spans: number;
  /** Steps of its training. */
  steps: number;
  /** Rows of a step. */
  rowsPerStep: number;
  /** When it was finished: ISO 8601. */
  trained: string;
  /** Loss on held-out rows of its texts at the end, nats per token; none where there were no such rows. */
  heldOutLoss?: number;
}

/** An expert without its adapter. */
export interface StoredExpert {
  /** What it says of itself. */
  facts: ExpertFacts;
  /** Where it lies. */
  folder: string;
  /** Of its adapter, by which another one in its place is told. */
  adapterSha256: string;
  /** Centres of keys, each [W]. */
  keys: readonly Latent[];
}

/** The hashes by which a damaged file is told. */
interface Hashes {
  adapter_sha256: string;
  keys_sha256: string;
}

const FACTS = "expert.json";
/** What an expert that is not finished is trained in. */
const RUN = "run";
const KEYS = "keys.npy";
const ADAPTER = "router";
const FORMAT = "bigvae-expert";
const VERSION = 1;
const NAME = /^[a-z][a-z0-9-]{0,63}$/;

/** Throws "usage" for a name that is none. */
export function checkExpertName(name: string): void {
  if (NAME.test(name)) return;
  throw new BigVaeError("usage", {
    subject: "`name`",
    expected: "lower-case letters, digits and hyphens, a letter first, 64 at most",
    got: quote(name),
    remedy: "choose another name",
  });
}

/** Whether an expert lies in the folder. */
export function isExpert(folder: string): Promise<boolean> {
  return exists(join(folder, FACTS));
}

/** Puts an expert into a folder: the adapter at `adapter`, its keys, and what is said of it. @throws BigVaeError("disk") */
export async function writeExpert(
  folder: string,
  facts: ExpertFacts,
  { adapter, keys }: { adapter: string; keys: readonly Latent[] },
): Promise<void> {
  await makeFolder(folder);
  await writeLora(join(folder, ADAPTER), await readLora(adapter));
  const width = keys[0]!.length;
  const data = new Float32Array(keys.length * width);
  for (const [i, key] of keys.entries()) data.set(key, i * width);
  await writeFileAtomic(join(folder, KEYS), serializeNpy({ shape: [keys.length, width], data }));
  const { heldOutLoss, rowsPerStep, ...others } = facts;
  const json = {
    format: FORMAT,
    version: VERSION,
    ...others,
    rows_per_step: rowsPerStep,
    ...(heldOutLoss === undefined ? {} : { held_out_loss: heldOutLoss }),
    adapter_sha256: await sha256OfFile(join(folder, ADAPTER, LORA_WEIGHTS)),
    keys_sha256: await sha256OfFile(join(folder, KEYS)),
  };
  await writeFileAtomic(join(folder, FACTS), `${JSON.stringify(json, null, 2)}\n`);
}

/** What an expert says of itself, and its keys. @throws BigVaeError("format") naming the file, "unsupported" for another version. */
export async function readExpert(folder: string): Promise<StoredExpert> {
  const { facts, hashes } = await readFacts(folder);
  if (facts.name !== basename(resolve(folder)))
    throw damaged(join(folder, FACTS), `name ${basename(resolve(folder))}, as its folder says`, facts.name);
  await checkHash(join(folder, KEYS), hashes.keys_sha256);
  const { shape, data } = parseNpy(await readFile(await confine(folder, KEYS)), join(folder, KEYS));
  const { zDim, slots } = facts.space;
  const width = zDim / slots;
  const [count, columns] = shape;
  if (shape.length !== 2 || count! < 1 || columns !== width || !data.every(Number.isFinite))
    throw damaged(join(folder, KEYS), `finite keys [K, ${width}]`, `[${shape.join(", ")}]`);
  const keys = Array.from({ length: count! }, (_, i) => data.subarray(i * width, (i + 1) * width));
  // From wherever a trace is replayed, it is found.
  return { facts, folder: resolve(folder), adapterSha256: hashes.adapter_sha256, keys };
}

/** Bytes of the adapter of an expert, which is kept as it is read; 0 where it is not there. */
export async function expertBytes(folder: string): Promise<number> {
  return (await stat(join(folder, ADAPTER, LORA_WEIGHTS)).catch(() => ({ size: 0 }))).size;
}

/** The adapter of an expert, for a base. @throws BigVaeError: "format", "unsupported", "mismatch" for another base's shapes, "nonFinite". */
export async function readExpertAdapter(folder: string, config: ModelConfig): Promise<Adapter> {
  const { facts, hashes } = await readFacts(folder);
  await checkHash(join(folder, ADAPTER, LORA_WEIGHTS), hashes.adapter_sha256);
  return bindAdapter(facts.role, await readLora(await confine(folder, ADAPTER)), config, `expert ${facts.name}`);
}

/** Names of the experts of a folder, sound or not, in alphabetical order; other folders are passed over. Throws "usage" where there is no folder. */
export async function expertNames(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (!["ENOENT", "ENOTDIR"].includes(errorCode(error) ?? "")) throw readError(folder, error);
    throw new BigVaeError("usage", {
      subject: `experts ${folder}`,
      expected: "a folder of experts",
      got: "no such folder",
      remedy: "train one with bigvae expert train",
    });
  });
  const experts: string[] = [];
  for (const name of names.sort()) if (await isExpert(join(folder, name))) experts.push(name);
  return experts;
}

/** Names of experts of a folder whose training has begun and is not finished. */
export async function begunExperts(folder: string): Promise<string[]> {
  const begun: string[] = [];
  for (const name of (await readdir(folder)).sort()) {
    const own = join(folder, name);
    if (NAME.test(name) && (await exists(join(own, RUN))) && !(await isExpert(own))) begun.push(name);
  }
  return begun;
}

/** The experts of a folder, in order of name. Throws as `expertNames` and `readExpert` do. */
export async function readExperts(folder: string): Promise<StoredExpert[]> {
  const experts: StoredExpert[] = [];
  for (const name of await expertNames(folder)) experts.push(await readExpert(join(folder, name)));
  return experts;
}

/** The expert of a name. Throws "usage" naming those that there are, and as `readExpert` does. */
export async function findExpert(folder: string, name: string): Promise<StoredExpert> {
  if (NAME.test(name) && (await isExpert(join(folder, name)))) return readExpert(join(folder, name));
  const others = await expertNames(folder);
  if ((await begunExperts(folder)).includes(name)) throw unfinished(folder, name);
  throw new BigVaeError("usage", {
    subject: `experts ${folder}`,
    expected: others.length > 0 ? `one of ${others.join(", ")}` : "an expert",
    got: others.length > 0 ? quote(name) : "none there",
    remedy: others.length > 0 ? "name one of them" : "train one with bigvae expert train",
  });
}

function unfinished(folder: string, name: string): BigVaeError {
  return new BigVaeError("usage", {
    subject: `experts ${folder}`,
    expected: "an expert that is trained to its end",
    got: `${name}, which was begun`,
    remedy: "resume its training, or remove it",
  });
}

/** The folder of an expert, finished or not, sound or not. Throws "usage" where there is none of that name. */
export async function expertFolder(folder: string, name: string): Promise<string> {
  const own = join(folder, name);
  if (NAME.test(name) && ((await isExpert(own)) || (await exists(join(own, RUN))))) return own;
  return (await findExpert(folder, name)).folder;
}

/** Removes an expert: what says that it is one first, so that a crash leaves no half of it. @throws BigVaeError("disk") */
export async function removeExpert(folder: string): Promise<void> {
  await rm(join(folder, FACTS), { force: true });
  await rm(folder, { recursive: true, force: true });
}

async function readFacts(folder: string): Promise<{ facts: ExpertFacts; hashes: Hashes }> {
  const path = join(folder, FACTS);
  const json: Partial<Record<string, unknown>> = { ...(await readJsonObject(folder, FACTS)) };
  const { format, version, space, name, role, trained, adapter_sha256, keys_sha256, held_out_loss } = json;
  if (format !== FORMAT) throw damaged(path, `format ${FORMAT}`, quoted(format));
  if (version !== VERSION || role !== "router")
    throw new BigVaeError("unsupported", {
      subject: path,
      expected: `version ${VERSION}, of role router`,
      got: `version ${quoted(version)}, of role ${quoted(role)}`,
      remedy: "it is of another version: update bigvae",
    });
  const counts = Object.fromEntries(
    ["texts", "spans", "steps", "rows_per_step"].map((field) => {
      if (!Number.isSafeInteger(json[field]) || (json[field] as number) < 0)
        throw damaged(path, `${field} to be a whole number`, quoted(json[field]));
      return [field, json[field] as number];
    }),
  ) as Record<"texts" | "spans" | "steps" | "rows_per_step", number>;
  if (typeof name !== "string" || !NAME.test(name)) throw damaged(path, "a name", quoted(name));
  if (!isSpaceIdentity(space) || space.slots < 1 || space.zDim % space.slots !== 0)
    throw damaged(path, "a space of latents", quoted(space));
  for (const [field, value] of Object.entries({ adapter_sha256, keys_sha256 }))
    if (!/^[0-9a-f]{64}$/.test(`${value}`)) throw damaged(path, `${field} of 64 hexadecimal digits`, quoted(value));
  if (typeof trained !== "string" || Number.isNaN(Date.parse(trained)))
    throw damaged(path, "trained to be a time", quoted(trained));
  if (held_out_loss !== undefined && !Number.isFinite(held_out_loss))
    throw damaged(path, "held_out_loss to be a number", quoted(held_out_loss));
  const { texts, spans, steps, rows_per_step: rowsPerStep } = counts;
  const loss = held_out_loss === undefined ? {} : { heldOutLoss: held_out_loss as number };
  return {
    facts: { name, space, role, texts, spans, steps, rowsPerStep, trained, ...loss },
    hashes: { adapter_sha256, keys_sha256 } as Hashes,
  };
}

async function checkHash(path: string, expected: string): Promise<void> {
  const got = await sha256OfFile(path).catch((error: unknown) => {
    if (errorCode(error) === "ENOENT") throw damaged(path, "a file", "none");
    throw readError(path, error);
  });
  if (got !== expected) throw damaged(path, `sha256 ${expected.slice(0, 12)}, as ${FACTS} says`, got.slice(0, 12));
}

function damaged(subject: string, expected: string, got: string): BigVaeError {
  return new BigVaeError("format", {
    subject,
    expected,
    got,
    remedy: "copy the expert's folder whole, or train it again",
  });
}

function quoted(value: unknown): string {
  return (JSON.stringify(value) ?? "none").slice(0, 100);
}
