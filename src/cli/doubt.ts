/** Confidence beside results: how well the model keeps each text, and a line where it does not know such text. */
import type { BigVae, Confidence, EncodedText } from "../bigVae.js";
import type { Latent } from "../latent/index.js";
import { note } from "./shared.js";

/** Of --no-confidence. */
export const NO_CONFIDENCE_HELP = "skip the confidence, which costs a pass of the decoder and one of the base";

interface ConfidenceFlags {
  confidence: boolean;
  quiet: boolean;
}

/** The confidence of each text in its latent, or in another z; nothing with --no-confidence. */
export async function confidencesOf(
  flags: ConfidenceFlags,
  vae: BigVae,
  encoded: readonly (Pick<EncodedText, "ids" | "mean"> & { z?: Latent })[],
): Promise<Confidence[] | undefined> {
  return flags.confidence ? vae.confidence(encoded) : undefined;
}

/** The lowest confidence of a text's pieces. */
export function leastConfident(pieces: readonly Confidence[]): Confidence {
  return pieces.reduce((least, piece) => (piece.confidence < least.confidence ? piece : least));
}

/** Says on standard error that a text is outside of what the model knows; nothing of one that it keeps. */
export function noteDoubt(flags: { quiet: boolean }, vae: BigVae, confidence: Confidence | undefined): void {
  if (!confidence || confidence.isKnown) return;
  note(flags, `  ${doubt(vae, confidence)}`);
}

function doubt({ facts: { usualLosses: usual } }: BigVae, { confidence, baseLoss }: Confidence): string {
  if (!usual) return `no better from its latent than by the base alone: these adapters may belong to another base`;
  const share = `${confidence.toFixed(2)}, usually ${Math.exp(-usual.decoder).toFixed(2)}`;
  return `outside what this model knows: confidence ${share}; base loss ${baseLoss.toFixed(1)} nats per token, usually ${usual.base.toFixed(1)}`;
}
