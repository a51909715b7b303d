/** Reads and writes a checkpoint's folder: adapters as PEFT stores them, the head, the state of training, and our own facts beside them. */
import { join } from "node:path";
import {
  type Adapter,
  bindAdapter,
  headShape,
  loadHead,
  type NamedAdapters,
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
import { loraName } from "../model/lora.js";
import { linearShapes } from "../model/weights.js";
import { headShapes } from "../vae/head.js";
import { ADAPTER_ROLES } from "../vae/roles.js";
import type { AdapterEntry } from "./adapterEntries.js";
import { type CheckpointFacts, factsPath, readFacts, slotFacts, writeFacts } from "./facts.js";
import { adapterPlaces, HEAD, STATE } from "./layout.js";

/** A checkpoint in memory. */
export interface Checkpoint extends VaeAdapters {
  facts: CheckpointFacts;
}

/**
 * Reads the adapters for a base. A folder without router/ falls back to decoder/.
 * @throws BigVaeError: "format" for what is missing or malformed, "unsupported", "mismatch" for another base, "nonFinite".
 */
export async function readVae(folder: string, { config }: Pick<BaseModel, "config">): Promise<Checkpoint> {
  const places = await adapterPlaces(folder);
  const facts = await readFacts(folder);
  const weights = await openSafetensors(await confine(folder, HEAD));
  try {
    const head = await loadHead(config, weights);
    const { slots = 1 } = facts;
    if (slots !== head.slots)
      throw new BigVaeError("mismatch", {
        subject: factsPath(folder),
        expected: `slots ${head.slots}, the rows of f.weight in ${HEAD}`,
        got: facts.slots ?? "none, which means 1",
        remedy: "copy the checkpoint's folder whole",
      });
    const stored = new Map<string, LoraAdapter>();
    const adapters: Record<string, Adapter> = {};
    for (const { name, role, folder: own } of places) {
      const lora = stored.get(own) ?? (await readLora(await confine(folder, own)));
      stored.set(own, lora);
      adapters[name] = bindAdapter(role, lora, config, name);
    }
    return { ...head, span: facts.span, gap: facts.gap, adapters: adapters as NamedAdapters, facts };
  } finally {
    await weights.close();
  }
}

/** The usual losses that a checkpoint names; nothing where it does not. */
export function usualLosses({
  decoder_loss: decoder,
  base_loss: base,
}: Pick<CheckpointFacts, "decoder_loss" | "base_loss">): WrittenFacts["usualLosses"] {
  return decoder === undefined || base === undefined ? undefined : { decoder, base };
}

/** What is written beside the tensors. */
export interface WrittenFacts {
  base: Pick<BaseModel, "config">;
  /** sha256 of the base's weights. */
  baseSha256: string;
  /** Adapters to write, each to a folder of its name. */
  names: readonly string[];
  /** Share of values that training dropped. */
  dropout: number;
  /** RMS of sampled z over held-out spans. */
  aeScale: number;
  /** Usual losses on held-out spans, nats per token, where they were measured. */
  usualLosses?: { decoder: number; base: number } | undefined;
  /** Steps of the training. */
  step: number;
  /** Of the last step. */
  klWeight: number;
}

/** Writes the published checkpoint's folder, with our facts beside it. @throws BigVaeError("disk") */
export async function writeVae(folder: string, vae: VaeAdapters, written: WrittenFacts): Promise<void> {
  const { base, baseSha256, names, dropout, aeScale, usualLosses, step, klWeight } = written;
  await makeFolder(folder);
  for (const name of names) await writeLora(join(folder, name), storedAdapter(vae.adapters[name]!, base, dropout));
  const head = Array.from(headShapes(base.config, headShape(vae)).keys(), (name) => {
    const { shape, data } = vae.head[`vae.${name}`]!;
    return [name, { dtype: "F32" as const, shape, data: data as Float32Array<ArrayBuffer> }] as const;
  });
  await writeSafetensors(join(folder, HEAD), new Map(head), { format: "pt" });
  const { span, gap, slots } = vae;
  await writeFacts(folder, {
    base_sha256: baseSha256,
    span,
    gap,
    ...slotFacts(slots),
    ae_scale: aeScale,
    ...(usualLosses ? { decoder_loss: usualLosses.decoder, base_loss: usualLosses.base } : {}),
    ...furtherFacts(vae.adapters, names),
  });
  const state = { step, last_kl_weight: klWeight };
  await writeFileAtomic(join(folder, STATE), `${JSON.stringify(state, null, 2)}\n`);
}

/** The entries of the adapters whose name is not that of a role; nothing where there are none. */
function furtherFacts(adapters: NamedAdapters, names: readonly string[]): Pick<CheckpointFacts, "adapters"> {
  const further = names.filter((name) => !(ADAPTER_ROLES as readonly string[]).includes(name));
  const entries = further.map((name) => [name, { role: adapters[name]!.role, folder: name }]);
  return further.length > 0 ? { adapters: Object.fromEntries(entries) as Record<string, AdapterEntry> } : {};
}

function storedAdapter(
  { role, shape, tensors }: Adapter,
  { config }: Pick<BaseModel, "config">,
  dropout: number,
): LoraAdapter {
  const pairs = Array.from(linearShapes(config), ([path, [outWidth, inWidth]]) => {
    const matrix = (letter: "A" | "B") => tensors[loraName(role, path, letter)]?.data as Float32Array;
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
