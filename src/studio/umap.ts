/** The layout of keys by UMAP, found in a thread of its own. */
import { Worker } from "node:worker_threads";
import type { Latent } from "../latent/index.js";
import { type Layout, neighbourLayout } from "./layout.js";
import type { UmapReply, UmapTask } from "./umapWorker.js";

/** Fewer keys have no neighbourhoods. */
export const LEAST_FOR_UMAP = 8;

const SEED = 0;

/** Lays keys; `onShare` is told how much is done, from 0 to 1. Rejects with the signal's reason where that aborts. */
export async function umapLayout(
  keys: readonly Latent[],
  onShare: (share: number) => void,
  signal: AbortSignal,
): Promise<{ layout: Layout; places: Float32Array }> {
  signal.throwIfAborted();
  const width = keys[0]!.length;
  const flat = new Float32Array(keys.length * width);
  for (const [i, key] of keys.entries()) flat.set(key, i * width);
  const worker = new Worker(new URL("./umapWorker.js", import.meta.url), { execArgv: [] });
  const { promise, resolve, reject } = withResolvers<{ places: Float32Array; sample: Uint32Array }>();
  const stop = () => reject(signal.reason);
  signal.addEventListener("abort", stop);
  worker.on("message", (reply: UmapReply) => ("share" in reply ? onShare(reply.share) : resolve(reply)));
  worker.once("error", reject);
  worker.postMessage({ keys: flat, width, seed: SEED } satisfies UmapTask);
  try {
    const { places, sample } = await promise;
    const placed = Array.from(sample, (i) => ({ key: keys[i]!, x: places[2 * i]!, y: places[2 * i + 1]! }));
    return { layout: neighbourLayout(placed), places };
  } finally {
    signal.removeEventListener("abort", stop);
    await worker.terminate();
  }
}

/** Promise.withResolvers, which Node 20 lacks. */
function withResolvers<T>() {
  let [resolve, reject] = [(_: T) => {}, (_: unknown) => {}];
  const promise = new Promise<T>((whenDone, whenFailed) => {
    [resolve, reject] = [whenDone, whenFailed];
  });
  return { promise, resolve, reject };
}
