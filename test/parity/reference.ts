/** The reference values: a small Mistral with adapters, and what the original code computed with it. BIGVAE_REFERENCE names another set. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bindAdapter, loadHead, type NamedAdapters, type VaeAdapters } from "../../src/engine/adapters.js";
import { loadBase } from "../../src/engine/baseModel.js";
import { openSafetensors, openSafetensorsFolder, readLora } from "../../src/formats/index.js";
import { onnxNodeRuntime } from "../../src/runtime/onnxNode.js";
import { ADAPTER_ROLES } from "../../src/vae/roles.js";

const referenceFolder =
  process.env.BIGVAE_REFERENCE ?? fileURLToPath(new URL("../fixtures/reference", import.meta.url));
export const tinyFolder = join(referenceFolder, "tiny-mistral");

export const runtime = onnxNodeRuntime({ threads: 1 });

export async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, "utf8"));
}

export async function loadTinyBase() {
  const source = await openSafetensorsFolder(join(tinyFolder, "base"));
  const config = await readJson(join(tinyFolder, "base", "config.json"));
  return loadBase(config, source).finally(() => source.close());
}

export async function loadTinyAdapters(
  config: Awaited<ReturnType<typeof loadTinyBase>>["config"],
): Promise<VaeAdapters> {
  const folder = join(tinyFolder, "adapters");
  const file = await openSafetensors(join(folder, "vae.safetensors"));
  const head = await loadHead(config, file).finally(() => file.close());
  const adapters = await Promise.all(
    ADAPTER_ROLES.map(async (role) => [role, bindAdapter(role, await readLora(join(folder, role)), config)] as const),
  );
  return {
    ...head,
    span: 64,
    gap: 0,
    adapters: Object.fromEntries(adapters) as NamedAdapters,
  };
}

/** The computed values, by name. */
export async function openCases() {
  const file = await openSafetensors(join(tinyFolder, "cases.safetensors"));
  const integers = async (name: string) => Array.from((await file.readRaw(name)).data as Int32Array);
  return {
    close: () => file.close(),
    has: (name: string) => file.names.includes(name),
    shape: (name: string) => file.info(name).shape,
    floats: (name: string) => file.readFloat32(name),
    integers,
    /** Rows of a matrix of integers. */
    async rows(name: string): Promise<number[][]> {
      const [rows, columns] = file.info(name).shape as [number, number];
      const flat = await integers(name);
      return Array.from({ length: rows }, (_, i) => flat.slice(i * columns, (i + 1) * columns));
    },
    async scalar(name: string): Promise<number> {
      return Number((await file.readRaw(name)).data[0]);
    },
    async booleans(name: string): Promise<boolean[]> {
      return Array.from((await file.readRaw(name)).data as Uint8Array, (value) => value !== 0);
    },
  };
}

/** Largest absolute difference. */
export function maxDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  for (let i = 0; i < a.length; i++) worst = Math.max(worst, Math.abs(a[i]! - b[i]!));
  return worst;
}
