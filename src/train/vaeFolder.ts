/** The folder of a published BigVAE checkpoint: adapters as PEFT stores them, the head, and our own facts beside them. */
import { join } from "node:path";
import { type Adapter, type AdapterName, headShape, slotFacts, type VaeAdapters } from "../engine/adapters.js";
import type { BaseModel } from "../engine/baseModel.js";
import { makeFolder } from "../formats/fileOps.js";
import { type LoraAdapter, writeFileAtomic, writeLora, writeSafetensors } from "../formats/index.js";
import { linearShapes } from "../model/weights.js";
import { headShapes } from "../vae/head.js";

/** What is written beside the tensors. */
export interface FolderFacts {
  base: BaseModel;
  /** sha256 of the base's weights. */
  baseSha256: string;
  /** Adapters to write. */
  names: readonly AdapterName[];
  /** Share of values that training dropped. */
  dropout: number;
  /** RMS of sampled z over held-out spans. */
  aeScale: number;
  step: number;
  klWeight: number;
}

/** The published checkpoint's folder, with our facts beside it. */
export async function writeVae(folder: string, vae: VaeAdapters, facts: FolderFacts): Promise<void> {
  const { base, baseSha256, names, dropout, aeScale, step, klWeight } = facts;
  await makeFolder(folder);
  for (const name of names) await writeLora(join(folder, name), storedAdapter(name, vae.adapters[name], base, dropout));
  const head = Array.from(headShapes(base.config, headShape(vae)).keys(), (name) => {
    const { shape, data } = vae.head[`vae.${name}`]!;
    return [name, { dtype: "F32" as const, shape, data: data as Float32Array<ArrayBuffer> }] as const;
  });
  await writeSafetensors(join(folder, "vae.safetensors"), new Map(head), { format: "pt" });
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
  await writeFileAtomic(
    join(folder, "bigvae.json"),
    json({ base_sha256: baseSha256, span: vae.span, gap: vae.gap, ...slotFacts(vae), ae_scale: aeScale }),
  );
  await writeFileAtomic(join(folder, "state.json"), json({ step, last_kl_weight: klWeight }));
}

function storedAdapter(name: AdapterName, { shape, tensors }: Adapter, base: BaseModel, dropout: number): LoraAdapter {
  const pairs = Array.from(linearShapes(base.config), ([path, [outWidth, inWidth]]) => {
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
