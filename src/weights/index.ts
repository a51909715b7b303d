/** Frozen weights, dense or packed, and the formats that they are packed in. */
export { type StoreOptions, type WeightSource, WeightStore } from "./store.js";
export {
  type DenseWeight,
  type MappedWeight,
  type PackedWeight,
  packedWeight,
  packWeight,
  QUANTS,
  type Quant,
  readRows,
  type Weight,
  weightBytes,
  weightRanges,
  weightTensors,
} from "./weight.js";
