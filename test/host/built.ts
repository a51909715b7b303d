/** The built library: a thread needs JavaScript. */
import { tinyFolder } from "../parity/reference.js";

export async function importBuilt(): Promise<typeof import("../../src/index.js")> {
  return import(/* @vite-ignore */ new URL("../../dist/index.js", import.meta.url).href);
}

/** The reference model in its thread. */
export async function loadTiny(
  options: { threads?: number; memoryBytes?: number; isolation?: "thread" | "process" } = {},
) {
  const { BigVae } = await importBuilt();
  return BigVae.load(`${tinyFolder}/base`, { adapters: `${tinyFolder}/adapters`, threads: 1, ...options });
}
