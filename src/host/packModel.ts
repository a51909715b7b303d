/** One folder for a base and its adapters, weights in half precision: the form in which the pocket model is kept. */
import { copyFile, mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { ADAPTER_NAMES } from "../engine/adapters.js";
import {
  narrowFloat16,
  type OpenTensors,
  openSafetensors,
  openSafetensorsFolder,
  type StoredTensor,
  widenFloat16,
  writeFileAtomic,
  writeSafetensors,
} from "../formats/index.js";
import { baseSha256, readFacts } from "./modelFiles.js";

/** How far the rounding moved the weights. */
export interface PackReport {
  /** Bytes of all weights written. */
  bytes: number;
  /** Largest |rounded - original| over all weights. */
  worst: number;
}

/** Writes base/, the adapters, vae.safetensors and their facts to `output`; every float32 is rounded to float16. */
export async function packModel(base: string, adapters: string, output: string): Promise<PackReport> {
  const report: PackReport = { bytes: 0, worst: 0 };
  const round = async (source: OpenTensors, path: string) => {
    try {
      await writeSafetensors(path, await rounded(source, report), { format: "pt" });
      report.bytes += (await stat(path)).size;
    } finally {
      await source.close();
    }
  };
  await mkdir(join(output, "base"), { recursive: true });
  for (const name of ["config.json", "tokenizer.json", "tokenizer_config.json"]) {
    await copyFile(join(base, name), join(output, "base", name));
  }
  await round(await openSafetensorsFolder(base), join(output, "base", "model.safetensors"));
  for (const name of ADAPTER_NAMES) {
    await mkdir(join(output, name), { recursive: true });
    await copyFile(join(adapters, name, "adapter_config.json"), join(output, name, "adapter_config.json"));
    const file = "adapter_model.safetensors";
    await round(await openSafetensors(join(adapters, name, file)), join(output, name, file));
  }
  await round(await openSafetensors(join(adapters, "vae.safetensors")), join(output, "vae.safetensors"));
  await copyFile(join(adapters, "state.json"), join(output, "state.json"));
  const facts = await readFacts(adapters);
  const packed = { ...facts, base_sha256: await baseSha256(join(output, "base")) };
  await writeFileAtomic(join(output, "bigvae.json"), `${JSON.stringify(packed, null, 2)}\n`);
  return report;
}

async function rounded(source: OpenTensors, report: PackReport): Promise<Map<string, StoredTensor>> {
  const tensors = new Map<string, StoredTensor>();
  for (const name of source.names) {
    const values = await source.readFloat32(name);
    const data = narrowFloat16(values);
    tensors.set(name, { dtype: "F16", shape: source.info(name).shape, data });
    report.worst = Math.max(report.worst, worstRounding(values, data));
  }
  return tensors;
}

function worstRounding(values: Float32Array, halves: Uint16Array): number {
  const back = widenFloat16(halves);
  let worst = 0;
  for (let i = 0; i < values.length; i++) worst = Math.max(worst, Math.abs(back[i]! - values[i]!));
  return worst;
}
