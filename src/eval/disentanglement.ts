/**
 * z-min-var (Kim & Mnih 2018, "FactorVAE score"): do single dimensions stand for single factors? A group shares the value of
 * one factor; the dimension that varies least within it, by its variance over all, should tell which factor that was.
 */
import { FACTOR_FORMS } from "../corpus/stories/index.js";
import type { Latent } from "../latent/index.js";
import type { Rng } from "../rng.js";
import { drawFactors, FACTOR_NAMES, type FactorName, labelledSentence } from "./factorSentences.js";
import { variances } from "./latentStatistics.js";
import { Scoring, type ScoringOptions } from "./scoring.js";

export interface MinVarOptions {
  rng: Rng;
  /** Members of a group, drawn with replacement among the texts that share the value; default: 64. */
  groupSize?: number;
  /** Groups per factor, of which a fifth are for the test; default: 1000. */
  groups?: number;
  /** Repetitions that are averaged; default: 10. */
  runs?: number;
}

/** A factor's name and the value of each text. */
export type Labels<F extends string = string> = Readonly<Record<F, readonly string[]>>;

/**
 * Accuracy of the majority vote dimension -> factor, 0 to 1; chance is 1 / factors. Votes are cast by groups of one half of
 * the texts and tested on groups of the other: with the same texts in both, the vote would know them by their own chances.
 */
export function zMinVar(latents: readonly Latent[], labels: Labels, options: MinVarOptions): number {
  const { rng, groupSize = 64, groups = 1000, runs = 10 } = options;
  const scale = variances(latents);
  const factors = Object.keys(labels);
  const [voting, testing] = [0, 1].map((half) => factors.map((name) => textsByValue(labels[name]!, half)));
  const tests = Math.ceil(groups / 5);
  let right = 0;
  for (let run = 0; run < runs; run++) {
    const stream = rng.fork("min var", run);
    const dimensionOf = (values: readonly number[][]) => {
      const members = stream.pick(values);
      const group = Array.from({ length: groupSize }, () => latents[stream.pick(members)]!);
      return leastVarying(group, scale);
    };
    const votes = Array.from(scale, () => new Array<number>(factors.length).fill(0));
    for (let group = tests; group < groups; group++)
      for (const [factor, values] of voting!.entries()) votes[dimensionOf(values)]![factor]!++;
    for (let group = 0; group < tests; group++)
      for (const [factor, values] of testing!.entries()) if (winner(votes[dimensionOf(values)]!) === factor) right++;
  }
  return right / (runs * tests * factors.length);
}

/** The factor with most votes; -1 where there are none. */
function winner(votes: readonly number[]): number {
  const most = Math.max(...votes);
  return most === 0 ? -1 : votes.indexOf(most);
}

/** Texts of one half (those of even or of odd number) by value; a value that fewer than two of them have makes no group. */
function textsByValue(values: readonly string[], half: number): number[][] {
  const members = new Map<string, number[]>();
  for (let i = half; i < values.length; i += 2) members.set(values[i]!, [...(members.get(values[i]!) ?? []), i]);
  return [...members.values()].filter(({ length }) => length >= 2);
}

/** argmin_i Var(z_i) / scale_i; dimensions that never vary do not count. */
function leastVarying(group: readonly Latent[], scale: Float64Array): number {
  let [best, least] = [0, Number.POSITIVE_INFINITY];
  for (const [i, variance] of variances(group).entries()) {
    const relative = scale[i]! > 0 ? variance / scale[i]! : Number.POSITIVE_INFINITY;
    if (relative < least) [best, least] = [i, relative];
  }
  return best;
}

export interface DisentanglementOptions extends ScoringOptions, MinVarOptions {
  /** Sentences whose factors are drawn; default: 2000. */
  sentences?: number;
}

export interface DisentanglementReport {
  sentences: number;
  /** Of posterior means of labelled sentences. */
  zMinVar: number;
  /** The same with the sentences' labels exchanged at random: what grouping alone gives. */
  shuffled: number;
  chance: number;
}

/** z-min-var over labelled sentences of the minimal-pair grammar, with its control. */
export async function evaluateDisentanglement(options: DisentanglementOptions): Promise<DisentanglementReport> {
  const { tokenizer, space, rng, sentences: count = 2000 } = options;
  const sentences = Array.from({ length: count }, (_, i) => {
    const stream = rng.fork("sentence", i);
    return labelledSentence(drawFactors(stream), stream.integer(FACTOR_FORMS));
  });
  const means = await new Scoring(options).means(sentences.map(({ text }) => tokenizer.encode(text)));
  const latents = means.map((z) => space.content(z));
  const order = rng.fork("labels").permutation(count);
  const labelsBy = (pick: (i: number) => number) =>
    Object.fromEntries(
      FACTOR_NAMES.map((name) => [name, sentences.map((_, i) => sentences[pick(i)]!.factors[name])]),
    ) as Record<FactorName, string[]>;
  return {
    sentences: count,
    zMinVar: zMinVar(
      latents,
      labelsBy((i) => i),
      options,
    ),
    shuffled: zMinVar(
      latents,
      labelsBy((i) => order[i]!),
      options,
    ),
    chance: 1 / FACTOR_NAMES.length,
  };
}
