/**
 * LoRA adapters as PEFT 0.4 stores them (adapter_config.json, adapter_model.safetensors): y = W x + (alpha / r) B A x.
 * No file access here; see peftFiles.
 */
import { BigVaeError } from "../errors.js";
import type { StoredTensor, TensorSource } from "./tensors.js";

/** The two factors of one projection's update. */
export interface LoraPair {
  /** [r, in] */
  readonly a: Float32Array;
  /** [out, r] */
  readonly b: Float32Array;
  /** Width of x. */
  readonly inWidth: number;
  /** Width of y. */
  readonly outWidth: number;
}

/** Low-rank updates of a base's projections, and what scales them. */
export interface LoraAdapter {
  /** r */
  readonly rank: number;
  /** The update is multiplied by alpha / r. */
  readonly alpha: number;
  /** Share of x that training dropped before A, in [0, 1). */
  readonly dropout: number;
  /** As in adapter_config.json: "self_attn.q_proj", or "q_proj". */
  readonly targetModules: readonly string[];
  /** By module: "layers.0.self_attn.q_proj". */
  readonly tensors: ReadonlyMap<string, LoraPair>;
  /** `base_model_name_or_path` */
  readonly baseModel: string;
}

type Json = Record<string, unknown>;

const PREFIX = "base_model.model.model.";
const MODULE = /^layers\.(?:0|[1-9]\d{0,3})\.(?:self_attn\.[qkvo]_proj|mlp\.(?:gate|up|down)_proj)$/;

/** Fields that change what the tensors mean, and the values under which they do not. */
const NEUTRAL: Readonly<Record<string, readonly unknown[]>> = {
  peft_type: ["LORA"],
  bias: ["none"],
  fan_in_fan_out: [false],
  use_rslora: [false],
  use_dora: [false],
  use_qalora: [false],
  lora_bias: [false],
  modules_to_save: [null],
  init_lora_weights: [true, false, "gaussian"],
  trainable_token_indices: [null],
  target_parameters: [null],
};

/**
 * An adapter from the contents of adapter_config.json and its tensors; `what` names the folder in errors.
 * @throws BigVaeError("unsupported") naming a field or module that is not supported, BigVaeError("format") for wrong keys or
 * shapes.
 */
export async function parseLora(config: unknown, source: TensorSource, what: string): Promise<LoraAdapter> {
  const fields = checkConfig(config, what);
  const rank = positive(fields, "r", what);
  if (!Number.isInteger(rank))
    throw new BigVaeError("format", `adapter_config.json of ${what} has r ${rank}, not whole.`);
  const modules = new Set(source.names.map((name) => moduleOf(name, what)));
  const tensors = new Map<string, LoraPair>();
  for (const module of [...modules].sort(byLayer)) tensors.set(module, await readPair(source, module, rank, what));
  const { target_modules, lora_dropout = 0, base_model_name_or_path } = fields;
  return {
    rank,
    alpha: positive(fields, "lora_alpha", what),
    dropout: typeof lora_dropout === "number" && lora_dropout >= 0 && lora_dropout < 1 ? lora_dropout : 0,
    targetModules: [target_modules ?? []].flat().map(String),
    tensors,
    baseModel: typeof base_model_name_or_path === "string" ? base_model_name_or_path : "",
  };
}

function checkConfig(config: unknown, what: string): Json {
  if (typeof config !== "object" || config === null || Array.isArray(config))
    throw new BigVaeError("format", `adapter_config.json of ${what} is not a JSON object; get the file again.`);
  const fields = config as Json;
  for (const [name, values] of Object.entries(NEUTRAL)) {
    if (Object.hasOwn(fields, name) && !values.includes(fields[name]))
      throw new BigVaeError(
        "unsupported",
        `adapter_config.json of ${what} has ${name} ${JSON.stringify(fields[name])}; only ${values.map((value) => JSON.stringify(value)).join(" or ")} is supported.`,
      );
  }
  for (const name of ["rank_pattern", "alpha_pattern"]) {
    if (Object.keys(fields[name] ?? {}).length > 0)
      throw new BigVaeError(
        "unsupported",
        `adapter_config.json of ${what} has a ${name}; train with one rank and alpha.`,
      );
  }
  return fields;
}

function positive(fields: Json, name: string, what: string): number {
  const value = fields[name];
  if (typeof value === "number" && value > 0 && Number.isFinite(value)) return value;
  throw new BigVaeError(
    "format",
    `adapter_config.json of ${what} has ${name} ${String(value)}; expected a number above 0.`,
  );
}

/** "layers.0.mlp.up_proj" of a tensor's full name. */
function moduleOf(name: string, what: string): string {
  const module = /^(.*)\.lora_[AB]\.weight$/.exec(name)?.[1];
  if (module?.startsWith(PREFIX) && MODULE.test(module.slice(PREFIX.length))) return module.slice(PREFIX.length);
  throw new BigVaeError(
    "unsupported",
    `Tensor ${JSON.stringify(name.slice(0, 200))} of ${what} is no LoRA of a Llama-family projection; expected ${PREFIX}layers.N.self_attn.q_proj.lora_A.weight and the like.`,
  );
}

async function readPair(source: TensorSource, module: string, rank: number, what: string): Promise<LoraPair> {
  const [nameA, nameB] = tensorNames(module);
  const missing = [nameA, nameB].find((name) => !source.names.includes(name));
  if (missing) throw new BigVaeError("format", `${what} lacks the tensor ${missing}; get the adapter again.`);
  const [shapeA, shapeB] = [source.info(nameA).shape, source.info(nameB).shape];
  if (shapeA.length !== 2 || shapeB.length !== 2 || shapeA[0] !== rank || shapeB[1] !== rank)
    throw new BigVaeError(
      "format",
      `${module} of ${what} has the shapes [${shapeA}] and [${shapeB}], which do not fit the rank r ${rank} of adapter_config.json.`,
    );
  const [a, b] = [await source.readFloat32(nameA), await source.readFloat32(nameB)];
  return { a, b, inWidth: shapeA[1]!, outWidth: shapeB[0]! };
}

function tensorNames(module: string): [string, string] {
  return [`${PREFIX}${module}.lora_A.weight`, `${PREFIX}${module}.lora_B.weight`];
}

function byLayer(a: string, b: string): number {
  return Number(a.split(".")[1]) - Number(b.split(".")[1]) || (a < b ? -1 : Number(a > b));
}

/** The tensors of adapter_model.safetensors. */
export function loraTensors({ rank, tensors }: LoraAdapter): Map<string, StoredTensor> {
  const stored = new Map<string, StoredTensor>();
  for (const [module, { a, b, inWidth, outWidth }] of tensors) {
    if (!MODULE.test(module)) throw new BigVaeError("internal", `There is no LoRA of ${module}.`);
    const [nameA, nameB] = tensorNames(module);
    stored.set(nameA, { dtype: "F32", shape: [rank, inWidth], data: a });
    stored.set(nameB, { dtype: "F32", shape: [outWidth, rank], data: b });
  }
  return stored;
}

/** The contents of adapter_config.json, with the fields of PEFT 0.4 in its order. */
export function loraConfig({ rank, alpha, dropout, targetModules, baseModel }: LoraAdapter): object {
  return {
    auto_mapping: null,
    base_model_name_or_path: baseModel,
    bias: "none",
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    layers_pattern: null,
    layers_to_transform: null,
    lora_alpha: alpha,
    lora_dropout: dropout,
    modules_to_save: null,
    peft_type: "LORA",
    r: rank,
    revision: null,
    target_modules: targetModules,
    task_type: "CAUSAL_LM",
  };
}
