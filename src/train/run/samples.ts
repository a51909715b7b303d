/** What a VAE or a router writes at each evaluation, so that a run shows what it can do: always from the same texts. */
import type { Engine } from "../../engine/engine.js";
import { Rng } from "../../rng.js";
import type { Tokenizer } from "../../tokenizer/index.js";

const SAMPLE_TEXTS = [
  "The little fox found a shiny key under the old bridge.",
  "Once there was a kind baker who lost a silver spoon in the snow. She asked the owl for help.",
  "Rain falls when small drops of water in a cloud grow heavy.",
];

/** The model that writes. */
export interface SampledModel {
  engine: Engine;
  tokenizer: Tokenizer;
  /** Tokens of a span. */
  span: number;
}

/** The texts, and what becomes of them through z, greedily. */
export async function reconstructions(model: SampledModel, signal: AbortSignal | undefined) {
  const { tokenizer, span } = model;
  const rows = idsOf(model);
  const written = await writtenFrom(model, rows, "decoder", span, signal);
  return rows.map((ids, i) => ({
    text: tokenizer.decode(ids),
    reconstruction: tokenizer.decode(written[i]!, { skipSpecial: true }),
  }));
}

/** The texts, and what the router writes from their z without a context: the text again, and how it goes on. */
export async function continuations(model: SampledModel, signal: AbortSignal | undefined) {
  const { tokenizer, span } = model;
  const written = await writtenFrom(model, idsOf(model), "router", 2 * span, signal);
  return SAMPLE_TEXTS.map((text, i) => ({ text, continuation: tokenizer.decode(written[i]!, { skipSpecial: true }) }));
}

function idsOf({ tokenizer, span }: SampledModel): number[][] {
  return SAMPLE_TEXTS.map((text) => tokenizer.encode(text).slice(0, span));
}

async function writtenFrom(
  { engine, tokenizer }: SampledModel,
  rows: readonly number[][],
  writer: "decoder" | "router",
  nTokens: number,
  signal: AbortSignal | undefined,
) {
  const encodings = await engine.encode(
    rows.map((ids) => ({ ids })),
    signal,
  );
  const rngKey = Rng.fromSeed(0).key;
  return engine.write(
    encodings.map(({ mean }) => ({ z: mean, rngKey })),
    { writer, context: [], nTokens, tau: 0, stopId: tokenizer.eosId, signal },
  );
}
