/** A disk that fails, for tests of what is written. */
import { type FileOps, nodeFileOps } from "../src/formats/index.js";

/** The real disk, whose n-th creation, write, fsync or rename fails with `code`. */
export function failing(n: number, code: string): FileOps & { calls: number } {
  const ops = { ...nodeFileOps, calls: 0 };
  const step = async <T>(work: () => Promise<T>): Promise<T> => {
    if (ops.calls++ === n) throw Object.assign(new Error(code), { code });
    return work();
  };
  ops.create = (path) =>
    step(async () => {
      const file = await nodeFileOps.create(path);
      return { ...file, write: (bytes) => step(() => file.write(bytes)), sync: () => step(() => file.sync()) };
    });
  ops.rename = (from, to) => step(() => nodeFileOps.rename(from, to));
  ops.syncFolder = (path) => step(() => nodeFileOps.syncFolder(path));
  return ops;
}
