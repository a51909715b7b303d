/** The tensors of a GGUF model under Hugging Face's names, in its order of rows, dequantised to fp32. No file access here. */
import { BigVaeError, quote } from "../errors.js";
import type { GgufHeader, GgufMetadata, GgufTensor } from "./gguf.js";
import { dequantize, readableTypes } from "./ggufBlocks.js";
import { configFromGguf, type GgufConfig, huggingFaceName, permutedHeads, unpermuteRows } from "./ggufModel.js";
import { packedFormatOf, packedFromGguf } from "./ggufPacked.js";
import { malformed, missingTensor } from "./malformed.js";
import { type Dtype, isDtype, type StoredTensor, type TensorSource, viewElements } from "./tensors.js";

/**
 * A source over any way of reading a range of the file. `readRaw` gives F32, F16 and BF16 tensors only.
 * @throws BigVaeError("unsupported") for another architecture than llama or a type that cannot be dequantised.
 */
export function ggufSource(
  header: GgufHeader,
  readBytes: (begin: number, end: number) => Promise<Uint8Array>,
  what = "GGUF file",
): TensorSource & { readonly metadata: GgufMetadata; readonly config: GgufConfig } {
  const config = configFromGguf(header);
  const tensors = renameTensors(header, config, what);
  const entry = (name: string) => {
    const found = tensors.get(name);
    if (!found) throw missingTensor(what, name);
    return found;
  };
  const packedFormat = (name: string) => {
    const { type, shape } = entry(name);
    return shape.length === 2 ? packedFormatOf(type.name) : undefined;
  };
  return {
    names: [...tensors.keys()],
    metadata: header.metadata,
    config,
    info: (name) => ({ dtype: entry(name).type.name, shape: entry(name).shape }),
    async readFloat32(name) {
      const { type, begin, end, shape } = entry(name);
      const values = dequantize(type, await readBytes(begin, end));
      const heads = permutedHeads(name, config);
      return heads === 0 ? values : unpermuteRows(values, shape[0]!, heads);
    },
    async readRows(name, first, last) {
      const { type, begin, shape } = entry(name);
      const rowBytes = (shape[1]! / type.blockLength) * type.blockBytes;
      const from = begin + first * rowBytes;
      if (permutedHeads(name, config) === 0)
        return dequantize(type, await readBytes(from, from + (last - first) * rowBytes));
      // Rows of q and k are permuted within each head.
      const { head_dim: headDim } = config;
      if (first % headDim > 0 || last % headDim > 0)
        return (await this.readFloat32(name)).subarray(first * shape[1]!, last * shape[1]!);
      const values = dequantize(type, await readBytes(from, from + (last - first) * rowBytes));
      return unpermuteRows(values, last - first, (last - first) / headDim);
    },
    packedFormat,
    async readPacked(name) {
      const { begin, end, shape } = entry(name);
      const bytes = await readBytes(begin, end);
      const heads = permutedHeads(name, config);
      const ordered = heads === 0 ? bytes : unpermuteRows(bytes, shape[0]!, heads);
      return packedFromGguf(packedFormat(name)!, ordered, shape as [number, number]);
    },
    async readRaw(name): Promise<StoredTensor> {
      const { type, begin, end, shape } = entry(name);
      if (!isDtype(type.name))
        throw new BigVaeError("unsupported", {
          subject: `tensor ${quote(name)} of ${what}`,
          expected: "a type of safetensors to read as stored",
          got: type.name,
          remedy: "read it as fp32",
        });
      const bytes = await readBytes(begin, end);
      const heads = permutedHeads(name, config);
      const ordered = heads === 0 ? bytes : unpermuteRows(bytes, shape[0]!, heads);
      return { dtype: type.name satisfies Dtype, shape, data: viewElements(ordered, type.name) };
    },
  };
}

function renameTensors(header: GgufHeader, config: GgufConfig, what: string): Map<string, GgufTensor> {
  const tensors = new Map<string, GgufTensor>();
  const readable = readableTypes();
  for (const [name, tensor] of header.tensors) {
    const renamed = huggingFaceName(name);
    if (!readable.includes(tensor.type.name))
      throw new BigVaeError("unsupported", {
        subject: `tensor ${quote(name)} of ${what}`,
        expected: `one of ${readable.join(", ")}`,
        got: tensor.type.name,
        remedy: "use a file of one of these types",
      });
    const heads = permutedHeads(renamed, config);
    if (heads > 0 && tensor.shape[0] !== heads * config.head_dim)
      throw malformed(
        `tensor ${quote(name)} of ${what}`,
        `${heads} heads of ${config.head_dim} rows`,
        `the shape [${tensor.shape.join(", ")}]`,
      );
    tensors.set(renamed, tensor);
  }
  return tensors;
}
