/**
 * Packed weights as files that sessions map: made at the first load of a base, and read at later ones in place of the base. One folder for each base and
 * form, one file of data for each part, beside it an index with its sha256.
 */
import { createHash } from "node:crypto";
import { open, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { ImageStore, PlacedPart } from "../engine/trunkParts.js";
import { BigVaeError } from "../errors.js";
import { makeFolder } from "../formats/fileOps.js";
import { sha256OfFile, weightFiles, writeFileAtomic } from "../formats/index.js";
import { readJsonObject } from "../formats/readFiles.js";
import type { MappedWeight, PackedWeight, Quant, Weight } from "../weights/index.js";
import { userCache } from "./userCache.js";

/** Counts the layouts of these files. */
const VERSION = 2;

/** Smaller bases are packed anew at each load, in less than a second. */
const LEAST_BYTES = 64e6;

/** Data begin at multiples of this many bytes. */
const ALIGNMENT = 64;

/** What an index says of a weight. */
interface IndexedWeight {
  format: PackedWeight["format"];
  shape: [number, number];
  ranges: Record<string, [offset: number, length: number]>;
}

/** Where images lie, and from which size of the base's files on they are made. */
export interface ImageOptions {
  folder?: string;
  leastBytes?: number;
}

/** The images of one base in one form. */
export interface PackedImages extends ImageStore {
  folder: string;
}

/** The images of a base; undefined where it is small or not packed. */
export async function packedImages(
  base: string,
  quant: Quant,
  { folder = join(userCache(), "packed"), leastBytes = LEAST_BYTES }: ImageOptions = {},
): Promise<PackedImages | undefined> {
  if (quant === "none") return undefined;
  const files = base.endsWith(".gguf") ? [base] : await weightFiles(base);
  const stats = await Promise.all(files.map((file) => stat(file)));
  if (stats.reduce((sum, { size }) => sum + size, 0) < leastBytes) return undefined;
  const key = createHash("sha256").update(`${VERSION} ${quant}`);
  for (const [i, file] of files.entries()) {
    const { size, mtimeMs } = stats[i]!;
    key.update(`${basename(file)} ${size} ${mtimeMs}`).update(await samplesOf(file, size));
  }
  return imagesIn(join(folder, key.digest("hex").slice(0, 32)));
}

/** Pieces of a file, from beginning to end. */
async function samplesOf(path: string, size: number): Promise<Uint8Array> {
  const [count, length] = [64, 4096];
  const bytes = new Uint8Array(count * length);
  const file = await open(path, "r");
  try {
    for (let i = 0; i < count; i++) {
      const at = Math.floor((Math.max(0, size - length) * i) / (count - 1));
      await file.read(bytes, i * length, length, at);
    }
  } finally {
    await file.close();
  }
  return bytes;
}

function imagesIn(folder: string): PackedImages {
  return {
    folder,
    async part(name, read) {
      const known = await readPart(folder, name);
      if (known) return known;
      const weights = await read();
      try {
        await makeFolder(folder);
        await writePart(folder, name, weights);
      } catch (error) {
        // Without room for the files the weights are handed over in memory.
        if (error instanceof BigVaeError && error.kind === "disk") return { weights };
        throw error;
      }
      return (await readPart(folder, name)) ?? { weights };
    },
  };
}

/** A part that is there and whole; undefined otherwise. */
async function readPart(folder: string, name: string): Promise<PlacedPart | undefined> {
  try {
    const index = await readJsonObject(folder, `${name}.json`);
    const { sha256, weights } = index as { sha256: string; weights: Record<string, IndexedWeight> };
    const file = `${name}.bin`;
    if ((await sha256OfFile(join(folder, file))) !== sha256) return undefined;
    const placed = Object.entries(weights).map(([weight, { format, shape, ranges }]) => {
      const mapped = Object.entries(ranges).map(
        ([part, [offset, length]]) => [part, { file, offset, length }] as const,
      );
      return [
        weight,
        { kind: "mapped", format, shape, ranges: Object.fromEntries(mapped) } satisfies MappedWeight,
      ] as const;
    });
    return { weights: new Map(placed), folder };
  } catch {
    return undefined;
  }
}

async function writePart(folder: string, name: string, weights: ReadonlyMap<string, Weight>): Promise<void> {
  const indexed: Record<string, IndexedWeight> = {};
  const chunks: Uint8Array[] = [];
  const hash = createHash("sha256");
  let offset = 0;
  const add = (bytes: Uint8Array) => {
    chunks.push(bytes);
    hash.update(bytes);
    offset += bytes.length;
  };
  for (const [weightName, weight] of weights) {
    if (weight.kind !== "packed") continue;
    const ranges: IndexedWeight["ranges"] = {};
    for (const [part, { data }] of Object.entries(weight.parts)) {
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      ranges[part] = [offset, bytes.length];
      add(bytes);
      add(new Uint8Array((ALIGNMENT - (offset % ALIGNMENT)) % ALIGNMENT));
    }
    indexed[weightName] = { format: weight.format, shape: [...weight.shape], ranges };
  }
  await writeFileAtomic(join(folder, `${name}.bin`), chunks);
  await writeFileAtomic(join(folder, `${name}.json`), JSON.stringify({ sha256: hash.digest("hex"), weights: indexed }));
}
