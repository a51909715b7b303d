/** A file that is on its way: its bytes in blobs/HASH.incomplete, and the hash of what is there. */
import type { Hash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { BigVaeError } from "../errors.js";
import { diskError } from "../formats/fileOps.js";
import { blobHash, type HubFile } from "./api.js";

/** The caller alone writes it, and closes it. */
export class PartialFile {
  #hash: Hash;
  #size = 0;
  private constructor(
    readonly path: string,
    readonly file: HubFile,
    readonly handle: FileHandle,
  ) {
    this.#hash = blobHash(file);
  }

  /** Goes on with what is there, unless it is more than the file. @throws BigVaeError("disk") */
  static async open(path: string, file: HubFile): Promise<PartialFile> {
    const flags = constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0);
    const partial = new PartialFile(path, file, await open(path, flags, 0o666).catch(refusedBy(path, file)));
    try {
      if ((await partial.handle.stat()).size > file.size) await partial.empty();
      else await partial.#readWhatIsThere();
      return partial;
    } catch (error) {
      await partial.close();
      throw error instanceof BigVaeError ? error : await diskError(path, file.size, error);
    }
  }

  /** Bytes that are there. */
  get size(): number {
    return this.#size;
  }

  async #readWhatIsThere(): Promise<void> {
    const buffer = new Uint8Array(2 ** 20);
    for (;;) {
      const { bytesRead } = await this.handle.read(buffer, 0, buffer.length, this.#size);
      if (bytesRead === 0) return;
      this.#hash.update(buffer.subarray(0, bytesRead));
      this.#size += bytesRead;
    }
  }

  async append(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      const { bytesWritten } = await this.handle
        .write(chunk, at, chunk.length - at, this.#size + at)
        .catch(refusedBy(this.path, this.file));
      at += bytesWritten;
    }
    this.#hash.update(chunk);
    this.#size += chunk.length;
  }

  /** Begins anew. */
  async empty(): Promise<void> {
    await this.handle.truncate(0).catch(refusedBy(this.path, this.file));
    this.#hash = blobHash(this.file);
    this.#size = 0;
  }

  digest(): string {
    return this.#hash.digest("hex");
  }

  async sync(): Promise<void> {
    await this.handle.sync().catch(refusedBy(this.path, this.file));
  }

  close(): Promise<void> {
    return this.handle.close();
  }
}

/** A disk's refusal, in the user's words. */
function refusedBy(path: string, { size }: HubFile): (error: unknown) => Promise<never> {
  return async (error) => {
    throw await diskError(path, size, error);
  };
}
