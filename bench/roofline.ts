/**
 * What a job would take if the machine did nothing but its products: bytes of weights and caches at the rate at which memory is read, operations at the rate of
 * the kernel. Both rates are measured, the best of many runs; beside other work they come out too low. What adapters, norms, sampling and JavaScript take is in the rest.
 */
import { input, linear, packedInput, packedLinear, type StoredData } from "../src/graph/index.js";
import type { ModelConfig } from "../src/model/config.js";
import { linearShapes } from "../src/model/weights.js";
import { float32, type Runtime } from "../src/runtime/runtime.js";
import { packColumns, packWeight, type Quant, quantBytes, weightTensors } from "../src/weights/index.js";
import { linearFormat } from "../src/weights/weight.js";

/** How the base is multiplied by: dense in fp32, dense with products in int8, or packed. */
export type Kernel = "fp32" | "columns" | Exclude<Quant, "none">;

/** What the machine reaches. */
export interface Rates {
  /** Bytes of weights read per second by a product of one row. */
  bytes: number;
  /** Operations per second, a multiplication and an addition counted as two: dense products in fp32. */
  fp32: number;
  /** The same of the kernel that multiplies by the base. */
  kernel: number;
}

/** A part of a job that is bound by one of the two: a step, or a batch. */
export interface Work {
  bytes: number;
  /** Of the base's linear layers. */
  kernelOperations: number;
  /** Of attention and of the head. */
  fp32Operations: number;
}

/** Rows of tokens that the model reads at once. */
export interface Pass {
  rows: number;
  /** New tokens of a row. */
  tokens: number;
  /** Tokens of a row in the cache. */
  past?: number;
  /** Tokens of a row whose logits are computed; default: none. */
  logits?: number;
  /** Whether a token sees those after it too. */
  bidirectional?: boolean;
}

/** Runs of which the best counts: a peak is what other work on the machine did not disturb. */
const RUNS = 40;
/** Matrices that together are far larger than a cache; one large matrix is read more slowly. */
const [READ_SHAPE, READ_COUNT] = [[1536, 576], 64] as const;
const SQUARE = [2048, 2048] as const;
const SQUARE_ROWS = 1024;

export async function measureRates(runtime: Runtime, kernel: Kernel): Promise<Rates> {
  const size = ([out, width]: readonly [number, number]) => out * width;
  const read = await bestSeconds(runtime, "fp32", 1, READ_SHAPE, READ_COUNT);
  const operations = 2 * SQUARE_ROWS * size(SQUARE);
  const rate = async (by: Kernel) => operations / (await bestSeconds(runtime, by, SQUARE_ROWS, SQUARE, 1));
  const fp32 = await rate("fp32");
  const own = kernel === "fp32" ? fp32 : await rate(kernel);
  return { bytes: (4 * READ_COUNT * size(READ_SHAPE)) / read, fp32, kernel: own };
}

/** Least seconds of the products of `rows` rows with `count` stored weights [out, in]. */
async function bestSeconds(
  runtime: Runtime,
  kernel: Kernel,
  rows: number,
  shape: readonly [number, number],
  count: number,
): Promise<number> {
  const [out, width] = shape;
  const x = input("x", [rows, width]);
  const stored = new Map<string, StoredData>();
  const product = (name: string) => {
    const values = Float32Array.from({ length: out * width }, (_, i) => ((i * 7919) % 1000) / 1000 - 0.5);
    if (kernel === "fp32") {
      stored.set(name, values);
      return linear(x, input(name, shape));
    }
    const packed =
      kernel === "columns" ? packColumns(values, shape) : packWeight(values, shape, linearFormat(kernel, width)!);
    for (const [part, { data }] of Object.entries(weightTensors(name, packed))) stored.set(part, data as StoredData);
    return packedLinear(x, packedInput(name, packed.format, shape));
  };
  const products = Object.fromEntries(Array.from({ length: count }, (_, i) => [`y${i}`, product(`w${i}`)]));
  const session = await runtime.createSession(products, { stored });
  const feeds = { x: float32(new Float32Array(rows * width).fill(0.01), rows, width) };
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < RUNS; run++) {
    const started = performance.now();
    await session.run(feeds);
    least = Math.min(least, (performance.now() - started) / 1000);
  }
  await session.release();
  return least;
}

/** The work of a pass over the whole model. */
export function passWork(config: ModelConfig, kernel: Kernel, pass: Pass): Work {
  const { rows, tokens, past = 0, logits = 0, bidirectional = false } = pass;
  const { numHiddenLayers: layers, numAttentionHeads, numKeyValueHeads, headDim, vocabSize, hiddenSize } = config;
  const quant = kernel === "fp32" || kernel === "columns" ? "none" : kernel;
  const linears = Array.from(linearShapes(config).values());
  const parameters = linears.reduce((sum, [out, width]) => sum + out * width, 0);
  const total = ({ values, scales }: Record<"values" | "scales", number>) => values + scales;
  const linearBytes =
    kernel === "columns" ? parameters : linears.reduce((sum, shape) => sum + total(quantBytes(quant, shape)), 0);
  const headBytes = logits > 0 ? total(quantBytes(quant, [vocabSize, hiddenSize], true)) : 0;
  const cacheBytes = 4 * rows * past * 2 * numKeyValueHeads * headDim * layers;
  const seen = past + (bidirectional ? tokens : (tokens + 1) / 2);
  return {
    bytes: linearBytes + headBytes + cacheBytes,
    kernelOperations: 2 * rows * tokens * parameters,
    fp32Operations:
      4 * rows * tokens * seen * numAttentionHeads * headDim * layers + 2 * rows * logits * vocabSize * hiddenSize,
  };
}

/** `count` tokens of each of some rows, one step after another, behind a context that lies in one place for all of them. */
export function stepsWork(config: ModelConfig, kernel: Kernel, rows: number, context: number, count: number): Work[] {
  const contextRead = passWork(config, kernel, { rows: 1, tokens: context, past: 0 });
  const steps = Array.from({ length: count }, (_, i) => {
    const own = passWork(config, kernel, { rows, tokens: 1, past: context + i, logits: 1 });
    const { numKeyValueHeads, headDim, numHiddenLayers } = config;
    return { ...own, bytes: own.bytes - 8 * (rows - 1) * context * numKeyValueHeads * headDim * numHiddenLayers };
  });
  return [contextRead, ...steps];
}

/** Forward and back: the gradient of x takes as many operations as the product and reads the weights again. */
export function withGradient({ bytes, kernelOperations, fp32Operations }: Work): Work {
  return { bytes: 2 * bytes, kernelOperations: 2 * kernelOperations, fp32Operations: 2 * fp32Operations };
}

/** Seconds at the rates: of the bytes, of the operations, of the slower of both part by part, and what of `seconds` is left. */
export function roofline(parts: readonly Work[], rates: Rates, seconds: number) {
  let [memory, operations, bound] = [0, 0, 0];
  for (const { bytes, kernelOperations, fp32Operations } of parts) {
    const [read, computed] = [bytes / rates.bytes, kernelOperations / rates.kernel + fp32Operations / rates.fp32];
    memory += read;
    operations += computed;
    bound += Math.max(read, computed);
  }
  const rounded = (value: number) => Number(value.toPrecision(3));
  return {
    memory_s: rounded(memory),
    operations_s: rounded(operations),
    bound_s: rounded(bound),
    rest_s: rounded(seconds - bound),
    share: rounded(bound / seconds),
  };
}
