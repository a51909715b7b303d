/**
 * A model that writes down what samplers ask of it. Tokens carry the letter of their text and their place in it; the k-th
 * text that is encoded gets the k-th unit vector, so that mixing weights can be read off z.
 */

import type { LatentSpace } from "../../src/latent/index.js";
import { Rng } from "../../src/rng.js";
import type { LatentModel, Sampler, SamplingOptions, Span, TokenIds, Written } from "../../src/sampling/model.js";

export const BOS = 0;
const NEWLINE = 1;
export const STOP = 2;
const SIGNS: Record<number, string> = { [BOS]: "^", [NEWLINE]: "~", [STOP]: "." };
const WIDTH = 32;
const FIRST = 100;

/** `length` tokens of the text with this letter. */
export function text(letter: string, length: number): TokenIds {
  return Array.from({ length }, (_, i) => letter.charCodeAt(0) * FIRST + i);
}

/** "P0-3" for the first four tokens of P. */
export function show(ids: TokenIds): string {
  const runs: string[] = [];
  for (let i = 0; i < ids.length; ) {
    let end = i + 1;
    while (ids[i]! >= FIRST && end < ids.length && ids[end] === ids[end - 1]! + 1) end++;
    const place = ids[i]! % FIRST;
    runs.push(SIGNS[ids[i]!] ?? `${String.fromCharCode(ids[i]! / FIRST)}${place}-${place + end - i - 1}`);
    i = end;
  }
  return runs.join(" ") || "nothing";
}

/** "0.5 z1 + 0.5 z2" */
function showLatent(z: Float32Array): string {
  const terms = Array.from(z, (weight, i) => ({ weight: Number(weight.toFixed(3)), name: `z${i + 1}` }));
  if (terms.filter(({ weight }) => weight !== 0).length > WIDTH / 2) return "random";
  return terms
    .filter(({ weight }) => weight !== 0)
    .map(({ weight, name }) => (weight === 1 ? name : `${weight} ${name}`))
    .join(" + ");
}

export interface FakeOptions {
  /** Tokens that a row of a write gets; all that were asked for where it is left out. */
  length?(call: number, row: number): number;
  /** A full stop stands at this place of every written text. */
  stopAt?: number;
  /** The tokenizer's end token; none where it is left out. */
  eosId?: number;
  score?(target: TokenIds): number;
  space?: LatentSpace;
  /** The window. */
  maxPositions?: number;
}

export class FakeModel implements LatentModel {
  /** What was asked, in order. */
  readonly log: string[] = [];
  readonly rngKeys: string[] = [];
  #encoded = 0;
  #texts = 0;
  #writes = 0;

  get maxPositions() {
    return this.options.maxPositions;
  }

  readonly tokenizer = {
    beginId: BOS,
    eosId: undefined as number | undefined,
    encode: (given: string) =>
      Array.from(given, (c) => (c === "\n" ? NEWLINE : c === "." ? STOP : c.codePointAt(0)! - 1000)),
    decode: (ids: TokenIds) =>
      ids.map((id) => (id === NEWLINE ? "\n" : id === STOP ? "." : String.fromCodePoint(id + 1000))).join(""),
  };

  constructor(readonly options: FakeOptions = {}) {
    this.tokenizer.eosId = options.eosId;
  }

  get space(): LatentSpace | undefined {
    return this.options.space;
  }

  async encode(spans: readonly TokenIds[]) {
    return spans.map((ids) => {
      if (ids.length === 0) throw new Error("an empty span was encoded");
      this.log.push(`z${this.#encoded + 1} = ${show(ids)}`);
      const z = new Float32Array(WIDTH);
      z[this.#encoded++ % WIDTH] = 1;
      return { mean: z };
    });
  }

  async write(
    rows: Parameters<LatentModel["write"]>[0],
    context: TokenIds,
    { begun = [], writer, endless, nTokens, tau, cfgScale, onToken }: Parameters<LatentModel["write"]>[2],
  ) {
    if (context.length + begun.length + nTokens > (this.maxPositions ?? Number.POSITIVE_INFINITY))
      throw new Error("beyond the window");
    const call = this.#writes++;
    const lengths = rows.map((_, row) => Math.min(nTokens, this.options.length?.(call, row) ?? nTokens));
    const letters = lengths.map(() => String.fromCharCode("a".charCodeAt(0) + this.#texts++));
    const after = `${nTokens} after ${show(context)}${begun.length > 0 ? ` and ${show(begun)}` : ""}`;
    const how = `${after}${endless ? ", endless" : ""}${cfgScale === 1 ? "" : `, cfg ${cfgScale}`}${tau === 0.9 ? "" : `, tau ${tau}`}`;
    for (const [row, { z, rngKey }] of rows.entries()) {
      this.log.push(`${letters[row]} = ${z ? showLatent(z) : writer}: ${how}`);
      this.rngKeys.push(rngKey.join());
    }
    const { stopAt } = this.options;
    return letters.map((letter, row) => {
      const ids = text(letter, lengths[row]!).map((id, t) => (t === stopAt ? STOP : id));
      for (const id of ids) onToken?.(row, id);
      return ids;
    });
  }

  async score(rows: Parameters<LatentModel["score"]>[0], context: TokenIds) {
    return rows.map(({ z, target }) => {
      this.log.push(`score ${show(target)} from ${showLatent(z)} after ${show(context)}`);
      return this.options.score?.(target) ?? 0;
    });
  }
}

/** Two steps, two drafts, spans of four tokens, no noise on latents. */
export function fakeOptions(changes: Partial<SamplingOptions> = {}): SamplingOptions {
  return { rng: Rng.fromSeed(1), nSteps: 2, nAvg: 2, tau: 0.9, noise: 0, span: 4, ...changes };
}

export async function finish(sampler: Sampler): Promise<{ spans: Span[]; written: Written }> {
  const spans: Span[] = [];
  for (;;) {
    const { value, done } = await sampler.next();
    if (done) return { spans, written: value };
    spans.push(value);
  }
}
