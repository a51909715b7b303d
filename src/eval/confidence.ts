/** How well a model knows a text: the probability of the text from its latent under the decoder, compared with the base. */
import type { Latent } from "../latent/index.js";
import { nll, type Scoring } from "./scoring.js";

/** How well a latent keeps its text. */
export interface Confidence {
  /** Probability that the decoder gives a token of the text, from the latent and the tokens before it: geometric mean, 0 to 1. */
  confidence: number;
  /** The base's loss on the text, nats per token. */
  baseLoss: number;
  /** Whether the text is of a kind that the model keeps. */
  isKnown: boolean;
}

/** Losses on spans like those that a model was trained on, nats per token. */
export interface UsualLosses {
  /** Of the decoder, from the spans' latents. */
  decoder: number;
  /** Of the base. */
  base: number;
}

/**
 * The confidence of each text and its latent, z [Z]. A text is unknown where the decoder gives its tokens less than half of the
 * probability that is usual, or where the latent helps it to nothing over the base.
 */
export async function confidences(
  scoring: Scoring,
  texts: readonly { ids: readonly number[]; z: Latent }[],
  usual?: UsualLosses,
): Promise<Confidence[]> {
  const { decoder, base } = await textLosses(scoring, texts);
  return texts.map((_, i) => ({
    confidence: Math.exp(-decoder[i]!),
    baseLoss: base[i]!,
    isKnown: decoder[i]! < Math.min(base[i]!, usual ? usual.decoder + Math.LN2 : Number.POSITIVE_INFINITY),
  }));
}

/** Mean losses over spans of the kind that a model was trained on. */
export async function usualLosses(
  scoring: Scoring,
  spans: readonly { ids: readonly number[]; z: Latent }[],
): Promise<UsualLosses> {
  const { decoder, base } = await textLosses(scoring, spans);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return { decoder: mean(decoder), base: mean(base) };
}

/** Losses of each text, nats per token. */
async function textLosses(scoring: Scoring, texts: readonly { ids: readonly number[]; z: Latent }[]) {
  const decoded = await scoring.read(texts.map(({ ids, z }) => ({ z, target: ids })));
  const decoder = decoded.map((score) => nll(score) / score.logProbabilities.length);
  return { decoder, base: await scoring.baseNll(texts.map(({ ids }) => ids)) };
}
