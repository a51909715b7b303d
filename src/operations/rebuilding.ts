/** What comes back of texts, and the texts of latents: the same numbers for the command line and for the server. */
import type { BigVae, DecodeAllOptions, EncodedText } from "../bigVae.js";
import type { Latent } from "../latent/index.js";
import { Rng } from "../rng.js";
import { batches } from "./batches.js";

export interface RebuildOptions {
  /** Temperature; 0 is greedy. */
  tau: number;
  /** Variance of the noise on z; 0 takes means. */
  noise: number;
  seed: number;
}

/** Rebuilds batches of texts. The noise of a text belongs to its place among all of them, not within a batch. */
export class Rebuilding {
  readonly #rng: Rng;
  #count = 0;

  constructor(
    readonly vae: BigVae,
    readonly options: RebuildOptions,
  ) {
    this.#rng = Rng.fromSeed(options.seed);
  }

  /** The latents, with noise, and the texts of the next batch. */
  async next(
    encoded: readonly EncodedText[],
    calls: Pick<DecodeAllOptions, "signal" | "onText"> = {},
  ): Promise<{ zs: Latent[]; texts: string[] }> {
    const { tau, noise } = this.options;
    const seeds = encoded.map(() => this.#rng.fork(this.#count++).integer(2 ** 32));
    const zs = encoded.map((posterior, i) => this.vae.sample(posterior, noise, seeds[i]!));
    return { zs, texts: await this.vae.decodeAll(zs, { tau, seed: seeds[0]!, ...calls }) };
  }
}

/** Texts of any number of latents, a batch at a time; the seed of a batch is that of its first latent's place. */
export async function* decodedBatches<T extends { z: Latent }>(
  vae: BigVae,
  latents: Iterable<T>,
  { seed = 0, onText, ...options }: DecodeAllOptions,
): AsyncGenerator<{ batch: T[]; texts: string[]; start: number }> {
  let start = 0;
  for await (const batch of batches(latents)) {
    const told = onText && { onText: (row: number, piece: string) => onText(start + row, piece) };
    const zs = batch.map(({ z }) => z);
    yield { batch, texts: await vae.decodeAll(zs, { ...options, ...told, seed: seed + start }), start };
    start += batch.length;
  }
}
