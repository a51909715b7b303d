/** Frozen weights, dense or packed, and the formats that they are packed in. */
export { checkInt8, saturatesInInt8 } from "./int8Probe.js";
export { NF4_CODE } from "./nf4.js";
export { type StoreOptions, type WeightSource, WeightStore } from "./store.js";
export {
  type DenseWeight,
  type MappedWeight,
  type PackedWeight,
  packColumns,
  packedWeight,
  packWeight,
  QUANTS,
  type Quant,
  quantBytes,
  readRows,
  type Weight,
  weightRanges,
  weightTensors,
} from "./weight.js";
