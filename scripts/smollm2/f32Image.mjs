/**
 * Writes a GGUF file again with every tensor as F32: the metadata stay byte for byte, but for general.file_type (0, "all F32").
 * node scripts/smollm2/f32Image.mjs model.gguf model.f32.gguf     (after `npm run build`)
 */
import { open, readFile } from "node:fs/promises";
import { parseGguf } from "../../dist/formats/gguf.js";
import { dequantize } from "../../dist/formats/ggufBlocks.js";
import { GgufCursor } from "../../dist/formats/ggufCursor.js";

const [from, to] = process.argv.slice(2);
if (!from || !to) throw new Error("usage: f32Image.mjs model.gguf image.gguf");

const F32 = 0;
const FILE_TYPE_ALL_F32 = 0;

/** Copies the bytes from the start to the end of the metadata, with the file's type set to F32. */
function copyMetadata(bytes) {
  const cursor = new GgufCursor(bytes, bytes.length, from);
  cursor.uint32(); // magic
  cursor.uint32(); // version
  cursor.uint64(); // tensors
  let fileTypeAt;
  for (let left = cursor.uint64(); left > 0; left--) {
    const key = cursor.string();
    const type = cursor.uint32();
    if (key === "general.file_type") fileTypeAt = cursor.at;
    cursor.value(type, key);
  }
  const copy = Buffer.from(bytes.subarray(0, cursor.at));
  if (fileTypeAt !== undefined) copy.writeUInt32LE(FILE_TYPE_ALL_F32, fileTypeAt);
  return copy;
}

/** Name, dimensions innermost first, type, offset from the start of the data. */
function tensorInfo(name, shape, offset) {
  const text = Buffer.from(name);
  const info = Buffer.alloc(8 + text.length + 4 + 8 * shape.length + 4 + 8);
  let at = info.writeBigUInt64LE(BigInt(text.length), 0);
  at += text.copy(info, at);
  at = info.writeUInt32LE(shape.length, at);
  for (const size of shape.toReversed()) at = info.writeBigUInt64LE(BigInt(size), at);
  at = info.writeUInt32LE(F32, at);
  info.writeBigUInt64LE(BigInt(offset), at);
  return info;
}

const bytes = await readFile(from);
const { metadata, tensors } = parseGguf(bytes, bytes.length, from);
const alignment = metadata.get("general.alignment") ?? 32;
const padding = (length) => Buffer.alloc((alignment - (length % alignment)) % alignment);

const infos = [];
let dataBytes = 0;
for (const [name, { shape }] of tensors) {
  infos.push(tensorInfo(name, shape, dataBytes));
  const sizeBytes = shape.reduce((count, size) => count * size, 4);
  dataBytes += sizeBytes + padding(sizeBytes).length;
}
const header = Buffer.concat([copyMetadata(bytes), ...infos]);

const file = await open(to, "w");
await file.writeFile(Buffer.concat([header, padding(header.length)]));
for (const { type, begin, end } of tensors.values()) {
  const { buffer, byteOffset, byteLength } = dequantize(type, bytes.subarray(begin, end));
  await file.writeFile(Buffer.concat([Buffer.from(buffer, byteOffset, byteLength), padding(byteLength)]));
}
await file.close();
console.log(`${to}: ${tensors.size} tensors, ${dataBytes} bytes of F32`);
