/** The matrices of a dense base for products in int8: those that read the same x are one. */
import type { PackedFormat } from "../graph/index.js";
import { causalMasks } from "../model/causalMask.js";
import type { ModelConfig } from "../model/config.js";
import { INPUT_POWER, inputPowersGraph } from "../model/inputSizes.js";
import { makeParameter } from "../model/lora.js";
import { ropeTables } from "../model/rope.js";
import { EMBEDDING, headName, matrixStacks } from "../model/weights.js";
import { float32, type HostTensors, int64, type Runtime } from "../runtime/runtime.js";
import { packColumns, weightTensors } from "../weights/index.js";

/** In what products with a dense base are computed: fp32, or int8 with a scale for each row of x, and for each input and output of a matrix. */
export type Compute = "fp32" | "int8";

/** How large each input of a stack of matrices is, [in], by the stack's name. */
export type InputSizes = ReadonlyMap<string, Float32Array>;

/** The input sizes of a dense base, with an adapter merged in or without, while it reads token ids. `tensors`: its weights by name on disk. */
export async function inputSizes(
  runtime: Runtime,
  { config, tensors }: { config: ModelConfig; tensors: HostTensors },
  ids: readonly number[],
): Promise<InputSizes> {
  const time = ids.length;
  const { hiddenSize, headDim, numAttentionHeads, numKeyValueHeads } = config;
  const positions = Array.from(ids.keys());
  const embeddings = new Float32Array(time * hiddenSize);
  const table = tensors[EMBEDDING]!.data as Float32Array;
  for (const [t, id] of ids.entries())
    embeddings.set(table.subarray(id * hiddenSize, (id + 1) * hiddenSize), t * hiddenSize);
  const masks = causalMasks(config, [{ seen: ids.map(() => 1), positions }]);
  const { cos, sin } = ropeTables(config, time);
  const session = await runtime.createSession(inputPowersGraph({ config, parameter: makeParameter() }, time));
  try {
    const powers = await session.run({
      ...tensors,
      embeddings: float32(embeddings, time, hiddenSize),
      positions: int64(positions, 1, time),
      mask: float32(masks, 1, 1, (numAttentionHeads / numKeyValueHeads) * time, time),
      rope_cos: float32(cos, time, headDim / 2),
      rope_sin: float32(sin, time, headDim / 2),
    });
    const root = (power: number) => power ** (1 / INPUT_POWER);
    return new Map(Object.entries(powers).map(([name, { data }]) => [name, (data as Float32Array).map(root)]));
  } finally {
    await session.release();
  }
}

/** A stack of matrices as a graph takes it. */
export interface PackedStack {
  format: PackedFormat;
  tensors: HostTensors;
}

/**
 * Packs a stack by its name; undefined for another weight's. `matrix`: values by their name on disk. With `training` the stacks carry what dx is computed
 * with: int8, and fp32 for the head. The gradient of its outputs is one large value and a small one for every other token, which int8 rounds to 0. Together
 * they cancel what all rows of the head have in common; rounded, that part drowns the rest (docs/log.md).
 */
export function int8Packing(
  config: ModelConfig,
  sizes: InputSizes,
  matrix: (name: string) => Float32Array,
  training: boolean,
): (name: string) => PackedStack | undefined {
  const stacks = matrixStacks(config);
  return (name) => {
    const matrices = stacks.get(name)?.map(matrix);
    if (!matrices) return undefined;
    const width = sizes.get(name)!.length;
    const values = stacked(matrices);
    const gradient = !training ? "none" : name === headName(config) ? "fp32" : "int8";
    const packed = packColumns(values, [values.length / width, width], { gradient, inputSizes: sizes.get(name) });
    return { format: packed.format, tensors: weightTensors(name, packed) };
  };
}

/** Matrices one behind the other; a single one as it is, so that what keeps its values shares them with the base. */
function stacked(matrices: readonly Float32Array[]): Float32Array {
  if (matrices.length === 1) return matrices[0]!;
  const values = new Float32Array(matrices.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const each of matrices) {
    values.set(each, at);
    at += each.length;
  }
  return values;
}
