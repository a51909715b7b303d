/**
 * Latents in files, to go on with elsewhere: .npy and .safetensors hold them as a table [N, W], .jsonl one a line beside its text. How many
 * examples a task vector was made of is a tensor [N] in .safetensors, a field in .jsonl, and lost in .npy.
 */
import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { BigVaeError } from "../errors.js";
import { readError } from "../formats/fileOps.js";
import {
  jsonLine,
  type NpyArray,
  openSafetensors,
  parseNpy,
  parseStrictJson,
  type StoredTensor,
  serializeNpy,
  toPlain,
  writeFileAtomic,
  writeSafetensors,
} from "../formats/index.js";
import type { Latent } from "../latent/index.js";

/** A latent, and the text that it was taken from where that is known. */
export interface NamedLatent {
  /** [W], the width of the model's latents. */
  z: Latent;
  /** As it was encoded. */
  text?: string;
  /** Of a task vector: how many texts it was made of. */
  examples?: number;
}

interface Format {
  read(path: string, width: number): Promise<NamedLatent[]>;
  write(path: string, latents: readonly NamedLatent[]): Promise<void>;
}

const FORMATS: Readonly<Record<string, Format>> = {
  ".npy": {
    read: async (path, width) => rowsOf(parseNpy(await readFile(path), path), width, path),
    write: async (path, latents) => writeFileAtomic(path, serializeNpy(tableOf(latents))),
  },
  ".safetensors": {
    read: readTensors,
    write: async (path, latents) => writeSafetensors(path, tensorsOf(latents)),
  },
  ".jsonl": {
    read: async (path, width) => latentsOfLines(await readFile(path, "utf8"), width, path),
    write: async (path, latents) => writeFileAtomic(path, latents.map(lineOf).join("")),
  },
};

/** The endings of files of latents, as an error or a help text names them. */
export const LATENT_ENDINGS = Object.keys(FORMATS).join(", ");

/** Whether a path's ending is that of a file of latents. */
export function isLatentsPath(path: string): boolean {
  return extname(path).toLowerCase() in FORMATS;
}

/** Throws "usage" for a path whose ending is no format of latents. */
export function checkLatentsPath(path: string): void {
  formatOf(path);
}

/**
 * Reads the latents of a file; `width` is that of the model's latents.
 * @throws BigVaeError("usage") for another kind of file, "format" for one that is damaged or not there, "mismatch" for latents
 * of another width, "nonFinite" for NaN or infinity.
 */
export async function readLatents(path: string, width: number): Promise<NamedLatent[]> {
  const format = formatOf(path);
  const latents = await format.read(path, width).catch((error: unknown) => {
    throw readError(path, error);
  });
  return checked(latents, path);
}

/** @throws BigVaeError("usage") where there is no latent, "nonFinite" for NaN or infinity. */
function checked(latents: NamedLatent[], what: string): NamedLatent[] {
  if (latents.length === 0)
    throw new BigVaeError("usage", {
      subject: what,
      expected: "at least one latent",
      got: "none",
      remedy: "write one with bigvae encode",
    });
  for (const [i, { z }] of latents.entries()) checkFinite(z, `${what}, latent ${i + 1}`);
  return latents;
}

/**
 * Writes latents in the format that the path's ending names; .npy and .safetensors (a tensor z) without their texts.
 * @throws BigVaeError("usage") for another ending, "disk" where it cannot be written.
 */
export async function writeLatents(path: string, latents: readonly NamedLatent[]): Promise<void> {
  await formatOf(path).write(path, latents);
}

function formatOf(path: string): Format {
  if (isLatentsPath(path)) return FORMATS[extname(path).toLowerCase()]!;
  throw new BigVaeError("usage", {
    subject: path,
    expected: `a file of latents, ${LATENT_ENDINGS}`,
    got: "another ending",
    remedy: "name one with such an ending",
  });
}

/** Latents from JSON lines: {"z": [...], "text": "..."}, or what `bigvae encode --json` prints, where z is called mean. Throws as readLatents. */
export function parseLatentLines(text: string, width: number, what: string): NamedLatent[] {
  return checked(latentsOfLines(text, width, what), what);
}

function latentsOfLines(text: string, width: number, what: string): NamedLatent[] {
  return text.split("\n").flatMap((line, i) => {
    if (line.trim() === "") return [];
    const where = `${what}, line ${i + 1}`;
    const {
      z,
      mean = z,
      text: of,
      examples,
    } = (toPlain(parseStrictJson(line, where)) ?? {}) as Record<string, unknown>;
    if (!Array.isArray(mean) || mean.some((value) => typeof value !== "number"))
      throw new BigVaeError("format", {
        subject: where,
        expected: '{"z": [numbers], "text": "..."}',
        got: line.slice(0, 40),
        remedy: "write one object a line",
      });
    checkWidth(mean.length, width, where);
    const named = { ...(typeof of === "string" ? { text: of } : {}), ...counted(examples, where) };
    return [{ z: Float32Array.from(mean), ...named }];
  });
}

/** @throws BigVaeError("format") for a number of examples that is none. */
function counted(examples: unknown, where: string): Pick<NamedLatent, "examples"> {
  if (examples === undefined) return {};
  if (Number.isSafeInteger(examples) && (examples as number) >= 1) return { examples: examples as number };
  throw new BigVaeError("format", {
    subject: where,
    expected: "a whole number of examples, at least 1",
    got: JSON.stringify(examples),
    remedy: "correct it, or leave it out for 1",
  });
}

function lineOf({ z, text, examples }: NamedLatent): string {
  return jsonLine({ ...(text === undefined ? {} : { text }), ...(examples === undefined ? {} : { examples }), z });
}

function tensorsOf(latents: readonly NamedLatent[]): Map<string, StoredTensor> {
  const z: StoredTensor = { dtype: "F32", ...tableOf(latents) };
  if (latents.every(({ examples }) => examples === undefined)) return new Map([["z", z]]);
  const data = Int32Array.from(latents, ({ examples = 1 }) => examples);
  return new Map([
    ["z", z],
    ["examples", { dtype: "I32", shape: [data.length], data }],
  ]);
}

function tableOf(latents: readonly NamedLatent[]): NpyArray {
  const width = latents[0]?.z.length ?? 0;
  const data = new Float32Array(latents.length * width);
  for (const [i, { z }] of latents.entries()) data.set(z, i * width);
  return { shape: [latents.length, width], data };
}

async function readTensors(path: string, width: number): Promise<NamedLatent[]> {
  const file = await openSafetensors(path);
  try {
    if (file.names.includes("z")) {
      const rows = rowsOf({ shape: file.info("z").shape, data: await file.readFloat32("z") }, width, path);
      if (!file.names.includes("examples")) return rows;
      const { dtype, shape, data } = await file.readRaw("examples");
      if (dtype === "I32" && data.length === rows.length)
        return rows.map((row, i) => ({ ...row, ...counted(data[i], `${path}, latent ${i + 1}`) }));
      throw new BigVaeError("format", {
        subject: path,
        expected: `a tensor examples, I32 [${rows.length}]`,
        got: `${dtype} [${shape.join(", ")}]`,
        remedy: "rename or remove it",
      });
    }
    throw new BigVaeError("format", {
      subject: path,
      expected: "a tensor z",
      got: file.names.join(", ") || "none",
      remedy: "rename it",
    });
  } finally {
    await file.close();
  }
}

/** A single latent may be a vector [W]. */
function rowsOf({ shape, data }: NpyArray, width: number, path: string): NamedLatent[] {
  if (shape.length > 2)
    throw new BigVaeError("format", {
      subject: path,
      expected: `latents [N, ${width}]`,
      got: `[${shape.join(", ")}]`,
      remedy: "reshape them",
    });
  checkWidth(shape.at(-1) ?? 1, width, path);
  return Array.from({ length: data.length / width }, (_, i) => ({ z: data.subarray(i * width, (i + 1) * width) }));
}

function checkWidth(got: number, width: number, where: string): void {
  if (got === width) return;
  throw new BigVaeError("mismatch", {
    subject: where,
    expected: `latents of ${width} values`,
    got,
    remedy: "use latents of this model",
  });
}

function checkFinite(z: Latent, where: string): void {
  const bad = z.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return;
  throw new BigVaeError("nonFinite", {
    subject: where,
    expected: "finite values",
    got: `${z[bad]} at ${bad}`,
    remedy: "write it again",
  });
}
