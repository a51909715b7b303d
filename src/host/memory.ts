/** Free memory, and whether a model fits: refused before anything is allocated. */
import { readFileSync } from "node:fs";
import { freemem } from "node:os";
import { EXPERT_BYTES } from "../engine/experts.js";
import type { Compute } from "../engine/int8.js";
import { ROW_ADAPTER_BYTES } from "../engine/rowAdapters.js";
import type { AdapterForm } from "../engine/sessions.js";
import { SESSION_BYTES } from "../engine/trunk.js";
import { BigVaeError } from "../errors.js";
import type { ModelConfig } from "../model/config.js";
import { linearShapes, weightShapes } from "../model/weights.js";
import { ADAPTER_ROLES } from "../vae/roles.js";
import { ropeSteps } from "../vae/rowLayout.js";
import { type Quant, quantBytes } from "../weights/index.js";
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

/** How a base is kept: dense, its adapters merged or beside it, or packed. */
export type Kept = AdapterForm | Exclude<Quant, "none">;

/**
 * Bytes that a model takes at its peak, without the caches of long contexts (test/host/memory.test.ts compares it with the truth).
 * unmerged: every weight once, and what a run needs beside them.
 * merged: each session (one for each adapter, made at first use) holds its own packed linear layers, the writers the head too; while
 * one is made, its merged weights and ONNX Runtime's copy of them lie beside it. Guidance adds a session of the base, counted where it is the default.
 * int8, int4, nf4: the weights in the kernel's order, the embedding table beside them, and once more what is packed at a time.
 */
export function neededBytes(
  { config, adapterBytes, adapters = ADAPTER_ROLES.length, slots = 1 }: ModelSize,
  kept: Kept,
): number {
  const linear = floatBytes(linearShapes(config).values());
  const head = floatBytes([[config.vocabSize, config.hiddenSize]]);
  const rope = floatBytes([[config.maxPositionEmbeddings * ropeSteps(slots), config.headDim]]);
  const fixed = PROCESS_BYTES + rope + adapterBytes;
  if (kept !== "merged") return fixed + storedBytes(config, kept);
  // Several slots: samplers are guided by default.
  const guide = slots > 1 ? 1 : 0;
  const [sessions, writers] = adapterBytes > 0 ? [adapters + guide, adapters - 1 + guide] : [1, 1];
  const weights = floatBytes(weightShapes(config).values());
  return fixed + weights + sessions * linear + writers * head + (2 * linear + head);
}

/** Bytes of a base that all adapters share, in the sessions of the engine. */
export function storedBytes(config: ModelConfig, kept: Exclude<Kept, "merged">): number {
  return kept === "unmerged" ? 1.2 * floatBytes(weightShapes(config).values()) : packedBytes(config, kept);
}

/**
 * Bytes that experts take beside a model at most: those that stay in memory; the matrices of rows that read by different ones, of those that are read and of those
 * that are written; and the base that all share, where adapters are merged into copies of it. `one`: those of an expert.
 */
export function expertsBytes(config: ModelConfig, kept: Kept, one: number): number {
  const base = kept === "merged" ? storedBytes(config, "unmerged") : 0;
  return base + Math.max(EXPERT_BYTES, one) + 2 * Math.max(ROW_ADAPTER_BYTES, one);
}

/** Throws "memory" where an expert does not fit; the first one brings what all of them need. */
export function checkExpertFits(
  config: ModelConfig,
  kept: Kept,
  one: number,
  isFirst: boolean,
  available: number,
): void {
  const need = isFirst ? expertsBytes(config, kept, one) - Math.max(EXPERT_BYTES, one) + one : one;
  if (need > available) throw memoryError(need, available, "close other programs, or write without experts", "experts");
}

/** Scales that MatMulNBits keeps for each of a weight's: its own, those in its order, and sums for the zeros (measured: 4.1). */
const KERNEL_SCALES = 4;

/** The packed weights of a session lie in memory twice while it is made; ONNX Runtime's scratch is about as large. */
const PACKED_AT_A_TIME = 2 * SESSION_BYTES;

function packedBytes(config: ModelConfig, quant: Exclude<Quant, "none">): number {
  const table = [config.vocabSize, config.hiddenSize] as const;
  const inKernel = (shape: readonly [number, number], isTable = false) => {
    const { values, scales } = quantBytes(quant, shape, isTable);
    return values + (quant === "nf4" ? 1 : KERNEL_SCALES) * scales;
  };
  const linears = Array.from(linearShapes(config).values()).reduce((sum, shape) => sum + inKernel(shape), 0);
  const { values, scales } = quantBytes(quant, table, true);
  const kept = linears + inKernel(table, true) + values + scales;
  return kept + Math.min(kept, PACKED_AT_A_TIME);
}

/** Bytes of a base that training feeds: its linear layers packed, tables and norms dense; for products in int8 two copies of layers and one of the head beside them. */
export function fedBytes(config: ModelConfig, quant: Quant, compute: Compute = "fp32"): number {
  const linears = Array.from(linearShapes(config).values());
  const packed = linears
    .map((shape) => quantBytes(quant, shape))
    .reduce((sum, { values, scales }) => sum + values + scales, 0);
  const head = [config.vocabSize, config.hiddenSize];
  const copies = compute === "int8" ? floatBytes(linears) / 2 + floatBytes([head]) / 4 : 0;
  return packed + copies + floatBytes(weightShapes(config).values()) - floatBytes(linears);
}

/** Bytes that a process takes with a base that training feeds, without what a step computes. */
export function fedBytesNeeded(config: ModelConfig, quant: Quant, compute?: Compute): number {
  return PROCESS_BYTES + 1.2 * fedBytes(config, quant, compute);
}

function floatBytes(shapes: Iterable<readonly number[]>): number {
  return Array.from(shapes).reduce((sum, shape) => sum + shape.reduce((size, dim) => size * dim, 4), 0);
}

/** Throws "memory" with need, have and what to do: which packed form would fit, where one does. */
export function checkFits(size: ModelSize, kept: Kept, available: number): void {
  const need = neededBytes(size, kept);
  if (need <= available) return;
  const smaller = PACKED.find((quant) => neededBytes(size, quant) <= Math.min(available, need));
  throw memoryError(
    need,
    available,
    smaller
      ? `give \`quant\` ${smaller}, which takes ${megabytes(neededBytes(size, smaller))}`
      : "close other programs, or choose a smaller model",
  );
}

/** Throws "memory" where a base does not fit that training feeds, with the smaller way of training that does. */
export function checkFedFits(config: ModelConfig, quant: Quant, compute: Compute, available: number): void {
  const needOf = (kept: Quant, products?: Compute) => fedBytesNeeded(config, kept, products);
  const need = needOf(quant, compute);
  if (need <= available) return;
  const ways = [
    { remedy: "leave `compute` out", bytes: needOf(quant) },
    { remedy: "give `quant` nf4, without `compute`", bytes: needOf("nf4") },
  ];
  const way = ways.find(({ bytes }) => bytes < need && bytes <= available);
  const remedy = way
    ? `${way.remedy}, which takes ${megabytes(way.bytes)}`
    : "close other programs, or choose a smaller model";
  throw memoryError(need, available, remedy);
}

const PACKED = ["int8", "nf4", "int4"] as const;

const megabytes = (bytes: number) => `${Math.ceil(bytes / 1e6)} MB`;

function memoryError(need: number, available: number, remedy: string, subject = "model"): BigVaeError {
  return new BigVaeError("memory", {
    subject,
    expected: `${megabytes(need)} of free memory`,
    got: megabytes(available),
    remedy,
  });
}

/** Merged copies where the memory is there, one shared base otherwise. */
export function chooseForm(size: ModelSize, available: number): AdapterForm {
  return neededBytes(size, "merged") * 1.5 < available ? "merged" : "unmerged";
}
