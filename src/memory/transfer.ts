/**
 * A memory as files that others read: memory.json says what it is, and for each part of up to 65,536 records there are records-N.jsonl (a record
 * a line), z-N.npy [n, W] and context_z-N.npy, which has a row for each record that says "context_z": true.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { BigVaeError } from "../errors.js";
import { writeFileAtomic } from "../formats/atomic.js";
import { makeFolder, readError } from "../formats/fileOps.js";
import { jsonLine, type NpyArray, parseNpy, parseStrictJson, serializeNpy, toPlain } from "../formats/index.js";
import { readJsonObject, refuseHolding } from "../formats/readFiles.js";
import { isSpaceIdentity, type Latent, type LatentSpace } from "../latent/index.js";
import { checkSpace } from "./space.js";
import type { MemoryRecord, NewRecord, SpaceIdentity } from "./types.js";

const FACTS = "memory.json";
const VERSION = 1;

/** Records of a part: their latents fit into one read, and into memory. */
const PART = 65_536;
/** Records that are read at once. */
const READ = 1024;

interface Facts {
  format: "bigvae-memory";
  version: number;
  space: SpaceIdentity;
  records: number;
  parts: number;
}

/** What is carried from one place to another. */
interface Carried {
  place: string;
  space: SpaceIdentity;
  latents: LatentSpace;
  ids(): Promise<number[]>;
  records(ids: readonly number[]): Promise<(MemoryRecord | undefined)[]>;
  add(records: readonly NewRecord[]): Promise<number[]>;
}

/** `Memory.exportTo`. */
export async function exportRecords(memory: Carried, folder: string): Promise<number> {
  await makeFolder(folder);
  await refuseHolding(folder, "an export", [FACTS]);
  const ids = await memory.ids();
  const parts = Math.ceil(ids.length / PART);
  let written = 0;
  for (let part = 0; part < parts; part++) {
    const records: MemoryRecord[] = [];
    for (let from = part * PART; from < Math.min(ids.length, (part + 1) * PART); from += READ)
      // What another process has deleted meanwhile is left out.
      for (const record of await memory.records(ids.slice(from, from + READ))) if (record) records.push(record);
    written += records.length;
    const contexts = records.flatMap(({ contextZ }) => contextZ ?? []);
    await writeFileAtomic(pathOfPart(folder, part + 1), records.map(lineOf).join(""));
    const { width } = memory.latents;
    for (const [name, latents] of [
      ["z", records.map(({ z }) => z)],
      ["context_z", contexts],
    ] as const)
      await writeFileAtomic(join(folder, `${name}-${part + 1}.npy`), serializeNpy(tableOf(latents, width)));
  }
  const { space } = memory;
  const facts: Facts = { format: "bigvae-memory", version: VERSION, space, records: written, parts };
  await writeFileAtomic(join(folder, FACTS), `${JSON.stringify(facts, null, 2)}\n`);
  return written;
}

/** Which space the latents of an export are of. Throws "format" for a folder that is no export. */
export async function exportedSpace(folder: string): Promise<SpaceIdentity> {
  return (await readFacts(folder)).space;
}

/** `Memory.importFrom`. */
export async function importRecords(memory: Carried, folder: string): Promise<number> {
  const { space, parts, records: expected } = await readFacts(folder);
  checkSpace(memory.space, space, `memory ${memory.place}`);
  let counted = 0;
  for (let part = 1; part <= parts; part++) counted += (await readLines(pathOfPart(folder, part))).length;
  if (counted !== expected) throw malformed(join(folder, FACTS), `${expected} records`, String(counted));
  let added = 0;
  for (let part = 1; part <= parts; part++)
    try {
      added += (await memory.add(await readPart(folder, part))).length;
    } catch (error) {
      throw ofPart(error, `${folder}, part ${part}`, added);
    }
  return added;
}

function lineOf({ id, text, ids, score, tags, time, contextZ }: MemoryRecord): string {
  return jsonLine({ id, text, ids, score, tags, time, ...(contextZ ? { context_z: true } : {}) });
}

function tableOf(latents: readonly Latent[], width: number): NpyArray {
  const data = new Float32Array(latents.length * width);
  for (const [i, z] of latents.entries()) data.set(z, i * width);
  return { shape: [latents.length, width], data };
}

async function readFacts(folder: string): Promise<Facts> {
  const facts = (await readJsonObject(folder, FACTS)) as Partial<Facts>;
  const { format, version, space, records, parts } = facts;
  const path = join(folder, FACTS);
  if (format !== "bigvae-memory" || version !== VERSION)
    throw malformed(path, `an export of a memory, version ${VERSION}`, `${format}, version ${version}`);
  const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
  if (!isSpaceIdentity(space) || !isCount(records) || !isCount(parts))
    throw malformed(path, "space, records and parts", "other fields");
  return facts as Facts;
}

async function readPart(folder: string, part: number): Promise<NewRecord[]> {
  const path = pathOfPart(folder, part);
  const lines = await readLines(path);
  const [zs, contexts] = [await readRows(folder, `z-${part}.npy`), await readRows(folder, `context_z-${part}.npy`)];
  if (zs.length !== lines.length)
    throw malformed(path, `a line for each of ${zs.length} latents`, String(lines.length));
  const rest = contexts.values();
  return lines.map((line, i) => {
    const where = `${path}, line ${i + 1}`;
    const record = toPlain(parseStrictJson(line, where));
    if (typeof record !== "object" || record === null) throw malformed(where, "a record", line.slice(0, 40));
    // `add` looks at the types of the fields.
    const { text, ids, score, tags, time, context_z } = record as NewRecord & { context_z?: unknown };
    const contextZ = context_z === true ? rest.next().value : undefined;
    if (context_z === true && !contextZ) throw malformed(where, "a row of context_z", "none");
    return {
      text,
      ids,
      tags,
      time,
      z: zs[i]!,
      ...(score === undefined ? {} : { score }),
      ...(contextZ ? { contextZ } : {}),
    };
  });
}

function pathOfPart(folder: string, part: number): string {
  return join(folder, `records-${part}.jsonl`);
}

async function readLines(path: string): Promise<string[]> {
  const text = (await read(path)).toString("utf8");
  return text.split("\n").filter((line) => line !== "");
}

async function readRows(folder: string, name: string): Promise<Latent[]> {
  const path = join(folder, name);
  const { shape, data } = parseNpy(await read(path), path);
  const [count = 0, width = 0] = shape;
  if (shape.length !== 2) throw malformed(path, "latents [n, W]", `[${shape.join(", ")}]`);
  return Array.from({ length: count }, (_, i) => data.slice(i * width, (i + 1) * width));
}

async function read(path: string): Promise<Buffer> {
  return readFile(path).catch((error: unknown) => {
    throw readError(path, error);
  });
}

/** A record that `add` does not take is a file that is no export. Of one that fails behind others, those are kept already: `added` of them. */
function ofPart(error: unknown, where: string, added: number): unknown {
  if (!(error instanceof BigVaeError && error.detail)) return error;
  const { subject, remedy } = error.detail;
  const advice = error.kind === "usage" ? "export the memory again" : remedy;
  const kept =
    added === 0 ? "" : `; the ${added} records of the parts before it are kept: remove them before you import it again`;
  const detail = { ...error.detail, remedy: `${advice}${kept}` };
  if (error.kind !== "usage") return error.with(detail);
  return new BigVaeError("format", { ...detail, subject: `${where}, ${subject}` }, { cause: error });
}

function malformed(subject: string, expected: string, got: string): BigVaeError {
  return new BigVaeError("format", { subject, expected, got, remedy: "export the memory again" });
}
