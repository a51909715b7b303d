/** Reads and writes folders of PEFT LoRA adapters. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "./atomic.js";
import { makeFolder, readError } from "./fileOps.js";
import { type LoraAdapter, loraConfig, loraTensors, parseLora } from "./peft.js";
import { confine, openSafetensors, refusePickle, writeSafetensors } from "./safetensorsFiles.js";
import { parseStrictJsonBytes, toPlain } from "./strictJson.js";

/** Rank, alpha and targets of an adapter. */
export const LORA_CONFIG = "adapter_config.json";
/** Its matrices. */
export const LORA_WEIGHTS = "adapter_model.safetensors";

/**
 * Reads a folder with adapter_config.json and adapter_model.safetensors.
 * @throws BigVaeError("format") or BigVaeError("unsupported") naming the folder and the field or tensor.
 */
export async function readLora(folder: string): Promise<LoraAdapter> {
  await refusePickle(folder, LORA_WEIGHTS, ["adapter_model.bin"], "PEFT");
  const configPath = await confine(folder, LORA_CONFIG);
  const bytes = await readFile(configPath).catch((error) => {
    throw readError(configPath, error);
  });
  const config = toPlain(parseStrictJsonBytes(bytes, join(folder, LORA_CONFIG)));
  const source = await openSafetensors(await confine(folder, LORA_WEIGHTS));
  try {
    return await parseLora(config, source, folder);
  } finally {
    await source.close();
  }
}

/**
 * Writes the adapter, weights first, each file in one step.
 * @throws BigVaeError("disk")
 */
export async function writeLora(folder: string, adapter: LoraAdapter): Promise<void> {
  const path = join(folder, LORA_WEIGHTS);
  await makeFolder(folder);
  await writeSafetensors(path, loraTensors(adapter), { format: "pt" });
  await writeFileAtomic(join(folder, LORA_CONFIG), `${JSON.stringify(loraConfig(adapter), null, 2)}\n`);
}
