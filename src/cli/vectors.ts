/** Texts as vectors that are compared: latents, or means of the base's hidden states (--pool mean). */
import { type Command, Option } from "@commander-js/extra-typings";
import type { BigVae } from "../bigVae.js";
import { type Latent, LatentSpace } from "../latent/index.js";
import { encodeTexts } from "./encoding.js";
import { refuseUnused } from "./flags.js";
import { type Line, placed } from "./input.js";
import { isBaseAlone } from "./shared.js";

const POOLS = ["mean"] as const;

export interface PoolFlags {
  pool?: (typeof POOLS)[number];
  causal: boolean;
}

/** Adds --pool and --causal. */
export function withPool<A extends unknown[], O extends Record<string, unknown>>(command: Command<A, O>) {
  return command
    .addOption(
      new Option(
        "--pool <how>",
        "vectors of the base alone in place of latents: the mean of its last hidden states, behind the final norm",
      ).choices(POOLS),
    )
    .option("--causal", "with --pool: a token sees those before it alone, as in writing; default: all", false);
}

/** Throws "usage" for --causal without --pool. */
export function checkPool({ pool }: PoolFlags): void {
  if (pool === undefined)
    refuseUnused((name) => name === "causal", "--pool mean", "latents, whose encoder sees all tokens");
}

/** A text with its vector. */
export interface Vector {
  text: string;
  ids: readonly number[];
  mean: Latent;
  /** Of a latent: whether its text is longer than the span that the encoder was trained on. */
  longerThanSpan?: boolean;
}

/** Vectors of one kind. */
export interface Vectors {
  /** Where they are compared. */
  space: LatentSpace;
  /** Values of a vector. */
  width: number;
  /** Those of lines, in their order. Throws "usage" by the place of the line. */
  of(lines: readonly Line[]): Promise<Vector[]>;
}

export function latentVectors(flags: { quiet: boolean }, vae: BigVae): Vectors {
  return { space: vae.space, width: vae.space.width, of: (lines) => encodeTexts(flags, vae, lines) };
}

export function meanVectors(vae: BigVae, { causal }: Pick<PoolFlags, "causal">): Vectors {
  const of = (lines: readonly Line[]) => {
    const texts = lines.map(({ text }) => text);
    return placed(lines, vae.embed(texts, { causal }));
  };
  return { space: LatentSpace.plain, width: vae.facts.hiddenSize, of };
}

/** Means where they are asked for, or where there are no adapters. */
export function vectorsOf(flags: PoolFlags & { quiet: boolean }, vae: BigVae): Vectors {
  if (flags.pool === "mean" || isBaseAlone(vae)) return meanVectors(vae, flags);
  checkPool(flags);
  return latentVectors(flags, vae);
}
