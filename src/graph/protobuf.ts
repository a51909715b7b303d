/** Writes ONNX protobuf messages: the few message types and fields that our graphs use (onnx.proto3 of ONNX 1.18). */
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { Shape } from "./shape.js";
import type { ConstantData, DType } from "./value.js";

const { Varint, LengthDelimited, Bit32 } = WireType;

/** TensorProto.DataType */
export const DATA_TYPES: Record<DType, number> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float64: 11,
};
/** AttributeProto.AttributeType */
const ATTRIBUTE_TYPES = { float: 1, int: 2, string: 3, ints: 7 } as const;

export type OnnxAttribute = { float: number } | { int: number } | { string: string } | { ints: readonly number[] };

export interface OnnxNode {
  opType: string;
  /** Empty for ONNX's own ops. */
  domain: string;
  inputs: readonly string[];
  outputs: readonly string[];
  attributes: Readonly<Record<string, OnnxAttribute>>;
}

export interface OnnxValue {
  name: string;
  dtype: DType;
  shape: Shape;
}

export interface OnnxInitializer extends OnnxValue {
  /** The values, or where they lie in data that is handed over beside the model. */
  data: ConstantData | { location: string; offset: number; length: number };
}

export interface OnnxGraph {
  nodes: readonly OnnxNode[];
  initializers: readonly OnnxInitializer[];
  inputs: readonly OnnxValue[];
  outputs: readonly OnnxValue[];
}

/** ModelProto bytes, opset 21 with ONNX Runtime's own ops beside it. */
export function encodeModel(graph: OnnxGraph): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(1, Varint).int64(10); // ir_version
  writer.tag(2, LengthDelimited).string("bigvae");
  message(writer, 7, () => writeGraph(writer, graph));
  for (const [domain, version] of [
    ["", 21],
    ["com.microsoft", 1],
  ] as const) {
    message(writer, 8, () => {
      writer.tag(1, LengthDelimited).string(domain);
      writer.tag(2, Varint).int64(version);
    });
  }
  return writer.finish();
}

function message(writer: BinaryWriter, field: number, write: () => void): void {
  writer.tag(field, LengthDelimited).fork();
  write();
  writer.join();
}

function writeGraph(writer: BinaryWriter, graph: OnnxGraph): void {
  for (const node of graph.nodes) message(writer, 1, () => writeNode(writer, node));
  writer.tag(2, LengthDelimited).string("graph");
  for (const initializer of graph.initializers) message(writer, 5, () => writeInitializer(writer, initializer));
  for (const input of graph.inputs) message(writer, 11, () => writeValueInfo(writer, input));
  for (const output of graph.outputs) message(writer, 12, () => writeValueInfo(writer, output));
}

function writeNode(writer: BinaryWriter, node: OnnxNode): void {
  for (const name of node.inputs) writer.tag(1, LengthDelimited).string(name);
  for (const name of node.outputs) writer.tag(2, LengthDelimited).string(name);
  writer.tag(4, LengthDelimited).string(node.opType);
  for (const [name, attribute] of Object.entries(node.attributes)) {
    message(writer, 5, () => writeAttribute(writer, name, attribute));
  }
  writer.tag(7, LengthDelimited).string(node.domain);
}

function writeAttribute(writer: BinaryWriter, name: string, attribute: OnnxAttribute): void {
  writer.tag(1, LengthDelimited).string(name);
  if ("float" in attribute) {
    writer.tag(2, Bit32).float(attribute.float);
    writer.tag(20, Varint).int32(ATTRIBUTE_TYPES.float);
  } else if ("int" in attribute) {
    writer.tag(3, Varint).int64(attribute.int);
    writer.tag(20, Varint).int32(ATTRIBUTE_TYPES.int);
  } else if ("string" in attribute) {
    writer.tag(4, LengthDelimited).string(attribute.string);
    writer.tag(20, Varint).int32(ATTRIBUTE_TYPES.string);
  } else {
    for (const value of attribute.ints) writer.tag(8, Varint).int64(value);
    writer.tag(20, Varint).int32(ATTRIBUTE_TYPES.ints);
  }
}

function writeInitializer(writer: BinaryWriter, { name, dtype, shape, data }: OnnxInitializer): void {
  for (const dim of shape) writer.tag(1, Varint).int64(dim);
  writer.tag(2, Varint).int32(DATA_TYPES[dtype]);
  writer.tag(8, LengthDelimited).string(name);
  if ("location" in data) {
    for (const key of ["location", "offset", "length"] as const) {
      message(writer, 13, () => {
        writer.tag(1, LengthDelimited).string(key);
        writer.tag(2, LengthDelimited).string(`${data[key]}`);
      });
    }
    writer.tag(14, Varint).int32(1); // data_location: EXTERNAL
  } else {
    writer.tag(9, LengthDelimited).bytes(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
}

function writeValueInfo(writer: BinaryWriter, { name, dtype, shape }: OnnxValue): void {
  writer.tag(1, LengthDelimited).string(name);
  const writeShape = () => {
    for (const dim of shape) {
      message(writer, 1, () => {
        if (typeof dim === "number") writer.tag(1, Varint).int64(dim);
        else writer.tag(2, LengthDelimited).string(dim);
      });
    }
  };
  message(writer, 2, () =>
    message(writer, 1, () => {
      writer.tag(1, Varint).int32(DATA_TYPES[dtype]);
      message(writer, 2, writeShape);
    }),
  );
}
