/** The adapters by name, and the VAE head, in memory. */
import { BigVaeError } from "../errors.js";
import type { ModelConfig } from "../model/config.js";
import { type LoraShape, loraName, loraShapes } from "../model/lora.js";
import { float32, type HostTensor } from "../runtime/runtime.js";
import { type HeadShape, headShapes } from "../vae/head.js";
import type { AdapterRole, WriterRole } from "../vae/roles.js";
import type { WeightSource } from "../weights/index.js";
import { checkFinite, checkShape, refuseUnread } from "./baseModel.js";

/** One adapter: what it does, its shape, and its matrices by graph name, which begins with the role. */
export interface Adapter {
  role: AdapterRole;
  shape: LoraShape;
  tensors: Readonly<Record<string, HostTensor>>;
}

/** Adapters by name. One is named after each role; others may have a role beside it. */
export type NamedAdapters = Readonly<Record<AdapterRole, Adapter> & Record<string, Adapter>>;

export interface VaeAdapters {
  /** Values of all slots of a latent. */
  zDim: number;
  /** Slots of a latent, k; 1 in BigVAE. */
  slots: number;
  /** Tokens of a span, the length that the adapters were trained on: 64 in BigVAE. */
  span: number;
  /** Positions between z and a text that has no prefix: the span in the original, which masks a dropped prefix but lets it hold its places. */
  gap: number;
  adapters: NamedAdapters;
  /** f, w_e and w_d by graph name ("vae.f.weight"); s, where there are several slots; w_s, where the variance is learned. */
  head: Readonly<Record<string, HostTensor>>;
}

/** An adapter as a PEFT folder stores it: matrices by path ("layers.0.mlp.up_proj"). */
export interface StoredAdapter {
  rank: number;
  alpha: number;
  targetModules: readonly string[];
  tensors: ReadonlyMap<string, { a: Float32Array; b: Float32Array; inWidth: number; outWidth: number }>;
}

/** Names of the adapters that write. */
function writerNames({ adapters }: Pick<VaeAdapters, "adapters">): string[] {
  return Object.keys(adapters).filter((name) => adapters[name]!.role !== "encoder");
}

/** What the adapter of that name does. Throws "usage" where none of that name writes, naming those that do. */
export function writerRole(vae: Pick<VaeAdapters, "adapters">, name: string): WriterRole {
  const role = Object.hasOwn(vae.adapters, name) ? vae.adapters[name]!.role : "encoder";
  if (role !== "encoder") return role;
  throw new BigVaeError("usage", {
    subject: "`writer`",
    expected: `one of ${[...writerNames(vae), "base"].join(", ")}`,
    got: JSON.stringify(name),
    remedy: "name one of them",
  });
}

/**
 * Brings a stored adapter into graph form; `name` is for errors. Throws "mismatch" when its shapes are not those of this base, or a layer lacks a matrix
 * that another one has.
 */
export function bindAdapter(
  role: AdapterRole,
  stored: StoredAdapter,
  config: ModelConfig,
  name: string = role,
): Adapter {
  const shape: LoraShape = { rank: stored.rank, alpha: stored.alpha, targets: targetsOf(stored) };
  const tensors: Record<string, HostTensor> = {};
  for (const [graphName, [rows, columns]] of loraShapes(config, role, shape) as Map<string, [number, number]>) {
    const path = graphName.slice(role.length + 1, -".lora_A".length);
    const pair = stored.tensors.get(path);
    const isA = graphName === loraName(role, path, "A");
    const fits = pair && (isA ? pair.inWidth === columns : pair.outWidth === rows);
    if (!pair && isHole(path, stored)) {
      throw new BigVaeError("unsupported", {
        subject: `${name} adapter`,
        expected: `matrices for ${path} as for the layers behind it`,
        got: "none",
        remedy: "use an adapter of all layers",
      });
    }
    if (!fits) {
      const got = pair ? `[${pair.outWidth}, ${pair.inWidth}]` : "none";
      throw new BigVaeError("mismatch", {
        subject: `${name} adapter`,
        expected: `matrices for ${path} of a base with hidden size ${config.hiddenSize}`,
        got,
        remedy: "use the base that it was trained on",
      });
    }
    const values = isA ? pair.a : pair.b;
    checkFinite(loraName(name, path, isA ? "A" : "B"), values);
    tensors[graphName] = float32(values, rows, columns);
  }
  const layers = config.numHiddenLayers;
  const extra = [...stored.tensors.keys()].find((path) => layerAndModule(path)[0] >= layers);
  if (extra) {
    throw new BigVaeError("mismatch", {
      subject: `${name} adapter`,
      expected: `${layers} layers`,
      got: extra,
      remedy: "use the base that it was trained on",
    });
  }
  return { role, shape, tensors };
}

/** Whether the same module has matrices in a later layer: the adapter is of some layers alone. */
function isHole(path: string, { tensors }: StoredAdapter): boolean {
  const [layer, module] = layerAndModule(path);
  return [...tensors.keys()].map(layerAndModule).some((other) => other[1] === module && other[0] > layer);
}

/** 2 and "mlp.up_proj" of "layers.2.mlp.up_proj". */
function layerAndModule(path: string): [number, string] {
  const [, layer, ...module] = path.split(".");
  return [Number(layer), module.join(".")];
}

/** The layers that have matrices: as the folder names them where it does, and not by a pattern, a full path, or in part. */
function targetsOf({ targetModules, tensors }: StoredAdapter): readonly string[] {
  const named = (path: string) => targetModules.filter((target) => path.endsWith(`.${target}`));
  const paths = [...tensors.keys()];
  const used = new Set(paths.flatMap(named));
  if (paths.every((path) => named(path).length > 0) && used.size === targetModules.length) return targetModules;
  return [...new Set(paths.map((path) => layerAndModule(path)[1]))];
}

/** Reads the head; its slots are the rows of f, and Z the rows of w_e times the slots. */
export async function loadHead(
  config: ModelConfig,
  source: WeightSource,
): Promise<{ zDim: number; slots: number; head: VaeAdapters["head"] }> {
  const rows = (name: string) => (source.names.includes(name) ? source.info(name).shape[0]! : 0);
  const slots = Math.max(rows("f.weight"), 1);
  const zDim = rows("w_e.weight") * slots;
  const learnedVariance = source.names.includes("w_s.weight");
  const shapes = headShapes(config, { zDim, slots, learnedVariance });
  refuseUnread(source.names, shapes, "vae.safetensors", "f, w_e, w_d, s and w_s");
  const head: Record<string, HostTensor> = {};
  for (const [name, shape] of shapes) {
    checkShape(source, name, shape);
    const values = await source.readFloat32(name);
    checkFinite(name, values);
    head[`vae.${name}`] = float32(values, ...shape);
  }
  return { zDim, slots, head };
}

/** Sizes of the head of these adapters. */
export function headShape({ zDim, slots, head }: Pick<VaeAdapters, "zDim" | "slots" | "head">): HeadShape {
  return { zDim, slots, learnedVariance: "vae.w_s.weight" in head };
}
