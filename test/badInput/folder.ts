/** A copy of the reference model to spoil, and what must hold of every refusal. */
import { createHash } from "node:crypto";
import { cp, lstat, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { BigVaeError, type ErrorKind } from "../../src/errors.js";
import { tinyFolder } from "../parity/reference.js";

export interface ModelCopy {
  folder: string;
  base: string;
  adapters: string;
  /** Path of a file of it, by names. */
  at(...names: string[]): string;
  /** Changes a JSON file of it. */
  edit(path: string, change: (json: Record<string, unknown>) => void): Promise<void>;
  /** Changes the bytes of a file of it. */
  patch(path: string, change: (bytes: Buffer) => Buffer | undefined): Promise<void>;
  remove(): Promise<void>;
}

export async function copyModel(): Promise<ModelCopy> {
  const folder = await mkdtemp(join(tmpdir(), "bigvae-bad-"));
  for (const part of ["base", "adapters"]) await cp(join(tinyFolder, part), join(folder, part), { recursive: true });
  const at = (...names: string[]) => join(folder, ...names);
  return {
    folder,
    base: at("base"),
    adapters: at("adapters"),
    at,
    async edit(path, change) {
      const json = JSON.parse(await readFile(at(path), "utf8")) as Record<string, unknown>;
      change(json);
      await writeFile(at(path), JSON.stringify(json));
    },
    async patch(path, change) {
      const bytes = await readFile(at(path));
      await writeFile(at(path), change(bytes) ?? bytes);
    },
    remove: () => rm(folder, { recursive: true }),
  };
}

/** Names and contents of all files of a folder, as one hash. */
export async function fingerprint(folder: string): Promise<string> {
  const hash = createHash("sha256");
  for (const name of (await readdir(folder, { recursive: true })).sort()) {
    const found = await lstat(join(folder, name));
    hash.update(`${name} ${found.isFile()} `);
    if (found.isFile()) hash.update(await readFile(join(folder, name)));
  }
  return hash.digest("hex");
}

/** The work is refused with this kind, in one sentence that matches. */
export async function expectRefusal(work: () => unknown, kind: ErrorKind, message: RegExp): Promise<void> {
  const error = await Promise.resolve()
    .then(work)
    .then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
  if (!(error instanceof BigVaeError)) throw new Error(`expected a BigVaeError, got ${error}`, { cause: error });
  expect(error.message).toMatch(message);
  expect(error.kind).toBe(kind);
  expect(error.message).not.toMatch(/\n|\bat (?!https?:)\S+:\d+|undefined|\[object/);
  expect(error.message.length).toBeLessThan(500);
}
