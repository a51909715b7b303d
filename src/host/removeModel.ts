/** Takes a model out of the cache of the hub, and leaves what another revision has too. */
import { BigVaeError } from "../errors.js";
import { exists } from "../formats/readFiles.js";
import { repositoryFolder } from "../hub/cache.js";
import { requireHubName } from "../hub/hubName.js";
import { hubSettings } from "../hub/settings.js";
import { freedBy, type Removal, removeFiles, type Snapshot, snapshotsOf } from "../hub/snapshots.js";

/** What a removal takes away. */
export interface RemovalPlan {
  /** As it was asked for. */
  name: string;
  /** The commits of the revisions concerned. */
  commits: string[];
  /** Bytes that come free: files that another revision has too stay. */
  bytes: number;
}

/**
 * What `removeModel` would remove: all revisions of "owner/name", the one of "owner/name@revision", the one file of "owner/name:file.gguf".
 * @throws BigVaeError("usage") where the cache has no such model.
 */
export async function planRemoval(name: string): Promise<RemovalPlan> {
  const removal = await removalOf(name);
  const { bytes } = await freedBy(await hubSettings(), removal);
  return { name, commits: [...new Set(removal.files.map(({ snapshot }) => snapshot.commit))], bytes };
}

/** Removes a model from the cache; returns what came free. @throws as `planRemoval`, "locked" while it is downloaded, "disk" */
export async function removeModel(name: string): Promise<RemovalPlan> {
  const plan = await planRemoval(name);
  return { ...plan, bytes: await removeFiles(await hubSettings(), await removalOf(name)) };
}

async function removalOf(text: string): Promise<Removal> {
  const { repository, revision, file } = requireHubName(text);
  const settings = await hubSettings();
  const all = await snapshotsOf(settings, repository);
  const isMeant = ({ commit, refs }: Snapshot) =>
    revision === undefined || commit === revision || refs.includes(revision);
  const files = all
    .filter(isMeant)
    .flatMap((snapshot) => snapshot.files.map((each) => ({ snapshot, file: each })))
    .filter(({ file: { path } }) => file === undefined || path === file);
  const isCut = revision === undefined && file === undefined && (await exists(repositoryFolder(settings, repository)));
  if (files.length > 0 || isCut) return { repository, files };
  throw new BigVaeError("usage", {
    subject: text,
    expected: "a model in the cache",
    got: "none of this name",
    remedy: "`bigvae list` shows those that there are",
  });
}
