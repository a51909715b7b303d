/** A thread that lays keys by UMAP: it takes seconds, in which the server has to answer. */
import { parentPort } from "node:worker_threads";
import { UMAP } from "umap-js";
import { Rng } from "../rng.js";
import { neighbourLayout, type Placed } from "./layout.js";

/** Keys that UMAP sees; the others lie among them. */
const MOST = 2000;

/** What the thread is asked: keys [width] one behind the other. */
export interface UmapTask {
  keys: Float32Array;
  width: number;
  seed: number;
}

/** What it answers: how far it has come, then the places of all keys, and the keys that the layout was found for. */
export type UmapReply = { share: number } | { places: Float32Array; sample: Uint32Array };

parentPort!.once("message", ({ keys: flat, width, seed }: UmapTask) => {
  const say = (reply: UmapReply) => parentPort!.postMessage(reply);
  const count = flat.length / width;
  const keyOf = (i: number) => flat.subarray(i * width, (i + 1) * width);
  const rng = Rng.fromSeed(seed);
  const chosen = rng.permutation(count).slice(0, MOST);
  const umap = new UMAP({
    nNeighbors: Math.min(15, chosen.length - 1),
    random: () => rng.uniform(),
  });
  const epochs = umap.initializeFit(Array.from(chosen, (i) => Array.from(keyOf(i))));
  for (let epoch = 0; epoch < epochs; epoch++) {
    umap.step();
    if (epoch % 20 === 0) say({ share: (0.7 * epoch) / epochs });
  }
  const fitted = umap.getEmbedding();
  const sample: Placed[] = Array.from(chosen, (i, at) => ({ key: keyOf(i), x: fitted[at]![0]!, y: fitted[at]![1]! }));
  const layout = neighbourLayout(sample);
  const places = new Float32Array(2 * count);
  const isChosen = new Map(Array.from(chosen, (i, at) => [i, sample[at]!]));
  for (let i = 0; i < count; i++) {
    const { x, y } = isChosen.get(i) ?? layout.place(keyOf(i));
    places.set([x, y], 2 * i);
    if (i % 5000 === 0) say({ share: 0.7 + (0.3 * i) / count });
  }
  say({ places, sample: chosen });
});
