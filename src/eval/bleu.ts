/**
 * Corpus BLEU-4 on a scale of 0 to 100 (Papineni et al. 2002), one reference per text, as sacrebleu computes it by
 * default: 13a tokenisation, case kept, "exp" smoothing of orders without a match. NLTK's sentence BLEU is another measure.
 */

const ORDERS = 4;

/** Sums over a corpus that BLEU is computed from: [matches of order 1..4, n-grams of order 1..4, tokens of the hypotheses, of the references]. */
export type BleuCounts = readonly number[];

/** 100 BP exp(mean_n log p_n): p_n clipped n-gram precisions, BP = min(1, exp(1 - reference / hypothesis length)). */
export function corpusBleu(hypotheses: readonly string[], references: readonly string[]): number {
  const counts = hypotheses.map((hypothesis, i) => bleuCounts(hypothesis, references[i]!));
  const sums = Array.from({ length: 2 * ORDERS + 2 }, (_, k) => counts.reduce((sum, count) => sum + count[k]!, 0));
  return bleuOfCounts(sums);
}

/** What one text adds to the corpus. */
export function bleuCounts(hypothesis: string, reference: string): BleuCounts {
  const [ours, theirs] = [tokenize13a(hypothesis), tokenize13a(reference)];
  const matches: number[] = [];
  const totals: number[] = [];
  for (let n = 1; n <= ORDERS; n++) {
    const [found, known] = [ngrams(ours, n), ngrams(theirs, n)];
    let clipped = 0;
    for (const [ngram, count] of found) clipped += Math.min(count, known.get(ngram) ?? 0);
    matches.push(clipped);
    totals.push(Math.max(0, ours.length - n + 1));
  }
  return [...matches, ...totals, ours.length, theirs.length];
}

/** BLEU of a corpus whose texts' counts were added up. */
export function bleuOfCounts(counts: BleuCounts): number {
  const matches = counts.slice(0, ORDERS);
  const totals = counts.slice(ORDERS, 2 * ORDERS);
  const [hypothesisLength, referenceLength] = counts.slice(2 * ORDERS) as [number, number];
  // An order of which there is no n-gram at all has no precision to smooth.
  if (matches.every((count) => count === 0) || totals.includes(0)) return 0;
  let smoothing = 1;
  let logSum = 0;
  for (const [i, total] of totals.entries()) {
    // The k-th order without a match counts as 2^-k of one (Chen & Cherry 2014, method 3).
    if (matches[i] === 0) smoothing *= 2;
    logSum += Math.log((matches[i] || 1 / smoothing) / total);
  }
  const brevity = Math.min(1, Math.exp(1 - referenceLength / hypothesisLength));
  return 100 * brevity * Math.exp(logSum / ORDERS);
}

/** Tokens as mteval-v13a makes them for languages of Latin script; sacrebleu's tokenizer_13a.py, step by step. */
export function tokenize13a(text: string): string[] {
  let line = text.replaceAll("<skipped>", "").replaceAll("-\n", "").replaceAll("\n", " ");
  for (const [entity, character] of [
    ["&quot;", '"'],
    ["&amp;", "&"],
    ["&lt;", "<"],
    ["&gt;", ">"],
  ] as const)
    line = line.replaceAll(entity, character);
  return ` ${line} `
    .replace(/([{-~[-` -&(-+:-@/])/g, " $1 ")
    .replace(/([^0-9])([.,])/g, "$1 $2 ")
    .replace(/([.,])([^0-9])/g, " $1 $2")
    .replace(/([0-9])(-)/g, "$1 $2 ")
    .split(/\s+/)
    .filter((token) => token !== "");
}

function ngrams(tokens: readonly string[], n: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i + n <= tokens.length; i++) {
    const ngram = tokens.slice(i, i + n).join(" ");
    counts.set(ngram, (counts.get(ngram) ?? 0) + 1);
  }
  return counts;
}
