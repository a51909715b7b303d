/** Bytes on disk: safetensors, GGUF, PEFT adapters; atomic writes and the folder lock. */
export { removeStaleTemporaries, writeFileAtomic } from "./atomic.js";
export { checkQuantized, NF4 } from "./bitsandbytes.js";
export { type FileOps, nodeFileOps, type OpenFile } from "./fileOps.js";
export type { GgufMetadata } from "./gguf.js";
export type { GgufValue } from "./ggufCursor.js";
export { type OpenGguf, openGguf } from "./ggufFile.js";
export type { GgufConfig } from "./ggufModel.js";
export { tokenizerConfigFromGguf, tokenizerFromGguf } from "./ggufTokenizer.js";
export { narrowBFloat16, narrowFloat16, widenBFloat16, widenFloat16 } from "./halfFloats.js";
export { jsonLine } from "./json.js";
export { type FolderLock, lockFolder } from "./lock.js";
export { type NpyArray, parseNpy, serializeNpy } from "./npy.js";
export { type LoraAdapter, type LoraPair, loraConfig, loraTensors, parseLora } from "./peft.js";
export { readLora, writeLora } from "./peftFiles.js";
export {
  parseSafetensors,
  parseSafetensorsHeader,
  type SafetensorsEntry,
  type SafetensorsHeader,
  safetensorsSource,
  serializeSafetensors,
} from "./safetensors.js";
export {
  confine,
  openSafetensors,
  openSafetensorsFolder,
  weightFiles,
  writeSafetensors,
} from "./safetensorsFiles.js";
export { sha256OfFile, sha256OfFiles } from "./sha256.js";
export { parseStrictJson, parseStrictJsonBytes, type StrictJson, toPlain } from "./strictJson.js";
export type { Dtype, OpenTensors, StoredTensor, TensorData, TensorInfo, TensorSource } from "./tensors.js";
