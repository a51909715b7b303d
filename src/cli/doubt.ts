/** Confidence beside results: how well the model keeps each text, and a line where it does not know such text. */
import type { BigVae, Confidence, EncodedText } from "../bigVae.js";
import type { Latent } from "../latent/index.js";
import { note, warn } from "./shared.js";

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

const warned = new WeakSet<object>();

/**
 * Says on standard error that a text is outside of what the model knows; nothing of one that it keeps. Where the usual losses are unknown or no
 * better than the base's, it is the adapters that are in doubt, once a command.
 */
export function noteDoubt(flags: { quiet: boolean }, vae: BigVae, confidence: Confidence | undefined): void {
  if (!confidence || confidence.isKnown) return;
  const { usualLosses: usual } = vae.facts;
  if (usual && usual.decoder < usual.base) {
    const { confidence: share, baseLoss } = confidence;
    const [kept, loss] = [Math.exp(-usual.decoder).toFixed(2), usual.base.toFixed(1)];
    note(
      flags,
      `  outside what this model knows: confidence ${share.toFixed(2)}, usually ${kept}; base loss ${baseLoss.toFixed(1)} nats per token, usually ${loss}`,
    );
  } else if (!warned.has(flags)) {
    warned.add(flags);
    warn(
      flags,
      usual
        ? "the latents of this model keep no text yet: train it further"
        : "a latent says no more of its text than the base alone knows; these adapters may belong to another base",
    );
  }
}
