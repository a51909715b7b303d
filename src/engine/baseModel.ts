/** The frozen base in memory: its config, and its weights once, however many adapters and sessions use them. */
import { BigVaeError, quote } from "../errors.js";
import { type ModelConfig, parseConfig } from "../model/config.js";
import { EMBEDDING, headName, isPassedOver, weightShapes } from "../model/weights.js";
import type { HostTensors } from "../runtime/runtime.js";
import { type Quant, type WeightSource, WeightStore } from "../weights/index.js";

export interface BaseModel {
  config: ModelConfig;
  weights: WeightStore;
}

/**
 * Checks all weights and reads those that stay in memory. `configJson` is the parsed config.json.
 * Throws "unsupported" for another architecture before anything is read and for a tensor that no Llama has, "mismatch" for one that is
 * missing, misshapen or of a layer too many, "nonFinite" for NaN.
 */
export async function loadBase(
  configJson: unknown,
  source: WeightSource,
  { quant = "none", resident = false }: { quant?: Quant; resident?: boolean } = {},
): Promise<BaseModel> {
  const parsed = parseConfig(configJson);
  // Some files leave the flag out and the head too: then the head is the table.
  const flag = (configJson as { tie_word_embeddings?: unknown }).tie_word_embeddings;
  const tied = parsed.tieWordEmbeddings || (flag !== false && !source.names.includes("lm_head.weight"));
  const config = { ...parsed, tieWordEmbeddings: tied };
  const shapes = weightShapes(config);
  for (const [name, shape] of shapes) checkShape(source, name, shape);
  checkDepth(config, source.names);
  refuseUnread(source.names, shapes, "weights", "the tensors of a Llama");
  const names = { embedding: EMBEDDING, head: headName(config) };
  const weights = await WeightStore.open({ source, shapes, ...names, quant, resident, check: checkFinite });
  return { config, weights };
}

/** A base of dense weights that are in memory already. */
export function baseOfTensors(config: ModelConfig, tensors: HostTensors): BaseModel {
  return { config, weights: WeightStore.ofTensors(tensors, { embedding: EMBEDDING, head: headName(config) }) };
}

/** Throws "mismatch" for a tensor of a layer that the config does not have. */
function checkDepth({ numHiddenLayers }: ModelConfig, names: readonly string[]): void {
  const beyond = names.find((name) => Number(/^model\.layers\.(\d+)\./.exec(name)?.[1] ?? -1) >= numHiddenLayers);
  if (beyond === undefined) return;
  throw new BigVaeError("mismatch", {
    subject: "weights",
    expected: `${numHiddenLayers} layers`,
    got: quote(beyond),
    remedy: "check that the weights and config.json are of one model",
  });
}

/** Throws "unsupported" for the first tensor that is neither read nor known to change nothing. */
export function refuseUnread(
  names: readonly string[],
  read: ReadonlyMap<string, unknown>,
  what: string,
  expected: string,
): void {
  const unread = names.find((name) => !read.has(name) && !isPassedOver(name));
  if (unread === undefined) return;
  throw new BigVaeError("unsupported", {
    subject: what,
    expected: `${expected} alone`,
    got: `${quote(unread)} too`,
    remedy: "choose a model without it",
  });
}

/** Throws unless the source holds a tensor of this name and shape. */
export function checkShape(source: WeightSource, name: string, shape: readonly number[]): void {
  const got = source.names.includes(name) ? `[${source.info(name).shape.join(", ")}]` : "no such tensor";
  const expected = `[${shape.join(", ")}]`;
  if (got === expected) return;
  throw new BigVaeError("mismatch", {
    subject: "weights",
    expected: `${name} of shape ${expected}`,
    got,
    remedy: "check that the weights and config.json are of one model",
  });
}

/** Throws "nonFinite" naming the tensor and the place of the first value that is no number. */
export function checkFinite(name: string, values: Float32Array): void {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) {
      throw new BigVaeError("nonFinite", {
        subject: "weights",
        expected: `finite values in ${name}`,
        got: `${values[i]} at ${i}`,
        remedy: "get the file again",
      });
    }
  }
}

/** Throws "usage" for an id that is no token of the base. */
export function checkTokens({ config: { vocabSize } }: BaseModel, ids: readonly number[]): void {
  const wrong = ids.find((id) => !(Number.isInteger(id) && id >= 0 && id < vocabSize));
  if (wrong === undefined) return;
  throw new BigVaeError("usage", {
    subject: "token ids",
    expected: `whole numbers from 0 to ${vocabSize - 1}`,
    got: wrong,
    remedy: "use the tokenizer of this model",
  });
}
