/** Plain everyday sentences with a wide vocabulary; each is a pure function of the seed and its number. */
import { Rng } from "../../rng.js";
import { COMMANDS, DESCRIPTIONS, NOTES, QUESTIONS, QUOTATIONS, STATEMENTS } from "./patterns.js";
import { article } from "./words.js";
import { Writer } from "./writer.js";

export interface PlainSentence {
  readonly id: string;
  readonly text: string;
}

/** Sorts of patterns with their shares. */
const KINDS: readonly [patterns: readonly string[], share: number][] = [
  [STATEMENTS, 50],
  [DESCRIPTIONS, 22],
  [QUESTIONS, 11],
  [COMMANDS, 6],
  [QUOTATIONS, 8],
  [NOTES, 3],
];

const CONTRACTIONS: readonly [RegExp, string][] = [
  [/\b(do|does|did|is|are|was|were|have|has|had|could|should|would) not(?= )/g, "$1n't"],
  [/\bwill not(?= )/g, "won't"],
  [/\bcannot(?= )/g, "can't"],
  [/\bI am(?= \w)/g, "I'm"],
  [/\b(you|we|they) are(?= \w)/gi, "$1're"],
  [/\b(he|she|it|there|what|who|where) is(?= \w)/gi, "$1's"],
  [/\b(I|you|he|she|we|they) will(?= \w)/gi, "$1'll"],
  [/\b(I|you|he|she|we|they) would like/gi, "$1'd like"],
  [/\blet us\b/gi, "let's"],
];

/** Texts `start` to `start + count - 1` of a seed, of `perText` sentences each. */
export function* plainSentences(seed: number, count: number, start = 0, perText = 1): Generator<PlainSentence> {
  const root = Rng.fromSeed(seed);
  for (let n = start; n < start + count; n++) {
    const sentences = Array.from({ length: perText }, (_, i) => sentence(root.fork("plain", n * perText + i)));
    yield { id: `p${seed}-${n}`, text: sentences.join(" ") };
  }
}

function sentence(rng: Rng): string {
  for (;;) {
    const text = finish(new Writer(rng).fill(rng.pick(pickKind(rng))), rng);
    const words = text.split(" ").length;
    if (words >= 3 && words <= 22) return text;
  }
}

function pickKind(rng: Rng): readonly string[] {
  let rest = rng.integer(KINDS.reduce((sum, [, share]) => sum + share, 0));
  for (const [patterns, share] of KINDS) {
    if (rest < share) return patterns;
    rest -= share;
  }
  return STATEMENTS;
}

/** Articles, contractions and capitals; one in twelve is left as a note is typed, in lower case without a full stop. */
function finish(filled: string, rng: Rng): string {
  let text = filled.replace(/\ba# (\S+)/g, (_, next: string) => `${article(next)} ${next}`);
  if (rng.integer(5) < 3) for (const [long, short] of CONTRACTIONS) text = text.replace(long, short);
  if (rng.integer(12) === 0 && !text.includes('"')) return text.toLowerCase().replace(/\.$/, "");
  return text
    .replace(/^[a-z]/, (letter) => letter.toUpperCase())
    .replace(/\^([a-z])?/g, (_, letter = "") => letter.toUpperCase());
}
