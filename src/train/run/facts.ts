/** What a checkpoint keeps of the run that wrote it, and what of it a resumed run must share. */
import { BigVaeError } from "../../errors.js";
import type { ModelConfig } from "../../model/config.js";
import type { Facts } from "../loop/checkpoint.js";
import type { LearningRateSchedule } from "../loop/learningRate.js";
import type { NoiseSchedule } from "../objectives/overlapSchedules.js";
import type { BASE_OPTIONS } from "./options/base.js";
import type { AdapterOptions } from "./options/shared.js";
import type { VAE_OPTIONS } from "./options/vae.js";

/** Facts of every run. */
export interface DataFacts {
  seed: number;
  batchSize: number;
  accumulation: number;
  /** Of the rows, wherever they lie. */
  dataSha256: string;
  tokenizerSha256: string;
  lr: number;
  warmup: number;
  lrDecay: LearningRateSchedule["decay"];
  totalSteps: number;
}

/** Facts of a run that trains a base. */
export interface BaseFacts extends DataFacts {
  kind: "base";
  /** Tokens of a row, `contextLength`. */
  context: number;
  weightDecay: number;
  config: ModelConfig;
  /** Of the weights of the base that it was initialized from, wherever it lies. */
  startSha256?: string;
}

/** Facts of a run that trains adapters. */
export interface AdapterFacts {
  rank: number;
  alpha: number;
  baseSha256: string;
  dropout: number;
  noiseScale: number;
  weightDecay: number;
}

/** The facts that all runs of adapters have. */
export function adapterFacts(
  { dropout, latentNoise: noiseScale, weightDecay }: AdapterOptions,
  { rank, alpha, baseSha256 }: Pick<AdapterFacts, "rank" | "alpha" | "baseSha256">,
): AdapterFacts {
  return { rank, alpha, baseSha256, dropout, noiseScale, weightDecay };
}

/** Facts of a run that trains encoder, decoder and head. */
export interface VaeFacts extends AdapterFacts, DataFacts {
  kind: "vae";
  span: number;
  gap: number;
  zDim: number;
  slots: number;
  noise: NoiseSchedule;
  sentenceShare?: number;
  sentencesSha256?: string;
  klWeight: number;
  klRampSteps: number;
  dropPrefix: number;
  maskedPrefix?: true;
  shiftedSpans: boolean;
  encodeLast: boolean;
  shortSpans: number;
  edgeWeights: boolean;
  freeBits: number;
  learnedVariance: boolean;
  /** Of the adapters that it was initialized from, wherever they lie. */
  startSha256?: string;
}

/** Facts of a run that trains the router. */
export interface RouterFacts extends AdapterFacts, DataFacts {
  kind: "router";
  /** Tokens of a row, `contextLength`. */
  context: number;
  span: number;
  endId: number | undefined;
  /** Of encoder, decoder and head. */
  vaeSha256: string;
}

/** A name of an option of some run. */
type OptionName = keyof typeof BASE_OPTIONS | keyof typeof VAE_OPTIONS;

/** A name of a fact of some run. */
type FactName = keyof BaseFacts | keyof VaeFacts | keyof RouterFacts;

/** A lower rate is what a run that diverged goes on with; one that still learns may be made longer, its rate follows the new length. */
const FREE: readonly (FactName | "step")[] = ["step", "lr", "totalSteps"];

/** Facts that are the sha256 of what an option names. It may have moved since. */
const CONTENTS: { readonly [K in FactName]?: OptionName } = {
  dataSha256: "preprocessed",
  sentencesSha256: "sentences",
  tokenizerSha256: "tokenizer",
  baseSha256: "model",
  vaeSha256: "startFrom",
  startSha256: "startFrom",
};

/**
 * Throws where a fact of the checkpoint is not the run's. One that an older version did not write is not asked for.
 * @throws BigVaeError("mismatch") naming the fact, or the option whose contents are others.
 */
export function checkFacts(saved: Facts, given: Facts): void {
  for (const [name, value] of Object.entries(saved) as [FactName, unknown][]) {
    if (FREE.includes(name) || JSON.stringify(given[name]) === JSON.stringify(value)) continue;
    const option = CONTENTS[name];
    if (option !== undefined) throw otherContents(option, `${value}`, `${given[name]}`);
    throw new BigVaeError("mismatch", {
      subject: "`resume`",
      expected: `${name} ${JSON.stringify(value)} as the run was started`,
      got: JSON.stringify(given[name]),
      remedy: "give the same options, or another `output`",
    });
  }
}

function otherContents(option: string, expected: string, got: string): BigVaeError {
  return new BigVaeError("mismatch", {
    subject: "`resume`",
    expected: `at \`${option}\` what the run was started with (sha256 ${expected.slice(0, 12)})`,
    got: `other contents (${got.slice(0, 12)})`,
    remedy: "give the place where it lies now, or another `output`",
  });
}
