/** Steps 1 and 2 of the tour: sentences rebuilt from their latents, and blended. */
import type { BigVae } from "../../bigVae.js";
import { hasColours, onOneLine } from "../shade.js";
import { type ModelFlags, printJson } from "../shared.js";
import { markDifferences } from "../wordMarks.js";
import { heading, show } from "./printing.js";

export const SENTENCES = [
  "My brother fixed the old radio.",
  "The little fox found a shiny key under the old bridge.",
  "We missed the last train, so we walked home in the rain.",
] as const;
export const ENDS = [
  "The old king was very tired after the long war.",
  "The young girl was very happy after the long trip.",
] as const;
const STEPS = [0, 0.25, 0.5, 0.75, 1];

/** Step 1: what comes back of a sentence. */
export async function rebuild(vae: BigVae, { json, model }: ModelFlags): Promise<void> {
  const encoded = await vae.encode(SENTENCES);
  const rebuilt = await vae.decodeAll(encoded.map(({ mean }) => mean));
  if (json) {
    for (const [i, each] of encoded.entries())
      printJson({ step: "reconstruct", text: SENTENCES[i], reconstruction: rebuilt[i], z: each.mean });
    return;
  }
  const lines = SENTENCES.flatMap((text, i) => {
    const { before, after, same } = markDifferences(text, onOneLine(rebuilt[i]!), hasColours());
    return same ? [`  ${text}`, `  = ${after}`] : [`  ${before}`, `  ≠ ${after}`];
  });
  show([
    heading(`1. A sentence becomes ${vae.width} numbers, and the numbers become a sentence (model "${model}")`),
    ...lines,
  ]);
}

/** Step 2: what lies between two sentences. */
export async function blend(vae: BigVae, { json }: ModelFlags): Promise<void> {
  const [a, b] = await vae.encode(ENDS);
  const zs = STEPS.map((t) => vae.interpolate(a!.mean, b!.mean, t));
  const texts = await vae.decodeAll(zs, { cfgScale: STEPS.map((t) => vae.space.mixScale([1 - t, t])) });
  const blends = STEPS.map((t, i) => ({ t, text: texts[i]! }));
  if (json) printJson({ step: "interpolate", from: ENDS[0], to: ENDS[1], blends });
  else
    show([
      heading("2. From one sentence to another, a quarter of the way at a time"),
      ...blends.map(({ t, text }) => `  ${t.toFixed(2)}  ${onOneLine(text)}`),
    ]);
}
