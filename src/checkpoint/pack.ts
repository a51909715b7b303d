/** One folder for a base and its adapters, weights in half precision: the form in which the pocket model is kept. */
import { readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { BigVaeError } from "../errors.js";
import { errorCode, makeFolder, readError } from "../formats/fileOps.js";
import {
  NF4,
  narrowFloat16,
  type OpenTensors,
  openSafetensors,
  openSafetensorsFolder,
  type StoredTensor,
  widenFloat16,
  writeFileAtomic,
  writeSafetensors,
} from "../formats/index.js";
import { LORA_CONFIG, LORA_WEIGHTS } from "../formats/peftFiles.js";
import { readFacts, writeFacts } from "./facts.js";
import { baseSha256, checkBaseHash } from "./hashes.js";
import { adapterFolders, BASE, HEAD, STATE } from "./layout.js";

/** How far the rounding moved the weights. */
export interface PackReport {
  /** Bytes of all weights written. */
  bytes: number;
  /** Largest |rounded - original| over all weights. */
  worst: number;
}

/**
 * Writes a base and a checkpoint of it to one folder, `output`; every float32 is rounded to float16. The paths are of folders.
 * @throws BigVaeError: "usage" and "format" for what is missing, "unsupported" for a .gguf file, and for a weight beyond float16, "nonFinite",
 * "mismatch" for adapters of another base, "disk".
 */
export async function packModel(base: string, adapters: string, output: string): Promise<PackReport> {
  if (base.endsWith(".gguf"))
    throw new BigVaeError("unsupported", {
      subject: `\`model\` ${base}`,
      expected: "a base in Hugging Face's form",
      got: "a .gguf file, whose weights are packed already",
      remedy: "give its folder of safetensors",
    });
  const packedBase = join(output, BASE);
  const written = [output, packedBase].map((path) => resolve(path));
  if ([base, adapters].some((path) => written.includes(resolve(path))))
    throw new BigVaeError("usage", {
      subject: `\`output\` ${output}`,
      expected: "another folder than those of the base and the adapters, which it would overwrite",
      got: "one of them",
      remedy: "name a new one",
    });
  await checkBaseHash({ base, adapters });
  const folders = await adapterFolders(adapters);
  const report: PackReport = { bytes: 0, worst: 0 };
  const round = async (source: OpenTensors, path: string) => {
    try {
      await writeSafetensors(path, await rounded(source, report), { format: "pt" });
      report.bytes += (await stat(path)).size;
    } finally {
      await source.close();
    }
  };
  await makeFolder(packedBase);
  for (const name of ["config.json", "tokenizer.json"]) await copy(base, name, packedBase);
  for (const name of ["tokenizer_config.json", "special_tokens_map.json"])
    await copy(base, name, packedBase, "optional");
  await round(await openSafetensorsFolder(base), join(packedBase, "model.safetensors"));
  for (const name of folders) {
    await makeFolder(join(output, name));
    await copy(join(adapters, name), LORA_CONFIG, join(output, name));
    await round(await openSafetensors(join(adapters, name, LORA_WEIGHTS)), join(output, name, LORA_WEIGHTS));
  }
  await round(await openSafetensors(join(adapters, HEAD)), join(output, HEAD));
  await copy(adapters, STATE, output, "optional");
  const facts = await readFacts(adapters);
  await writeFacts(output, { ...facts, base_sha256: await baseSha256(packedBase) });
  return report;
}

async function copy(from: string, name: string, to: string, need?: "optional"): Promise<void> {
  const path = join(from, name);
  const bytes = await readFile(path).catch((error) => {
    if (need === "optional" && errorCode(error) === "ENOENT") return undefined;
    throw readError(path, error);
  });
  if (bytes) await writeFileAtomic(join(to, name), bytes);
}

async function rounded(source: OpenTensors, report: PackReport): Promise<Map<string, StoredTensor>> {
  const tensors = new Map<string, StoredTensor>();
  const packed = source.names.find((name) => source.info(name).dtype === NF4);
  if (packed !== undefined)
    throw new BigVaeError("unsupported", {
      subject: "pack",
      expected: "a base of dense weights",
      got: `${packed} in nf4`,
      remedy: "give the base that it was made of",
    });
  for (const name of source.names) {
    const values = await source.readFloat32(name);
    const data = narrowFloat16(values);
    tensors.set(name, { dtype: "F16", shape: source.info(name).shape, data });
    report.worst = Math.max(report.worst, worstRounding(name, values, widenFloat16(data)));
  }
  return tensors;
}

/** @throws BigVaeError("unsupported") for a value beyond float16, BigVaeError("nonFinite") for one that is no number. */
function worstRounding(name: string, values: Float32Array, rounded: Float32Array): number {
  let worst = 0;
  for (const [i, value] of values.entries()) {
    if (!Number.isFinite(rounded[i])) throw beyondFloat16(name, value, i);
    worst = Math.max(worst, Math.abs(rounded[i]! - value));
  }
  return worst;
}

function beyondFloat16(name: string, value: number, at: number): BigVaeError {
  return new BigVaeError(Number.isFinite(value) ? "unsupported" : "nonFinite", {
    subject: "pack",
    expected: "weights from -65504 to 65504, as float16 holds them",
    got: `${value} at ${at} of ${name}`,
    remedy: "use the model unpacked",
  });
}
