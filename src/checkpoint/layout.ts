/**
 * What lies where in a checkpoint's folder. A published BigVAE checkpoint has vae.safetensors and a folder in PEFT's form for each adapter;
 * bigvae.json and state.json are beside them, and base/ in a packed model.
 */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { BigVaeError } from "../errors.js";
import { LORA_WEIGHTS } from "../formats/peftFiles.js";
import { exists } from "../formats/readFiles.js";
import type { AdapterRole } from "../vae/roles.js";
import { readFacts } from "./facts.js";

/** The base's folder, where it lies in that of its adapters. */
export const BASE = "base";
/** f, w_e and w_d, as MiniHF names their file. */
export const HEAD = "vae.safetensors";
/** How far the training has come, as MiniHF names its file. */
export const STATE = "state.json";

/** An adapter of a checkpoint, and where it lies. */
export interface AdapterPlace {
  /** The name that calls use. */
  name: string;
  role: AdapterRole;
  /** Within the checkpoint's folder. */
  folder: string;
}

/**
 * The adapters of a checkpoint: encoder, decoder, router (from decoder/ by default), then those that bigvae.json names, in order of name.
 * Throws "format" naming the part that is not there, and as readFacts does.
 */
export async function adapterPlaces(folder: string): Promise<AdapterPlace[]> {
  const isThere = (part: string) => exists(join(folder, part));
  const checkThere = async (part: string, expected: string) => {
    if (await isThere(part)) return;
    throw new BigVaeError("format", {
      subject: `adapters ${folder}`,
      expected,
      got: `no ${part}`,
      remedy: "copy the checkpoint's folder whole",
    });
  };
  for (const part of ["encoder", "decoder", HEAD]) await checkThere(part, `encoder/, decoder/ and ${HEAD}`);
  const { adapters = {} } = await readFacts(folder);
  const further = Object.entries(adapters).map(([name, entry]) => ({ name, ...entry }));
  for (const { name, folder: own } of further) await checkThere(own, `${own}/ of the adapter ${name}`);
  return [
    { name: "encoder", role: "encoder", folder: "encoder" },
    { name: "decoder", role: "decoder", folder: "decoder" },
    { name: "router", role: "router", folder: (await isThere("router")) ? "router" : "decoder" },
    ...further.sort((a, b) => (a.name < b.name ? -1 : 1)),
  ];
}

/** The folders of all adapters, each once. */
export async function adapterFolders(folder: string): Promise<string[]> {
  return [...new Set((await adapterPlaces(folder)).map((place) => place.folder))];
}

/** Paths of the files that hold the head and the adapters. */
export async function adapterFiles(folder: string): Promise<string[]> {
  const files = [HEAD, ...(await adapterFolders(folder)).map((name) => join(name, LORA_WEIGHTS))];
  return files.map((name) => join(folder, name));
}

/** Paths of the files that hold the head and the encoder's adapter. */
export function encoderFiles(folder: string): string[] {
  return [HEAD, join("encoder", LORA_WEIGHTS)].map((name) => join(folder, name));
}

/** Bytes of the head and the adapters; a file that is missing is refused later, by name. */
export async function adapterBytes(folder: string): Promise<number> {
  const sizes = (await adapterFiles(folder)).map((path) => stat(path).catch(() => ({ size: 0 })));
  return (await Promise.all(sizes)).reduce((sum, { size }) => sum + size, 0);
}
