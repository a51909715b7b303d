/** GGUF models as a source of weights in Hugging Face form, from bytes in memory or from a file read by ranges. */
import type { FileHandle } from "node:fs/promises";
import { readError } from "./fileOps.js";
import { type GgufHeader, type GgufMetadata, parseGguf } from "./gguf.js";
import { MoreBytes } from "./ggufCursor.js";
import type { GgufConfig } from "./ggufModel.js";
import { ggufSource } from "./ggufSource.js";
import { malformed } from "./malformed.js";
import { openForReading, readRange } from "./safetensorsFiles.js";
import type { TensorSource } from "./tensors.js";

/** A GGUF file that is open for reading; its tensors go by Hugging Face's names. */
export interface OpenGguf extends TensorSource {
  /** The header's keys and values. */
  readonly metadata: GgufMetadata;
  /** As config.json would say it. */
  readonly config: GgufConfig;
  /** Frees the file; nothing can be read after it. */
  close(): Promise<void>;
}

/**
 * Opens a model; only the header is read.
 * @throws BigVaeError("format") where it is malformed, BigVaeError("unsupported") for another architecture than llama.
 */
export async function openGguf(path: string): Promise<OpenGguf> {
  const file = await openForReading(path);
  try {
    const header = await readHeader(file, path);
    const source = ggufSource(header, (begin, end) => readRange(file, begin, end, path), path);
    return { ...source, close: () => file.close() };
  } catch (error) {
    await file.close();
    throw readError(path, error);
  }
}

/** Bytes; a header holds the vocabulary, some megabytes. */
const FIRST_READ = 2 ** 22;
const MAX_HEADER_BYTES = 2 ** 28;

async function readHeader(file: FileHandle, path: string): Promise<GgufHeader> {
  const { size } = await file.stat();
  for (let length = Math.min(size, FIRST_READ); ; ) {
    const bytes = await readRange(file, 0, length, path);
    try {
      return parseGguf(bytes, size, path);
    } catch (error) {
      if (!(error instanceof MoreBytes)) throw error;
      if (error.needed > MAX_HEADER_BYTES)
        throw malformed(path, `a header of at most ${MAX_HEADER_BYTES} bytes`, `at least ${error.needed}`);
      length = Math.min(size, Math.max(2 * length, error.needed));
    }
  }
}
