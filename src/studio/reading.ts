/** What the model makes of texts: how it reads one, and how a chain of them goes from step to step. */
import type { BigVae } from "../bigVae.js";
import { type Piece, piecesOf } from "../operations/pieces.js";
import type { Atlas } from "./atlas.js";
import type { Explanation, Step } from "./types.js";

/** Spans that are shown as the nearest. */
const NEAREST = 6;

/** How a text is read. */
export async function explain(
  { atlas, model }: { atlas: Atlas; model: BigVae },
  text: string,
  signal?: AbortSignal,
): Promise<Explanation> {
  const [encoded] = await model.encode([text], signal);
  const { ids, mean: z, poolWeights, slotWeights, longerThanSpan } = encoded!;
  const [[known], reconstruction] = await Promise.all([
    model.confidence([encoded!], signal),
    model.decode(z, { signal }),
  ]);
  const weightOf = (weights: ArrayLike<number>, { tokens }: Piece) => tokens.reduce((sum, i) => sum + weights[i]!, 0);
  return {
    pieces: piecesOf(ids, model.tokenizer.stream()).map((piece) => ({
      text: piece.text,
      weight: weightOf(poolWeights, piece),
      slots: slotWeights.map((weights) => weightOf(weights, piece)),
    })),
    reconstruction: reconstruction.trim(),
    confidence: known!.confidence,
    isKnown: known!.isKnown,
    longerThanSpan,
    nearest: await atlas.nearest(z, NEAREST, text),
  };
}

/** How a chain of texts goes on. */
export async function measureSteps(
  { atlas, model }: { atlas: Atlas; model: BigVae },
  texts: readonly string[],
  signal?: AbortSignal,
): Promise<Step[]> {
  const steps = await model.encode(texts, signal);
  const confidences = await model.confidence(steps, signal);
  return steps.map(({ mean: z }, i) => ({
    ...atlas.map.placeOf(z),
    loss: confidences[i]!.baseLoss,
    toPrevious: i === 0 ? 1 : model.space.similarity(steps[i - 1]!.mean, z),
  }));
}
