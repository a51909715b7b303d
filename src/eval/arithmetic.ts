/** Arithmetic on latents: two sentences that differ in one factor, and a third that is asked to change in the same way. */
import { FACTOR_FORMS } from "../corpus/stories/index.js";
import { weightedSum } from "../latent/index.js";
import type { Rng } from "../rng.js";
import { bootstrap, type Estimate, ratio } from "./bootstrap.js";
import {
  drawFactors,
  FACTOR_NAMES,
  type FactorName,
  type LabelledSentence,
  labelledSentence,
  SENTENCE_VALUES,
} from "./factorSentences.js";
import { Scoring, type ScoringOptions } from "./scoring.js";
import { holdsPhrase } from "./words.js";

/** x1 has the value `from` of a factor, x2 is x1 with `to` in its place, x3 is another sentence with `from`, `expected` is x3 with `to`. */
export interface ArithmeticCase {
  factor: FactorName;
  from: string;
  to: string;
  sentences: readonly [x1: LabelledSentence, x2: LabelledSentence, x3: LabelledSentence];
  expected: LabelledSentence;
}

export function arithmeticCase(rng: Rng): ArithmeticCase {
  const factor = rng.pick(FACTOR_NAMES);
  const first = drawFactors(rng);
  const from = first[factor];
  const to = rng.pick(SENTENCE_VALUES[factor].filter((value) => value !== from));
  const third = { ...drawFactors(rng), [factor]: from };
  const [form, otherForm] = [rng.integer(FACTOR_FORMS), rng.integer(FACTOR_FORMS)];
  const changed = (factors: typeof first) => ({ ...factors, [factor]: to });
  return {
    factor,
    from,
    to,
    sentences: [
      labelledSentence(first, form),
      labelledSentence(changed(first), form),
      labelledSentence(third, otherForm),
    ],
    expected: labelledSentence(changed(third), otherForm),
  };
}

export interface ArithmeticOptions extends ScoringOptions {
  rng: Rng;
  /** Number of cases; default: 200. */
  cases?: number;
}

/** Intervals are over cases. */
export interface ArithmeticReport {
  cases: number;
  /** Share of outputs that hold `to` and not `from`. */
  changed: Estimate;
  /** Share of x3's other four factors whose word the output holds. */
  kept: Estimate;
  /** Share of outputs that hold `to` and not `from` when z3 itself is written: what chance and errors give. */
  changedByChance: Estimate;
  /** As `kept`, when z3 itself is written: what reconstruction alone loses. */
  keptUnchanged: Estimate;
}

/**
 * Writes z3 + z2 - z1 (Mikolov et al. 2013) of posterior means greedily: as long as it says, up to its end token, or as long as the expected
 * sentence where latents have no length.
 */
export async function evaluateArithmetic(options: ArithmeticOptions): Promise<ArithmeticReport> {
  const { tokenizer, space, rng, cases: count = 200 } = options;
  const scoring = new Scoring(options);
  const cases = Array.from({ length: count }, (_, i) => arithmeticCase(rng.fork("arithmetic", i)));
  const zs = await scoring.means(cases.flatMap(({ sentences }) => sentences.map(({ text }) => tokenizer.encode(text))));
  const lengths = cases.map(({ expected }) => tokenizer.encode(expected.text).length);
  const points = cases.flatMap((_, i) => {
    const [z1, z2, z3] = [zs[3 * i]!, zs[3 * i + 1]!, zs[3 * i + 2]!];
    return [weightedSum([z3, z2, z1], [1, 1, -1]), z3];
  });
  const longest = Math.max(...lengths);
  const written = space.hasLength ? await scoring.writeTexts(points, longest) : await scoring.write(points, longest);
  const textOf = (i: number, offset: number) => {
    const ids = written[2 * i + offset]!;
    return scoring.text(space.hasLength ? ids : ids.slice(0, lengths[i]));
  };
  const estimate = (measure: (each: ArithmeticCase, text: string) => number, offset: number) =>
    bootstrap(
      cases.map((each, i) => [measure(each, textOf(i, offset)), 1]),
      ratio,
      rng.fork("bootstrap"),
    );
  return {
    cases: count,
    changed: estimate(hasChanged, 0),
    kept: estimate(shareKept, 0),
    changedByChance: estimate(hasChanged, 1),
    keptUnchanged: estimate(shareKept, 1),
  };
}

function hasChanged({ from, to }: ArithmeticCase, text: string): number {
  return holdsPhrase(text, to) && !holdsPhrase(text, from) ? 1 : 0;
}

function shareKept({ factor, expected }: ArithmeticCase, text: string): number {
  const others = FACTOR_NAMES.filter((name) => name !== factor);
  return others.filter((name) => holdsPhrase(text, expected.factors[name])).length / others.length;
}
