/** Log probabilities of a completion, read again by what wrote it. */
import type { BigVae } from "../bigVae.js";
import type { Score } from "../engine/engine.js";
import type { Latent } from "../latent/index.js";
import type { Tokenizer } from "../tokenizer/index.js";
import type { Logprobs } from "./schemas/openAi.js";

export interface ScoredText {
  /** Behind which it was written: tokens of the prompt, the beginning token in front. */
  context: readonly number[];
  /** Where the router wrote it. */
  z?: Latent | undefined;
  /** Tokens that were written. */
  ids: readonly number[];
  /** How many tokens at the end of the context are part of the answer. */
  echoed: number;
  /** Characters of the whole answer; a stop string may have cut its last token. */
  length: number;
  /** Whether the likeliest tokens are asked for. */
  withBest: boolean;
}

/** The first token of a text has nothing before it: it has no probability. */
export async function logprobsOf(vae: BigVae, of: ScoredText, signal: AbortSignal): Promise<Logprobs> {
  const { context, z, ids, withBest, length } = of;
  const [before, echoed] = [context.slice(0, context.length - of.echoed), context.slice(context.length - of.echoed)];
  const all = [...echoed, ...ids];
  const unscored = of.echoed > 0 ? 1 : 0;
  const target = all.slice(unscored);
  const seen = [...before, ...all.slice(0, unscored)];
  const row = { ...(z ? { z } : {}), target };
  const scores = target.length > 0 ? await vae.engine.score([row], z ? "router" : "base", seen, signal) : [];
  return shaped(vae.tokenizer, { all, unscored, length, withBest, ...(scores[0] ? { score: scores[0] } : {}) });
}

interface Shaped {
  all: readonly number[];
  unscored: number;
  length: number;
  withBest: boolean;
  score?: Score;
}

function shaped(tokenizer: Tokenizer, { all, unscored, length, withBest, score }: Shaped): Logprobs {
  const stream = tokenizer.stream({ skipSpecial: true, continues: true });
  const offsets: number[] = [];
  const tokens: string[] = [];
  let offset = 0;
  for (const id of all) {
    const token = stream.push(id);
    offsets.push(offset);
    tokens.push(token);
    offset += token.length;
  }
  const count = Math.max(1, offsets.filter((at) => at < length).length);
  const places = Array.from(all.slice(0, count).keys(), (i) => i - unscored);
  const scored = (i: number) => (i < 0 ? undefined : score?.logProbabilities[i]);
  const best = (i: number) => {
    const value = scored(i);
    if (value === undefined) return null;
    return {
      [tokenizer.decode([score!.best[i]!])]: score!.bestLogProbabilities[i]!,
      [tokenizer.decode([all[i + unscored]!])]: value,
    };
  };
  return {
    tokens: tokens.slice(0, count),
    token_logprobs: places.map((i) => scored(i) ?? null),
    top_logprobs: withBest ? places.map(best) : null,
    text_offset: offsets.slice(0, count),
  };
}
