/** Options of `train router`; the names are MiniHF's where it has them. */
import { model, whole } from "./kinds.js";
import { ADAPTER_OPTIONS } from "./shared.js";
import type { OptionTable } from "./table.js";

/** Options of a run that trains the router. */
export const ROUTER_OPTIONS = {
  ...ADAPTER_OPTIONS,
  startFrom: {
    kind: model,
    required: true,
    place: "a folder of an earlier run, or a hub name",
    description: "the trained VAE; its decoder initializes the router",
  },
  contextLength: { kind: whole(8), default: 2048, description: "tokens per row; context in MiniHF" },
  span: { kind: whole(8), description: "tokens per span; default: that of the VAE; vae-context in MiniHF" },
  indexStep: {
    kind: whole(1),
    default: 32,
    description: "context lengths are multiples of n, so that few graphs serve; 1 in MiniHF",
  },
  batchSize: { kind: whole(1), default: 1, description: "rows per microbatch" },
} as const satisfies OptionTable;
