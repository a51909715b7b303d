/** TensorBoard event records: TFRecord framing (masked CRC-32C) around Event messages with scalar summaries. */
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

const { Varint, Bit64, Bit32, LengthDelimited } = WireType;

/** The first record of an event file. */
export function versionRecord(wallTimeSeconds: number): Uint8Array {
  const event = new BinaryWriter();
  event.tag(1, Bit64).double(wallTimeSeconds);
  event.tag(3, LengthDelimited).string("brain.Event:2");
  return frame(event.finish());
}

/** Scalars of one step. */
export function scalarRecord(
  wallTimeSeconds: number,
  step: number,
  scalars: Readonly<Record<string, number>>,
): Uint8Array {
  const event = new BinaryWriter();
  event.tag(1, Bit64).double(wallTimeSeconds);
  event.tag(2, Varint).int64(step);
  event.tag(5, LengthDelimited).fork(); // Event.summary
  for (const [tag, value] of Object.entries(scalars)) {
    event.tag(1, LengthDelimited).fork(); // Summary.value
    event.tag(1, LengthDelimited).string(tag);
    event.tag(2, Bit32).float(value);
    event.join();
  }
  event.join();
  return frame(event.finish());
}

/** Bytes of the whole records of an event file before the first one of a later step. */
export function recordsUpTo(file: Uint8Array, lastStep: number): number {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  let at = 0;
  while (at + FRAME_BYTES <= file.length) {
    const end = at + FRAME_BYTES + Number(view.getBigUint64(at, true));
    if (end > file.length || stepOf(file.subarray(at + 12, end - 4)) > lastStep) break;
    at = end;
  }
  return at;
}

/** The step of an Event message; 0 where it has none. */
function stepOf(event: Uint8Array): number {
  const reader = new BinaryReader(event);
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === 2 && type === Varint) return Number(reader.int64());
    reader.skip(type);
  }
  return 0;
}

/** What a frame adds to its data. */
const FRAME_BYTES = 16;

/** Length, its checksum, the data, its checksum: all little-endian. */
function frame(data: Uint8Array): Uint8Array {
  const record = new Uint8Array(data.length + FRAME_BYTES);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc32c(record.subarray(0, 8)), true);
  record.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc32c(data), true);
  return record;
}

/** CRC-32C (Castagnoli), one entry per byte value. */
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

function maskedCrc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  crc = ~crc >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
