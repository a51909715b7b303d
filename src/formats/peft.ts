/**
 * LoRA adapters as PEFT 0.4 stores them (adapter_config.json, adapter_model.safetensors): y = W x + (alpha / r) B A x.
 * No file access here; see peftFiles.
 */
import { BigVaeError, quote } from "../errors.js";
import { malformed } from "./malformed.js";
import { shorten } from "./strictJson.js";
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

/** Fields that are read here, and those that tell only how the adapter was made, named or found: the tensors say what came of it. */
const READ = ["r", "lora_alpha", "lora_dropout", "target_modules", "base_model_name_or_path"];
const HARMLESS = [
  ...[
    "auto_mapping",
    "ensure_weight_tying",
    "exclude_modules",
    "inference_mode",
    "layers_pattern",
    "layers_to_transform",
  ],
  ...["megatron_core", "peft_version", "qalora_group_size", "revision", "runtime_config", "task_type"],
  ...["corda_config", "eva_config", "lora_ga_config"],
];

/** Other fields change what the tensors mean, but for these values, and those by which PEFT leaves a feature off: null, false, empty. */
const NEUTRAL: Readonly<Record<string, readonly unknown[]>> = {
  peft_type: ["LORA"],
  bias: ["none"],
  init_lora_weights: [true, "gaussian", "eva", "orthogonal"],
};

/**
 * An adapter from the contents of adapter_config.json and its tensors; `what` names the folder in errors.
 * @throws BigVaeError("unsupported") naming a field or module that is not supported, BigVaeError("format") for wrong keys or
 * shapes.
 */
export async function parseLora(config: unknown, source: TensorSource, what: string): Promise<LoraAdapter> {
  const settings = parseLoraConfig(config, what);
  const { rank } = settings;
  if (source.names.length === 0)
    throw malformed(`adapter_model.safetensors of ${what}`, "the tensors of an adapter", "none");
  const modules = new Set(source.names.map((name) => moduleOf(name, what)));
  const tensors = new Map<string, LoraPair>();
  for (const module of [...modules].sort(byLayer)) tensors.set(module, await readPair(source, module, rank, what));
  return { ...settings, tensors };
}

/** What adapter_config.json alone says. @throws as `parseLora` */
export function parseLoraConfig(config: unknown, what: string): Omit<LoraAdapter, "tensors"> {
  const fields = checkConfig(config, what);
  const rank = positive(fields, "r", what);
  if (!Number.isInteger(rank)) throw wrongField("r", rank, "a whole number", what);
  return {
    rank,
    alpha: positive(fields, "lora_alpha", what),
    dropout: dropoutOf(fields, what),
    targetModules: targetsOf(fields, what),
    baseModel: typeof fields.base_model_name_or_path === "string" ? fields.base_model_name_or_path : "",
  };
}

function dropoutOf({ lora_dropout: value }: Json, what: string): number {
  const dropout = value ?? 0;
  if (typeof dropout === "number" && dropout >= 0 && dropout < 1) return dropout;
  throw wrongField("lora_dropout", value, "a number from 0 to less than 1", what);
}

function targetsOf({ target_modules: value }: Json, what: string): string[] {
  const names: unknown[] = [value ?? []].flat();
  if (names.every((name) => typeof name === "string")) return names;
  throw wrongField("target_modules", value, "a text or a list of texts", what);
}

function wrongField(name: string, value: unknown, expected: string, what: string): BigVaeError {
  const got = shorten(JSON.stringify(value) ?? "none");
  return malformed(`adapter_config.json of ${what}`, `${name} to be ${expected}`, got);
}

function checkConfig(config: unknown, what: string): Json {
  if (typeof config !== "object" || config === null || Array.isArray(config))
    throw malformed(`adapter_config.json of ${what}`, "a JSON object", "something else");
  const fields = config as Json;
  for (const [name, value] of Object.entries(fields)) {
    if (READ.includes(name) || HARMLESS.includes(name) || isOff(value)) continue;
    const neutral = Object.hasOwn(NEUTRAL, name) ? NEUTRAL[name] : undefined;
    if (neutral?.includes(value)) continue;
    const allowed = neutral?.map((each) => JSON.stringify(each)).join(" or ") ?? "null";
    throw new BigVaeError("unsupported", {
      subject: `adapter_config.json of ${what}`,
      expected: `${shorten(name)} to be ${allowed}`,
      got: shorten(JSON.stringify(value)),
      remedy: "use an adapter of plain LoRA",
    });
  }
  return fields;
}

function isOff(value: unknown): boolean {
  return value === null || value === false || (typeof value === "object" && Object.keys(value).length === 0);
}

function positive(fields: Json, name: string, what: string): number {
  const value = fields[name];
  if (typeof value === "number" && value > 0 && Number.isFinite(value)) return value;
  throw wrongField(name, value, "a number above 0", what);
}

/** "layers.0.mlp.up_proj" of a tensor's full name. */
function moduleOf(name: string, what: string): string {
  const module = /^(.*)\.lora_[AB]\.weight$/.exec(name)?.[1];
  if (module?.startsWith(PREFIX) && MODULE.test(module.slice(PREFIX.length))) return module.slice(PREFIX.length);
  throw new BigVaeError("unsupported", {
    subject: what,
    expected: `LoRA of a Llama's projections alone (${PREFIX}layers.N.self_attn.q_proj.lora_A.weight)`,
    got: `the tensor ${quote(name)}`,
    remedy: "use an adapter without it",
  });
}

async function readPair(source: TensorSource, module: string, rank: number, what: string): Promise<LoraPair> {
  const [nameA, nameB] = tensorNames(module);
  const missing = [nameA, nameB].find((name) => !source.names.includes(name));
  if (missing) throw malformed(what, `the tensor ${quote(missing)}`, "none");
  const [shapeA, shapeB] = [source.info(nameA).shape, source.info(nameB).shape];
  if (shapeA.length !== 2 || shapeB.length !== 2 || shapeA[0] !== rank || shapeB[1] !== rank)
    throw malformed(
      `${module} of ${what}`,
      `the shapes [${rank}, in] and [out, ${rank}], as r is ${rank} in adapter_config.json`,
      `[${shapeA.join(", ")}] and [${shapeB.join(", ")}]`,
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
    if (!MODULE.test(module))
      throw new BigVaeError("internal", {
        subject: "adapter",
        expected: "projections of a Llama",
        got: module,
        remedy: "leave it out",
      });
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
