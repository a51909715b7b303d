/** What packing a base, or computing with it in int8, costs: the same texts read by each form of one model. */
import type { Engine } from "../engine/engine.js";
import type { Latent } from "../latent/index.js";
import { cosine } from "../latent/latent.js";
import { Rng } from "../rng.js";
import { readByBase } from "./baseLikelihood.js";
import { Scoring, type ScoringOptions } from "./scoring.js";

export interface FormOptions extends ScoringOptions {
  texts: readonly string[];
  maxPositions: number;
  /** Whether there are adapters, whose means are compared. */
  adapted: boolean;
}

/** What one form makes of the texts. */
export interface FormReading {
  bitsPerByte: number;
  /** Greedy continuations of the beginnings of the texts. */
  greedy: readonly (readonly number[])[];
  /** Posterior means of the beginnings of the texts; none without adapters. */
  means: readonly Latent[];
}

/** Tokens of a text that are continued and encoded, and tokens that are written behind them. */
const [BEGINNING, CONTINUED] = [32, 32];

/** Texts that are continued, one by one as each has a context of its own. */
const MOST_CONTINUED = 16;

const UNUSED_KEY = Rng.fromSeed(0).key;

export async function readForm(options: FormOptions): Promise<FormReading> {
  const { texts, tokenizer, model, adapted, signal } = options;
  const scoring = new Scoring(options);
  const ids = texts.map((text) => tokenizer.encode(text));
  const readings = await readByBase(scoring, options, ids);
  const sum = (of: (reading: (typeof readings)[number]) => number) =>
    readings.reduce((total, each) => total + of(each), 0);
  const beginnings = ids.map((row) => row.slice(0, BEGINNING));
  const greedy: (readonly number[])[] = [];
  const stopId = tokenizer.eosId;
  for (const context of beginnings.slice(0, MOST_CONTINUED))
    greedy.push(
      ...(await continuation(model, context, {
        ...(stopId === undefined ? {} : { stopId }),
        ...(signal ? { signal } : {}),
      })),
    );
  return {
    bitsPerByte: sum(({ nats }) => nats) / Math.LN2 / sum(({ bytes }) => bytes),
    greedy,
    means: adapted ? await scoring.means(beginnings) : [],
  };
}

function continuation(
  model: Pick<Engine, "write">,
  context: readonly number[],
  end: { stopId?: number; signal?: AbortSignal },
): Promise<number[][]> {
  const rows = [{ rngKey: UNUSED_KEY }];
  return model.write(rows, { writer: "base", context, nTokens: CONTINUED, tau: 0, endless: true, ...end });
}

/** One form beside fp32. */
export interface FormComparison {
  bitsPerByte: number;
  /** Share of the tokens of greedy continuations before the first one that differs. */
  greedyTokensEqual: number;
  /** Cosine of the posterior mean and that in fp32: the mean over the texts, and the least. */
  meanCosine?: number;
  leastCosine?: number;
}

export function compareForms(reading: FormReading, exact: FormReading): FormComparison {
  const equal = reading.greedy.map((ids, i) => equalTokens(ids, exact.greedy[i]!) / CONTINUED);
  const cosines = reading.means.map((mean, i) => cosine(mean, exact.means[i]!));
  const average = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    bitsPerByte: reading.bitsPerByte,
    greedyTokensEqual: average(equal),
    ...(cosines.length > 0 ? { meanCosine: average(cosines), leastCosine: Math.min(...cosines) } : {}),
  };
}

/** Tokens before the first one that differs. */
export function equalTokens(a: readonly number[], b: readonly number[]): number {
  const first = a.findIndex((id, i) => id !== b[i]);
  return first === -1 ? Math.min(a.length, b.length) : first;
}
