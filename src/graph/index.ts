/** A small typed graph: build values, differentiate a scalar, write ONNX. It does not know what a language model is. */
export { checkpoint } from "./checkpoint.js";
export { gradients } from "./gradient.js";
export { DEVICES, type Device, type FileRange, type StoredData } from "./lowering.js";
export { type OnnxModel, type OnnxOptions, toOnnx } from "./onnx.js";
export * from "./ops/elementwise.js";
export * from "./ops/layout.js";
export * from "./ops/matmul.js";
export * from "./ops/network.js";
export * from "./ops/packed.js";
export * from "./ops/random.js";
export * from "./ops/reduce.js";
export { type ColumnsGradient, type PackedFormat, type PackedPart, packedParts } from "./packedFormat.js";
export { broadcastShapes, type Dim, type Shape, sizeOf } from "./shape.js";
export { type DType, type OpName, topologicalOrder, type Value } from "./value.js";
