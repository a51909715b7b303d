/** Reads and writes folders of PEFT LoRA adapters. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "./atomic.js";
import { makeFolder, readError } from "./fileOps.js";
import { type LoraAdapter, loraConfig, loraTensors, parseLora } from "./peft.js";
import { confine, openSafetensors, refusePickle, writeSafetensors } from "./safetensorsFiles.js";
import { parseStrictJsonBytes, toPlain } from "./strictJson.js";

const CONFIG = "adapter_config.json";
const MODEL = "adapter_model.safetensors";

/**
 * Reads a folder with adapter_config.json and adapter_model.safetensors.
 * @throws BigVaeError("format") or BigVaeError("unsupported") naming the folder and the field or tensor.
 */
export async function readLora(folder: string): Promise<LoraAdapter> {
  await refusePickle(folder, MODEL, ["adapter_model.bin"], "PEFT");
  const configPath = await confine(folder, CONFIG);
  const bytes = await readFile(configPath).catch((error) => {
    throw readError(configPath, error);
  });
  const config = toPlain(parseStrictJsonBytes(bytes, join(folder, CONFIG)));
  const source = await openSafetensors(await confine(folder, MODEL));
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
  const path = join(folder, MODEL);
  await makeFolder(folder);
  await writeSafetensors(path, loraTensors(adapter), { format: "pt" });
  await writeFileAtomic(join(folder, CONFIG), `${JSON.stringify(loraConfig(adapter), null, 2)}\n`);
}
