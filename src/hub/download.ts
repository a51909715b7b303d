/** One file from the hub to its place in the cache: continued where it was cut, and checked by its hash before it has its name. */
import { rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { BigVaeError } from "../errors.js";
import { diskError, makeFolder, nodeFileOps } from "../formats/fileOps.js";
import { fileAddress, type HubFile, refused, wrongHash } from "./api.js";
import { hasFile, placeFile, repositoryFolder, snapshotFolder } from "./cache.js";
import { type Answer, failed, type HubCalls, repeated, request, Transient } from "./http.js";
import { type HubName, isFilePath, showHubName } from "./hubName.js";
import { PartialFile } from "./partialFile.js";

/** Told the bytes of the file that are there. */
export type OnBytes = (done: number) => void;

/** Path of a file in the snapshot of its commit. @throws BigVaeError("network") for a name that leads out of it. */
export function filePath(calls: HubCalls, name: HubName, commit: string, file: HubFile): string {
  if (!isFilePath(file.path))
    throw failed(new URL(calls.settings.endpoint), `a file named ${JSON.stringify(file.path.slice(0, 100))}`);
  return join(snapshotFolder(calls.settings, name.repository, commit), ...file.path.split("/"));
}

/** Bytes that are still to come: none where the file, or its content under another name, is there. */
export async function missingBytes(calls: HubCalls, name: HubName, commit: string, file: HubFile): Promise<number> {
  const blob = blobPath(calls, name, file);
  if (await hasFile(filePath(calls, name, commit, file), file.size)) return 0;
  if (await hasFile(blob, file.size)) return 0;
  const partial = await stat(`${blob}.incomplete`).catch(() => undefined);
  return partial && partial.size <= file.size ? file.size - partial.size : file.size;
}

/**
 * Brings a file into its snapshot. The caller holds the repository's lock.
 * @throws BigVaeError: "usage" where the hub refuses it, "network", "format" for a content of another hash, "disk", "aborted".
 */
export async function fetchFile(
  calls: HubCalls,
  name: HubName,
  commit: string,
  file: HubFile,
  onBytes: OnBytes = () => {},
): Promise<void> {
  const path = filePath(calls, name, commit, file);
  if (await hasFile(path, file.size)) return;
  const blob = blobPath(calls, name, file);
  const isNew = !(await hasFile(blob, file.size));
  if (isNew) {
    await makeFolder(dirname(blob));
    const { size } = await stat(`${blob}.incomplete`).catch(() => ({ size: 0 }));
    await fetchBlob(calls, name, commit, file, onBytes).catch((error) => {
      // What was there before may have been spoilt: it is gone now, and the file comes anew.
      if (size === 0 || !(error instanceof BigVaeError && error.kind === "format")) throw error;
      return fetchBlob(calls, name, commit, file, onBytes);
    });
  }
  await placeFile(blob, path, isNew, calls.settings.symlinks);
}

function blobPath({ settings }: HubCalls, { repository }: HubName, { hash }: HubFile): string {
  return join(repositoryFolder(settings, repository), "blobs", hash);
}

async function fetchBlob(
  calls: HubCalls,
  name: HubName,
  commit: string,
  file: HubFile,
  onBytes: OnBytes,
): Promise<void> {
  const blob = blobPath(calls, name, file);
  const incomplete = `${blob}.incomplete`;
  const partial = await PartialFile.open(incomplete, file);
  let digest: string;
  try {
    let furthest = partial.size;
    onBytes(furthest);
    const address = fileAddress(calls, name, commit, file.path);
    await repeated(calls, async (gained) => {
      if (partial.size === file.size) return;
      const answer = await request(calls, address, partial.size > 0 ? { range: `bytes=${partial.size}-` } : {});
      if (!PARTS.includes(answer.status)) throw await refused(calls, answer, name, address);
      if (!continues(answer, partial.size)) {
        await partial.empty();
        if (answer.status !== 200) {
          await answer.discard();
          throw new Transient(failed(new URL(address), `another part of ${file.path} than was asked for`));
        }
      }
      for await (const chunk of answer.chunks()) {
        if (partial.size + chunk.length > file.size) {
          await partial.empty();
          throw wrongHash(`${showHubName(name)}: ${file.path}`, file.hash, `more than its ${file.size} bytes`);
        }
        await partial.append(chunk);
        // What comes a second time is no gain: a server with less than the file would be asked for ever.
        if (partial.size > furthest) gained();
        furthest = Math.max(furthest, partial.size);
        onBytes(partial.size);
      }
      if (partial.size < file.size)
        throw new Transient(failed(new URL(address), `${partial.size} of the ${file.size} bytes of ${file.path}`));
    });
    digest = partial.digest();
    await partial.sync();
  } finally {
    await partial.close();
  }
  if (digest !== file.hash) {
    await rm(incomplete, { force: true });
    throw wrongHash(`${showHubName(name)}: ${file.path}`, file.hash, digest);
  }
  try {
    await rename(incomplete, blob);
    await nodeFileOps.syncFolder(dirname(blob));
  } catch (error) {
    throw await diskError(blob, file.size, error);
  }
}

/** Statuses of the whole, of a part, and of no such part. */
const PARTS = [200, 206, 416];

/** Whether an answer holds the bytes from `at` on. */
function continues({ status, headers }: Answer, at: number): boolean {
  if (at === 0 && status === 200) return true;
  const begin = /^bytes (\d+)-/.exec(headers.get("content-range") ?? "")?.[1];
  return status === 206 && Number(begin) === at && (headers.get("content-encoding") ?? "identity") === "identity";
}
