/** Which experts write a span: those whose keys are nearest to its latent's. */
import { BigVaeError } from "../errors.js";
import { dot, type Latent, type LatentSpace, norm } from "../latent/index.js";
import type { ExpertPolicy, ExpertShare } from "../sampling/model.js";
import type { StoredExpert } from "./expertFile.js";

/** How many experts write a span, and how their outputs are weighted. */
export interface ExpertOptions {
  /** Experts whose outputs are mixed; default: 1. */
  k?: number;
  /** The cosines are divided by it before the softmax that gives the weights: the smaller, the more the nearest counts. Default: 0.1. */
  temperature?: number;
}

/** The cosines of the two nearest of eight kinds of story differ by 0.07 in the median (docs/experts.md): the nearest then has two thirds. */
const TEMPERATURE = 0.1;

/** The nearest experts of a list. */
export class ExpertChoice implements ExpertPolicy {
  /** Of each expert, at length 1. */
  readonly #keys: readonly (readonly Latent[])[];
  readonly #k: number;
  readonly #temperature: number;

  /** @throws BigVaeError("usage") for no experts, and for an option out of its range. */
  constructor(
    /** Those that are chosen from. */
    readonly experts: readonly StoredExpert[],
    /** Of the latents that they are chosen for. */
    readonly space: LatentSpace,
    { k = 1, temperature = TEMPERATURE }: ExpertOptions = {},
  ) {
    if (experts.length === 0) throw wrong("experts", "at least one", "none", "train one with bigvae expert train");
    if (!(Number.isSafeInteger(k) && k >= 1))
      throw wrong("`k`", "a whole number of at least 1", `${k}`, "leave it out for 1");
    if (!(temperature > 0 && Number.isFinite(temperature)))
      throw wrong("`temperature`", "a number above 0", `${temperature}`, `leave it out for ${TEMPERATURE}`);
    this.#k = Math.min(k, experts.length);
    this.#temperature = temperature;
    this.#keys = experts.map(({ keys }) => keys.map(unit));
  }

  /** The experts' names. */
  get names(): string[] {
    return this.experts.map(({ facts }) => facts.name);
  }

  /** The k nearest, the nearest first; their weights sum to 1. */
  choose(z: Latent): ExpertShare[] {
    const near = this.nearness(z)
      .map((cosine, at) => ({ cosine, at }))
      .sort((a, b) => b.cosine - a.cosine || a.at - b.at)
      .slice(0, this.#k);
    const best = near[0]!.cosine;
    const raw = near.map(({ cosine }) => Math.exp((cosine - best) / this.#temperature));
    const total = raw.reduce((sum, value) => sum + value, 0);
    return near.map(({ at }, i) => {
      const { facts, folder, adapterSha256: sha256 } = this.experts[at]!;
      return { name: facts.name, folder, sha256, weight: raw[i]! / total };
    });
  }

  /** Of each expert, the largest cosine of z's key with one of its own. */
  nearness(z: Latent): number[] {
    const key = unit(this.space.key(z));
    return this.#keys.map((keys) => Math.max(...keys.map((own) => dot(own, key))));
  }
}

function unit(key: Latent): Latent {
  const length = norm(key);
  return length > 0 ? key.map((value) => value / length) : key;
}

function wrong(subject: string, expected: string, got: string, remedy: string): BigVaeError {
  return new BigVaeError("usage", { subject, expected, got, remedy });
}
