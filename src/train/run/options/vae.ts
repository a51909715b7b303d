/** Options of `train vae`; the names are MiniHF's where it has them. */
import { model, oneOf, onOff, path, real, share, whole } from "./kinds.js";
import { ADAPTER_OPTIONS } from "./shared.js";
import type { OptionTable } from "./table.js";

/** Options of a run that trains encoder, decoder and head. */
export const VAE_OPTIONS = {
  ...ADAPTER_OPTIONS,
  span: { kind: whole(8), default: 64, description: "tokens per span; context in MiniHF" },
  batchSize: { kind: whole(1), default: 4, description: "rows per microbatch" },
  zDim: { kind: whole(1), default: 768, description: "dimensions of z, shared evenly by its slots" },
  slots: {
    kind: whole(1),
    default: 1,
    description: "slots of z, one for each part of the text; a single one, as in MiniHF, pools the whole text",
  },
  gap: {
    kind: whole(0),
    description: "positions between z and a text without prefix; default: the span, as in MiniHF",
  },
  startFrom: {
    kind: model,
    place: "a folder of an earlier run, or a hub name",
    description: "adapters to initialize from, which keep their shape",
  },
  klWeight: { kind: real(0), default: 0.1, description: "weight of the KL term after its warm-up" },
  klRamp: { kind: whole(1), default: 50000, idleAtZero: "klWeight", description: "steps of KL warm-up" },
  freeBits: {
    kind: real(0),
    default: 0,
    idleAtZero: "klWeight",
    description: "free bits: KL floor per dimension of z, in nats",
  },
  learnedVariance: { kind: onOff, default: false, description: "learn the variance of z given the text; 1 in MiniHF" },
  dropPrefix: {
    kind: share,
    default: 0.5,
    description: "share of rows that are written from z alone, without prefix",
  },
  maskedPrefix: {
    kind: onOff,
    default: false,
    idleAtZero: "dropPrefix",
    description: "a dropped prefix keeps its last position, masked, which predicts the first token, as in MiniHF",
  },
  shiftedSpans: {
    kind: onOff,
    default: false,
    idleAtZero: "dropPrefix",
    description: "a span without prefix starts anywhere in its row of two spans, so that a row serves many times",
  },
  encodeLast: {
    kind: onOff,
    default: false,
    description: "the encoder also reads the last token of a span, as in use; not so in MiniHF",
  },
  shortSpans: {
    kind: share,
    default: 0,
    description: "share of span microbatches whose spans are cut to a half or a quarter of the length",
  },
  sentences: {
    kind: path("folder"),
    place: "a folder of data prepare `sentences`",
    description: "short texts (data prepare `sentences`), learned whole, with their end",
  },
  sentenceShare: {
    kind: share,
    needs: "sentences",
    description: "share of microbatches made of `sentences`; default: 0.4",
  },
  noiseStart: { kind: real(0), needs: "noiseRamp", description: "noise scale that the ramp starts from" },
  noiseRamp: {
    kind: whole(1),
    needs: "noiseStart",
    description: "steps over which the noise scale rises from `noiseStart` to `latentNoise`",
  },
  tokenWeights: {
    kind: oneOf("edges", "uniform"),
    default: "edges",
    description: "weights of tokens in the loss: less at the edges of a span, as in MiniHF, or uniform",
  },
} as const satisfies OptionTable;
