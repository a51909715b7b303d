/** Stories by seed and index: each is a pure function of both, with its factors and the bits of its own choices. */
import { Rng } from "../../rng.js";
import { Chooser } from "./chooser.js";
import { type Factors, factorsOf } from "./factors.js";
import { tellStory } from "./simulate.js";
import { startTelling } from "./telling.js";
import { drawWorld } from "./world.js";

export interface Story {
  id: string;
  kind: string;
  text: string;
  factors: Factors;
  /** The code length of the story under the generator that wrote it: the sum of -log2(p) of its choices. */
  bits: number;
}

/** Story `index` of the run `seed`; it does not depend on the other stories. */
export function story(seed: number, index: number): Story {
  return tracedStory(seed, index).story;
}

/** `count` stories of the run `seed`, from index `start` on. */
export function* stories(seed: number, count: number, start = 0): Generator<Story> {
  for (let index = start; index < start + count; index++) yield story(seed, index);
}

/** A story and the patterns it was told with, as written. */
export function tracedStory(seed: number, index: number): { story: Story; patterns: readonly string[] } {
  const chooser = new Chooser(Rng.fromSeed(seed).fork("story", index));
  const world = drawWorld(chooser);
  const telling = startTelling(world, chooser);
  const text = tellStory(world, telling);
  const told = { id: `g${seed}-${index}`, kind: world.kind, text, factors: factorsOf(world), bits: chooser.bits };
  return { story: told, patterns: telling.used.map((pattern) => pattern.source) };
}
