/**
 * What lies where in a checkpoint's folder. A published BigVAE checkpoint has vae.safetensors and a folder in PEFT's form for each adapter;
 * bigvae.json and state.json are beside them, and base/ in a packed model.
 */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { AdapterName } from "../engine/adapters.js";
import { BigVaeError } from "../errors.js";
import { LORA_WEIGHTS } from "../formats/peftFiles.js";
import { exists } from "../formats/readFiles.js";

/** The base's folder, where it lies in that of its adapters. */
export const BASE = "base";
/** f, w_e and w_d, as MiniHF names their file. */
export const HEAD = "vae.safetensors";
/** How far the training has come, as MiniHF names its file. */
export const STATE = "state.json";

/** The folder of each adapter. Throws "format" naming the part that is not there. */
export async function adapterFolders(folder: string): Promise<Record<AdapterName, AdapterName>> {
  for (const part of ["encoder", "decoder", HEAD]) {
    if (await exists(join(folder, part))) continue;
    throw new BigVaeError(
      "format",
      `adapters ${folder}: expected encoder/, decoder/ and ${HEAD}, got no ${part}; copy the checkpoint's folder whole`,
    );
  }
  const router = (await exists(join(folder, "router"))) ? "router" : "decoder";
  return { encoder: "encoder", decoder: "decoder", router };
}

/** Paths of the files that hold the head and the adapters. */
export async function adapterFiles(folder: string): Promise<string[]> {
  const folders = new Set(Object.values(await adapterFolders(folder)));
  const files = [HEAD, ...Array.from(folders, (name) => join(name, LORA_WEIGHTS))];
  return files.map((name) => join(folder, name));
}

/** Bytes of the head and the adapters; a file that is missing is refused later, by name. */
export async function adapterBytes(folder: string): Promise<number> {
  const sizes = (await adapterFiles(folder)).map((path) => stat(path).catch(() => ({ size: 0 })));
  return (await Promise.all(sizes)).reduce((sum, { size }) => sum + size, 0);
}
