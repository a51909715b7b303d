/** Rows of a Parquet file, one row group in memory at a time; by hyparquet. */
import { type AsyncBuffer, parquetMetadataAsync, parquetReadObjects, parquetSchema } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { BigVaeError } from "../errors.js";
import { openForReading, readRange } from "../formats/safetensorsFiles.js";
import type { Meter } from "./lines.js";

/**
 * The rows from number `skip` on, with those of `columns` that the file has.
 * @throws BigVaeError("format") where it is no Parquet file, or a text is not UTF-8, "unsupported" for an encrypted file and for a codec
 * or an encoding that is not read.
 */
export async function* readParquet(
  path: string,
  columns: readonly string[],
  skip: number,
  meter: Meter,
): AsyncGenerator<Record<string, unknown>> {
  const handle = await openForReading(path);
  try {
    const { size } = await handle.stat();
    const file: AsyncBuffer = {
      byteLength: size,
      async slice(begin, end = size) {
        const bytes = await readRange(handle, Math.max(0, begin), Math.min(end, size), path);
        return bytes.buffer as ArrayBuffer;
      },
    };
    await refuseEncrypted(file, path);
    const metadata = await parquetMetadataAsync(file);
    const present = parquetSchema(metadata).children.map(({ element }) => element.name);
    const wanted = columns.filter((column) => present.includes(column));
    let rowStart = 0;
    for (const group of metadata.row_groups) {
      const rowEnd = rowStart + Number(group.num_rows);
      if (rowEnd > skip) {
        const begin = Math.max(rowStart, skip);
        const rows = { rowStart: begin, rowEnd };
        const found = await parquetReadObjects({ file, metadata, columns: wanted, ...rows, compressors, parsers });
        for (const [i, row] of found.entries()) yield checkUtf8(row, `${path}, row ${begin + i + 1}`);
      }
      rowStart = rowEnd;
      meter.bytesRead = Math.round((size * rowEnd) / Math.max(1, Number(metadata.num_rows)));
    }
  } catch (cause) {
    if (cause instanceof BigVaeError) throw cause;
    throw unreadable(path, cause);
  } finally {
    await handle.close();
  }
}

/** The last bytes of a file whose footer is encrypted. */
const ENCRYPTED = "PARE";

async function refuseEncrypted(file: AsyncBuffer, path: string): Promise<void> {
  const magic = new TextDecoder().decode(await file.slice(file.byteLength - ENCRYPTED.length));
  if (magic !== ENCRYPTED) return;
  throw new BigVaeError("unsupported", {
    subject: path,
    expected: "a Parquet file that is not encrypted",
    got: "an encrypted one",
    remedy: "write it again without encryption",
  });
}

/** What hyparquet says of a sound file that has what it does not read; a damaged one has no name for it. */
const NOT_READ = /unsupported (compression codec|encoding|type|page type): [A-Z]|not supported/;

function unreadable(path: string, cause: unknown): BigVaeError {
  const got = cause instanceof Error ? cause.message.replace(/\.$/, "") : String(cause);
  const isNotRead = NOT_READ.test(got);
  const [kind, expected] = isNotRead
    ? (["unsupported", "a Parquet file of codecs and encodings that are read"] as const)
    : (["format", "a readable Parquet file"] as const);
  const remedy = isNotRead ? "write it again, with ZSTD or without compression" : "get the file again";
  return new BigVaeError(kind, { subject: path, expected, got, remedy }, { cause });
}

/** Bytes that are no UTF-8 are handed on as they are, so that their row can be named. */
const parsers = {
  stringFromBytes(bytes: Uint8Array): unknown {
    try {
      return bytes && new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      return bytes;
    }
  },
};

function checkUtf8(row: Record<string, unknown>, where: string): Record<string, unknown> {
  const bad = Object.keys(row).find((column) => row[column] instanceof Uint8Array);
  if (bad === undefined) return row;
  throw new BigVaeError("format", {
    subject: where,
    expected: `UTF-8 in the column ${JSON.stringify(bad)}`,
    got: "other bytes",
    remedy: "convert it to UTF-8",
  });
}
