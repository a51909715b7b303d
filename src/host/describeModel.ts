/** What a model is, from its headers and its JSON alone: a description of 7 billion parameters takes as long as one of a thousand. */
import { stat } from "node:fs/promises";
import { readFacts } from "../checkpoint/facts.js";
import { adapterBytes, adapterPlaces, HEAD } from "../checkpoint/layout.js";
import { usualLosses } from "../checkpoint/vae.js";
import {
  confine,
  openGguf,
  openSafetensors,
  openSafetensorsFolder,
  type TensorSource,
  weightFiles,
} from "../formats/index.js";
import { parseLoraConfig } from "../formats/peft.js";
import { LORA_CONFIG, LORA_WEIGHTS } from "../formats/peftFiles.js";
import { readJsonObject } from "../formats/readFiles.js";
import { elementCount } from "../formats/tensors.js";
import { parseConfig } from "../model/config.js";
import type { AdapterRole } from "../vae/roles.js";
import type { Quant } from "../weights/index.js";
import { expertsBytes, neededBytes } from "./memory.js";
import { findModel, findParts, readConfig } from "./modelFiles.js";
import { locate } from "./modelNames.js";

/** The tensors of one element type, or of one type of quantised block. */
export interface DtypeCount {
  /** As the file spells it: F32, BF16, Q8_0. */
  dtype: string;
  /** Tensors of this type. */
  tensors: number;
  /** Numbers in them. */
  parameters: number;
}

/** A base as its files describe it. */
export interface BaseDescription {
  /** Its folder, or its .gguf file. */
  path: string;
  /** LlamaForCausalLM, MistralForCausalLM. */
  architecture: string;
  /** Numbers in all tensors. */
  parameters: number;
  /** Rows of the table of embeddings. */
  vocabulary: number;
  /** Longest text, in tokens. */
  context: number;
  /** Tokens that a token sees, where that is fewer than the context. */
  slidingWindow?: number;
  /** Width of the hidden states. */
  hiddenSize: number;
  /** Inner width of the feed-forward part. */
  intermediateSize: number;
  /** Blocks. */
  layers: number;
  /** Query heads of a block. */
  heads: number;
  /** Key heads of a block. */
  keyHeads: number;
  /** Whether the output layer is the table of embeddings. */
  tiedEmbedding: boolean;
  /** Types of the tensors, the one with most numbers first. */
  dtypes: DtypeCount[];
  /** Bytes of the weights on the disk. */
  bytes: number;
}

/** One adapter. */
export interface AdapterDescription {
  /** By which it is asked for. */
  name: string;
  /** What it does. */
  role: AdapterRole;
  /** r */
  rank: number;
  /** Its update is multiplied by alpha / r. */
  alpha: number;
  /** Numbers in its matrices. */
  parameters: number;
}

/** The adapters of a checkpoint, and its head. */
export interface AdaptersDescription {
  /** Their folder. */
  path: string;
  /** Encoder, decoder, router, then those with names of their own. */
  adapters: AdapterDescription[];
  /** Values of a latent's slots together. */
  zDim: number;
  /** Slots of a latent. */
  slots: number;
  /** Tokens of a span. */
  span: number;
  /** RMS of sampled latents. */
  aeScale: number;
  /** Usual losses on held-out spans, nats per token, where the checkpoint names them. */
  usualLosses?: {
    /** Of the decoder on a span from its latent. */
    decoder: number;
    /** Of the base, without a latent. */
    base: number;
  };
  /** Bytes of adapters and head on the disk. */
  bytes: number;
  /** Hub name of the base that they belong to, where they are described without it and it is known. */
  baseName?: string;
}

/** A base, adapters, or both. */
export interface ModelDescription {
  /** As it was asked for. */
  name: string;
  /** None where adapters alone were named and their base is not on this machine. */
  base?: BaseDescription;
  /** None of a base alone. */
  adapters?: AdaptersDescription;
  /** Bytes of memory that encoding and writing take with each `quant`, without the caches of long contexts; where there is a base. */
  memory?: Record<Quant, number>;
  /** Bytes that experts take beside that at most; where there are adapters. */
  expertsMemory?: number;
}

/**
 * Describes "pocket", a folder, a .gguf file or a hub name in the cache. No weights are read, and no request is made.
 * @throws BigVaeError: "usage" for no model, "format" and "unsupported" as loading it does.
 */
export async function describeModel(name: string): Promise<ModelDescription> {
  const { adapters, baseName, ...parts } = await findParts(name);
  const hasBase = parts.base !== undefined || (baseName !== undefined && (await locate(baseName)) !== undefined);
  const base = hasBase ? (await findModel(name)).base : undefined;
  const described =
    adapters === undefined ? undefined : await describeAdapters(adapters, hasBase ? undefined : baseName);
  return {
    name,
    ...(base === undefined ? {} : { base: await describeBase(base), memory: await memoryOf(base, described) }),
    ...(base === undefined || described === undefined ? {} : { expertsMemory: await expertsOf(base, described) }),
    ...(described === undefined ? {} : { adapters: described }),
  };
}

async function memoryOf(base: string, adapters: AdaptersDescription | undefined): Promise<Record<Quant, number>> {
  const size = { config: await readConfig(base), adapterBytes: adapters?.bytes ?? 0, slots: adapters?.slots ?? 1 };
  const bytes = (quant: Quant) => neededBytes(size, quant === "none" ? "unmerged" : quant);
  return { none: bytes("none"), int8: bytes("int8"), int4: bytes("int4"), nf4: bytes("nf4") };
}

/** An expert has the router's shape. */
async function expertsOf(base: string, { adapters }: AdaptersDescription): Promise<number> {
  const { parameters } = adapters.find(({ role }) => role === "router")!;
  return expertsBytes(await readConfig(base), "unmerged", 4 * parameters);
}

async function describeBase(path: string): Promise<BaseDescription> {
  const isGguf = path.endsWith(".gguf");
  const source = isGguf ? await openGguf(path) : await openSafetensorsFolder(path);
  await source.close();
  const json = "config" in source ? source.config : await readJsonObject(path, "config.json");
  const config = parseConfig(json);
  const { architectures, model_type } = json as { architectures?: readonly string[]; model_type?: string };
  const dtypes = countDtypes(source);
  const sizes = (isGguf ? [path] : await weightFiles(path)).map((file) => stat(file));
  return {
    path,
    architecture: architectures?.[0] ?? `${model_type}`,
    parameters: parametersOf(dtypes),
    vocabulary: config.vocabSize,
    context: config.maxPositionEmbeddings,
    ...(config.slidingWindow === undefined ? {} : { slidingWindow: config.slidingWindow }),
    hiddenSize: config.hiddenSize,
    intermediateSize: config.intermediateSize,
    layers: config.numHiddenLayers,
    heads: config.numAttentionHeads,
    keyHeads: config.numKeyValueHeads,
    tiedEmbedding: config.tieWordEmbeddings || !source.names.includes("lm_head.weight"),
    dtypes,
    bytes: (await Promise.all(sizes)).reduce((sum, { size }) => sum + size, 0),
  };
}

function parametersOf(dtypes: readonly DtypeCount[]): number {
  return dtypes.reduce((sum, { parameters }) => sum + parameters, 0);
}

function countDtypes(source: Pick<TensorSource, "names" | "info">): DtypeCount[] {
  const counts = new Map<string, DtypeCount>();
  for (const name of source.names) {
    const { dtype, shape } = source.info(name);
    const count = counts.get(dtype) ?? { dtype, tensors: 0, parameters: 0 };
    count.tensors++;
    count.parameters += elementCount(shape, `tensor ${name}`);
    counts.set(dtype, count);
  }
  return [...counts.values()].sort((a, b) => b.parameters - a.parameters);
}

async function describeAdapters(folder: string, baseName: string | undefined): Promise<AdaptersDescription> {
  const places = await adapterPlaces(folder);
  const facts = await readFacts(folder);
  const losses = usualLosses(facts);
  const head = await openSafetensors(await confine(folder, HEAD));
  await head.close();
  const { slots = 1 } = facts;
  const adapters = places.map(async ({ name, role, folder: own }) => {
    const path = await confine(folder, own);
    const { rank, alpha } = parseLoraConfig(await readJsonObject(path, LORA_CONFIG), path);
    const weights = await openSafetensors(await confine(path, LORA_WEIGHTS));
    await weights.close();
    return { name, role, rank, alpha, parameters: parametersOf(countDtypes(weights)) };
  });
  return {
    path: folder,
    adapters: await Promise.all(adapters),
    zDim: head.info("w_e.weight").shape[0]! * slots,
    slots,
    span: facts.span,
    aeScale: facts.ae_scale,
    ...(losses === undefined ? {} : { usualLosses: losses }),
    bytes: await adapterBytes(folder),
    ...(baseName === undefined ? {} : { baseName }),
  };
}
