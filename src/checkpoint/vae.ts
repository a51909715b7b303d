/** Reads and writes a checkpoint's folder: adapters as PEFT stores them, the head, the state of training, and our own facts beside them. */
import { join } from "node:path";
import {
  ADAPTER_NAMES,
  type Adapter,
  type AdapterName,
  bindAdapter,
  headShape,
  loadHead,
  type VaeAdapters,
} from "../engine/adapters.js";
import type { BaseModel } from "../engine/baseModel.js";
import { BigVaeError } from "../errors.js";
import { makeFolder } from "../formats/fileOps.js";
import {
  confine,
  type LoraAdapter,
  openSafetensors,
  readLora,
  writeFileAtomic,
  writeLora,
  writeSafetensors,
} from "../formats/index.js";
import { linearShapes } from "../model/weights.js";
import { headShapes } from "../vae/head.js";
import { type CheckpointFacts, factsPath, readFacts, slotFacts, writeFacts } from "./facts.js";
import { adapterFolders, HEAD, STATE } from "./layout.js";

/** A checkpoint in memory. */
export interface Checkpoint extends VaeAdapters {
  facts: CheckpointFacts;
}

/**
 * Reads the adapters for a base. A folder without router/ falls back to decoder/.
 * @throws BigVaeError: "format" for what is missing or malformed, "unsupported", "mismatch" for another base, "nonFinite".
 */
export async function readVae(folder: string, { config }: Pick<BaseModel, "config">): Promise<Checkpoint> {
  const stored = await adapterFolders(folder);
  const facts = await readFacts(folder);
  const weights = await openSafetensors(await confine(folder, HEAD));
  try {
    const head = await loadHead(config, weights);
    const { slots = 1 } = facts;
    if (slots !== head.slots)
      throw new BigVaeError(
        "mismatch",
        `${factsPath(folder)}: expected slots ${head.slots}, the rows of f.weight in ${HEAD}, got ${slots}; copy the checkpoint's folder whole`,
      );
    const adapters = {} as Record<AdapterName, Adapter>;
    for (const name of ADAPTER_NAMES) {
      const lora = await readLora(await confine(folder, stored[name]));
      adapters[name] = bindAdapter(name, lora, config);
    }
    return { ...head, span: facts.span, gap: facts.gap, adapters, facts };
  } finally {
    await weights.close();
  }
}

/** What is written beside the tensors. */
export interface WrittenFacts {
  base: Pick<BaseModel, "config">;
  /** sha256 of the base's weights. */
  baseSha256: string;
  /** Adapters to write. */
  names: readonly AdapterName[];
  /** Share of values that training dropped. */
  dropout: number;
  /** RMS of sampled z over held-out spans. */
  aeScale: number;
  /** Steps of the training. */
  step: number;
  /** Of the last step. */
  klWeight: number;
}

/** Writes the published checkpoint's folder, with our facts beside it. @throws BigVaeError("disk") */
export async function writeVae(folder: string, vae: VaeAdapters, written: WrittenFacts): Promise<void> {
  const { base, baseSha256, names, dropout, aeScale, step, klWeight } = written;
  await makeFolder(folder);
  for (const name of names) await writeLora(join(folder, name), storedAdapter(name, vae.adapters[name], base, dropout));
  const head = Array.from(headShapes(base.config, headShape(vae)).keys(), (name) => {
    const { shape, data } = vae.head[`vae.${name}`]!;
    return [name, { dtype: "F32" as const, shape, data: data as Float32Array<ArrayBuffer> }] as const;
  });
  await writeSafetensors(join(folder, HEAD), new Map(head), { format: "pt" });
  const { span, gap, slots } = vae;
  await writeFacts(folder, { base_sha256: baseSha256, span, gap, ...slotFacts(slots), ae_scale: aeScale });
  const state = { step, last_kl_weight: klWeight };
  await writeFileAtomic(join(folder, STATE), `${JSON.stringify(state, null, 2)}\n`);
}

function storedAdapter(
  name: AdapterName,
  { shape, tensors }: Adapter,
  { config }: Pick<BaseModel, "config">,
  dropout: number,
): LoraAdapter {
  const pairs = Array.from(linearShapes(config), ([path, [outWidth, inWidth]]) => {
    const matrix = (letter: "A" | "B") => tensors[`${name}.${path}.lora_${letter}`]?.data as Float32Array;
    return [path, { a: matrix("A"), b: matrix("B"), inWidth, outWidth }] as const;
  });
  return {
    rank: shape.rank,
    alpha: shape.alpha,
    dropout,
    targetModules: shape.targets,
    tensors: new Map(pairs.filter(([, { a }]) => a)),
    baseModel: "",
  };
}
