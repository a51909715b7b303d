/** Rows of a Parquet file, one row group in memory at a time; by hyparquet. */
import { type AsyncBuffer, parquetMetadataAsync, parquetReadObjects, parquetSchema } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { BigVaeError } from "../errors.js";
import { openForReading, readRange } from "../formats/safetensorsFiles.js";
import type { Meter } from "./lines.js";

/**
 * The rows from number `skip` on, with those of `columns` that the file has.
 * @throws BigVaeError("format") where it is no Parquet file.
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
    const metadata = await parquetMetadataAsync(file);
    const present = parquetSchema(metadata).children.map(({ element }) => element.name);
    const wanted = columns.filter((column) => present.includes(column));
    let rowStart = 0;
    for (const group of metadata.row_groups) {
      const rowEnd = rowStart + Number(group.num_rows);
      if (rowEnd > skip) {
        const begin = Math.max(rowStart, skip);
        yield* await parquetReadObjects({ file, metadata, columns: wanted, rowStart: begin, rowEnd, compressors });
      }
      rowStart = rowEnd;
      meter.bytesRead = Math.round((size * rowEnd) / Math.max(1, Number(metadata.num_rows)));
    }
  } catch (cause) {
    if (cause instanceof BigVaeError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new BigVaeError("format", `${path} is not a readable Parquet file: ${reason}; get it again.`, { cause });
  } finally {
    await handle.close();
  }
}
