/** Free memory, and whether a model fits: refused before anything is allocated. */
import { readFileSync } from "node:fs";
import { freemem } from "node:os";
import type { AdapterForm } from "../engine/sessions.js";
import { BigVaeError } from "../errors.js";
import type { ModelConfig } from "../model/config.js";
import { linearShapes, weightShapes } from "../model/weights.js";
import { ADAPTER_ROLES } from "../vae/roles.js";
import { ropeSteps } from "../vae/rowLayout.js";
import { controlGroupRoom } from "./controlGroup.js";

/** Bytes that can be taken: MemAvailable, less where a control group allows less. */
export function availableBytes(): number {
  const system = fromMeminfo() ?? freemem();
  return Math.min(system, controlGroupRoom());
}

function fromMeminfo(): number | undefined {
  const found = /^MemAvailable:\s+(\d+) kB$/m.exec(readText("/proc/meminfo"));
  return found ? Number(found[1]) * 1024 : undefined;
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Memory of the process without a model: Node with two threads, ONNX Runtime, this library (measured: 118 MB). */
const PROCESS_BYTES = 120e6;

/** What a model's memory is estimated from. */
export interface ModelSize {
  config: ModelConfig;
  /** Bytes of the adapters and the head; 0 for a base alone. */
  adapterBytes: number;
  /** Adapters; encoder, decoder and router by default. */
  adapters?: number;
  /** Slots of a latent, 1 by default; where there are several, positions are fractional and the rotary tables finer. */
  slots?: number;
}

/**
 * Bytes that a model takes at its peak, without the caches of long contexts (test/host/memory.test.ts compares it with the truth).
 * unmerged: every weight once, and what a run needs beside them.
 * merged: each session (one for each adapter, made at first use) holds its own packed linear layers, the writers the head too; while
 * one is made, its merged weights and ONNX Runtime's copy of them lie beside it. Guidance adds a session of the base, counted where it is the default.
 */
export function neededBytes(
  { config, adapterBytes, adapters = ADAPTER_ROLES.length, slots = 1 }: ModelSize,
  form: AdapterForm,
): number {
  const weights = floatBytes(weightShapes(config).values());
  const linear = floatBytes(linearShapes(config).values());
  const head = floatBytes([[config.vocabSize, config.hiddenSize]]);
  const rope = floatBytes([[config.maxPositionEmbeddings * ropeSteps(slots), config.headDim]]);
  const fixed = PROCESS_BYTES + rope + adapterBytes;
  if (form === "unmerged") return fixed + 1.2 * weights;
  // Several slots: samplers are guided by default.
  const guide = slots > 1 ? 1 : 0;
  const [sessions, writers] = adapterBytes > 0 ? [adapters + guide, adapters - 1 + guide] : [1, 1];
  return fixed + weights + sessions * linear + writers * head + (2 * linear + head);
}

function floatBytes(shapes: Iterable<readonly number[]>): number {
  return Array.from(shapes).reduce((sum, shape) => sum + shape.reduce((size, dim) => size * dim, 4), 0);
}

/** Throws "memory" with need, have and what to do. */
export function checkFits(size: ModelSize, form: AdapterForm, available: number): void {
  const need = neededBytes(size, form);
  if (need <= available) return;
  const megabytes = (bytes: number) => `${Math.ceil(bytes / 1e6)} MB`;
  throw new BigVaeError("memory", {
    subject: "model",
    expected: `${megabytes(need)} of free memory`,
    got: megabytes(available),
    remedy: "close other programs, or choose a smaller model",
  });
}

/** Merged copies where the memory is there, one shared base otherwise. */
export function chooseForm(size: ModelSize, available: number): AdapterForm {
  return neededBytes(size, "merged") * 1.5 < available ? "merged" : "unmerged";
}
