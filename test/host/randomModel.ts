/** Writes a random Llama with adapters to a folder, as `bigvae train` would leave it. */
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeSafetensors } from "../../src/formats/index.js";
import { writeLora } from "../../src/formats/peftFiles.js";
import type { StoredTensor } from "../../src/formats/tensors.js";
import { formatConfig, type ModelConfig } from "../../src/model/config.js";
import { linearShapes, weightShapes } from "../../src/model/weights.js";
import { Rng } from "../../src/rng.js";
import { headShapes } from "../../src/vae/head.js";
import { ADAPTER_ROLES } from "../../src/vae/roles.js";
import { tinyFolder } from "../parity/reference.js";

export const MID_SIZE: ModelConfig = {
  vocabSize: 8192,
  hiddenSize: 256,
  intermediateSize: 768,
  numHiddenLayers: 4,
  numAttentionHeads: 4,
  numKeyValueHeads: 2,
  headDim: 64,
  rmsNormEps: 1e-5,
  ropeTheta: 10000,
  ropeScaling: { kind: "default" },
  maxPositionEmbeddings: 1024,
  tieWordEmbeddings: true,
};

/** The folder then holds base/ and the adapters. The tokenizer is the reference's: its ids are a part of the vocabulary. */
export async function writeRandomModel(folder: string, config: ModelConfig, rank = 16, zDim = 64): Promise<void> {
  const rng = Rng.fromSeed(3);
  const random = (shape: readonly number[]): StoredTensor => {
    const data = new Float32Array(shape.reduce((size, dim) => size * dim, 1));
    for (let i = 0; i < data.length; i++) data[i] = 0.1 * (rng.uniform() - 0.5);
    return { dtype: "F32", shape, data };
  };
  const all = (shapes: Iterable<readonly [string, readonly number[]]>) =>
    new Map(Array.from(shapes, ([name, shape]) => [name, random(shape)]));
  const base = join(folder, "base");
  await mkdir(base, { recursive: true });
  await writeFile(join(base, "config.json"), JSON.stringify(formatConfig(config, { bosId: 1, eosId: 2 })));
  for (const name of ["tokenizer.json", "tokenizer_config.json"])
    await copyFile(join(tinyFolder, "base", name), join(base, name));
  await writeSafetensors(join(base, "model.safetensors"), all(weightShapes(config)));
  await writeSafetensors(join(folder, "vae.safetensors"), all(headShapes(config, { zDim })));
  const targetModules = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];
  for (const name of ADAPTER_ROLES) {
    const tensors = new Map(
      Array.from(linearShapes(config), ([path, [outWidth, inWidth]]) => [
        path,
        {
          a: random([rank, inWidth]).data as Float32Array,
          b: random([outWidth, rank]).data as Float32Array,
          inWidth,
          outWidth,
        },
      ]),
    );
    await writeLora(join(folder, name), { rank, alpha: rank, dropout: 0, targetModules, tensors, baseModel: "" });
  }
}
