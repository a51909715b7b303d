/** Options of `expert train`: those of the router's training, the texts, and where the expert goes. */
import { onOff, path, text, whole } from "./kinds.js";
import { ROUTER_OPTIONS } from "./router.js";
import { ADAPTER_OPTIONS } from "./shared.js";
import type { OptionTable } from "./table.js";

// What follows from the model and from the texts is no option here.
const {
  preprocessed: _rows,
  output: _output,
  startFrom: _start,
  rank: _rank,
  alpha: _alpha,
  model,
  ...training
} = ROUTER_OPTIONS;
const { required: _required, ...anyModel } = model;

/** Options of a run that trains an expert, its folder apart. */
export const EXPERT_RUN_OPTIONS = {
  on: {
    kind: path("path"),
    required: true,
    place: "a folder or a file of texts",
    description: "texts to train on: a file, or a folder of them",
  },
  field: {
    kind: text("name"),
    description: "field of a record of .jsonl or .parquet that holds the text; default: text",
  },
  whole: { kind: onOff, default: false, description: "a .txt file is one text, not a text a line" },
  keys: { kind: whole(1), default: 16, description: "keys by which it is found: centres of the latents of its texts" },
  ...training,
  model: { ...anyModel, default: "pocket" },
  adapters: {
    kind: ADAPTER_OPTIONS.model.kind,
    place: "a folder of adapters",
    description: "folder of encoder/, decoder/, router/ and vae.safetensors, or its hub name; default: beside the base",
  },
  contextLength: { ...training.contextLength, default: 256 },
  resume: { ...training.resume, description: "go on with an expert that was begun; no other option is needed" },
} as const satisfies OptionTable;

/** All options of `trainExpert`. */
export const EXPERT_OPTIONS = {
  name: { kind: text("name"), required: true, saved: false, description: "name of the expert" },
  experts: {
    kind: path("folder"),
    required: true,
    saved: false,
    description: "folder of experts; made if there is none",
  },
  ...EXPERT_RUN_OPTIONS,
} as const satisfies OptionTable;
