/** Byte-level BPE of one word: among all neighbouring pairs the one learnt first is merged, the leftmost first. */
import { BigVaeError } from "../errors.js";
import { characterOfByte } from "./byteLevel.js";
import { PairQueue } from "./pairQueue.js";

type Json = Record<string, unknown>;
/** By first * 2^25 + second, whose ids are below 2^24: the rank and the id of the union. */
type Merges = ReadonlyMap<number, { readonly rank: number; readonly id: number }>;

/**
 * Words to ids (undefined for a word with a byte that has no token), for a byte-level BPE model without rules of its own; nothing for others.
 * @throws BigVaeError("format") for a merge of tokens that the vocabulary lacks.
 */
export function createMerger(
  model: Json,
  idOf: ReadonlyMap<string, number>,
): ((word: string) => readonly (number | undefined)[]) | undefined {
  const idOfByte = characterOfByte.map((character) => idOf.get(character));
  const rules = ["unk_token", "byte_fallback", "dropout", "continuing_subword_prefix", "end_of_word_suffix"];
  if (rules.some((rule) => model[rule])) return undefined;
  const merges = readMerges(model.merges as unknown[], idOf);
  const utf8 = new TextEncoder();
  return (word) => {
    const bytes = utf8.encode(word);
    if (model.ignore_merges === true) {
      const whole = idOf.get(Array.from(bytes, (byte) => characterOfByte[byte]!).join(""));
      if (whole !== undefined) return [whole];
    }
    const ids = Array.from(bytes, (byte) => idOfByte[byte]);
    // Upstream passes over such bytes; a text would lose them silently.
    if (ids.includes(undefined)) return [undefined];
    return mergeAll(ids as number[], merges);
  };
}

function pairKey(first: number, second: number): number {
  return first * 2 ** 25 + second;
}

function readMerges(list: readonly unknown[], idOf: ReadonlyMap<string, number>): Merges {
  const merges = new Map<number, { rank: number; id: number }>();
  for (const [rank, merge] of list.entries()) {
    // Older files write "a b", newer ones ["a", "b"].
    const [first, second] = typeof merge === "string" ? merge.split(" ") : (merge as unknown[]);
    const ids = [first, second, `${first}${second}`].map((token) => idOf.get(token as string));
    if (ids.includes(undefined))
      throw new BigVaeError("format", {
        subject: "tokenizer.json",
        expected: "merges of tokens of its vocabulary",
        got: JSON.stringify(merge),
        remedy: "get the file again",
      });
    merges.set(pairKey(ids[0]!, ids[1]!), { rank, id: ids[2]! });
  }
  return merges;
}

/** Merges in place over a linked list; a heap finds the next pair, so that a word of n bytes takes n log n steps. */
function mergeAll(ids: number[], merges: Merges): number[] {
  const length = ids.length;
  const next = Int32Array.from({ length }, (_, i) => i + 1);
  const previous = Int32Array.from({ length }, (_, i) => i - 1);
  const queue = new PairQueue();
  const offer = (at: number) => {
    const merge = at >= 0 && next[at]! < length ? merges.get(pairKey(ids[at]!, ids[next[at]!]!)) : undefined;
    if (merge) queue.push(at, -merge.rank);
  };
  for (let at = 0; at + 1 < length; at++) offer(at);
  while (queue.pop()) {
    const at = queue.pair;
    const after = next[at]!;
    // A merge nearby may have taken either side since the pair was offered.
    const merge = ids[at]! >= 0 && after < length ? merges.get(pairKey(ids[at]!, ids[after]!)) : undefined;
    if (!merge || merge.rank !== -queue.count) continue;
    ids[at] = merge.id;
    ids[after] = -1;
    next[at] = next[after]!;
    if (next[at]! < length) previous[next[at]!] = at;
    offer(previous[at]!);
    offer(at);
  }
  return ids.filter((id) => id >= 0);
}
