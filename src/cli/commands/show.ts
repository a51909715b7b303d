/** `bigvae show`: what a model is, from its headers. */
import { Command } from "@commander-js/extra-typings";
import {
  type AdaptersDescription,
  type BaseDescription,
  describeModel,
  type ModelDescription,
} from "../../host/describeModel.js";
import { readConfig } from "../../host/modelFiles.js";
import { type TrainingMemory, trainingMemory } from "../../train/run/neededMemory.js";
import { QUANTS, type Quant } from "../../weights/index.js";
import { printJson, withOutput } from "../shared.js";
import { parameters, size, table } from "../sizes.js";

export function showCommand() {
  return withOutput(
    new Command("show").description("Describe a model: its architecture, sizes, types of weights and adapters."),
  )
    .argument("<name>", '"pocket", a model\'s folder, a .gguf file or a hub name in the cache')
    .addHelpText("after", "\nExamples:\n  bigvae show pocket\n  bigvae show mistralai/Mistral-7B-v0.1")
    .action(async (name, { json }) => {
      const model = await describeModel(name);
      const training = model.base && (await trainingOf(model.base.path));
      if (json) printJson({ ...model, ...(training ? { training } : {}) });
      else process.stdout.write(described(model, training));
    });
}

/** What training a VAE with the default options takes, by the form of the base. */
type Training = Record<Quant, TrainingMemory>;

async function trainingOf(base: string): Promise<Training> {
  const config = await readConfig(base);
  const of = (quant: Quant) => trainingMemory(config, quant);
  return { none: of("none"), int8: of("int8"), int4: of("int4"), nf4: of("nf4") };
}

/** The parts of a description, each a heading and rows. */
function described(
  { name, base, adapters, memory, expertsMemory }: ModelDescription,
  training: Training | undefined,
): string {
  const parts = [
    ...(base ? [baseRows(base)] : []),
    ...(memory && training ? [memoryTable(memory, training, expertsMemory)] : []),
    ...(adapters ? [adaptersRows(adapters), adapterTable(adapters)] : []),
  ];
  return `${name}\n${parts.map((rows) => table(rows.map((row) => ["", ...row]))).join("\n")}`;
}

/** Peaks by form: of encoding and writing, and of training with the default options. */
function memoryTable(memory: Record<Quant, number>, training: Training, experts: number | undefined): string[][] {
  const rows = QUANTS.map((quant) => {
    const { plain, checkpointing } = training[quant];
    return [`--quant ${quant}`, size(memory[quant]), size(plain), size(checkpointing)];
  });
  return [
    ["memory", "encode, write", "train vae", "train vae --gradient-checkpointing"],
    ...rows,
    ...(experts === undefined ? [] : [["--experts", `${size(experts)} more at most`, "", ""]]),
  ];
}

function baseRows(base: BaseDescription): string[][] {
  const { slidingWindow, keyHeads, heads } = base;
  const types = base.dtypes.map(
    ({ dtype, tensors, parameters: count }) => `${parameters(count)} in ${dtype} (${tensors} tensors)`,
  );
  return [
    ["base", base.path],
    ["architecture", base.architecture],
    ["parameters", parameters(base.parameters)],
    ["weights", types.join(", ")],
    ["size on disk", size(base.bytes)],
    ["vocabulary", `${base.vocabulary} tokens${base.tiedEmbedding ? ", the embedding is the output layer too" : ""}`],
    ["context", `${base.context} tokens${slidingWindow === undefined ? "" : `, a token sees ${slidingWindow}`}`],
    ["hidden size", `${base.hiddenSize}, ${base.intermediateSize} in the feed-forward part`],
    ["layers", `${base.layers}`],
    ["heads", keyHeads === heads ? `${heads}` : `${heads}, ${keyHeads} of keys`],
  ];
}

function adaptersRows({ path, zDim, slots, span, bytes, usualLosses, baseName }: AdaptersDescription): string[][] {
  const losses =
    usualLosses && `${usualLosses.decoder.toFixed(3)} of the decoder, ${usualLosses.base.toFixed(3)} of the base`;
  return [
    ["adapters", path],
    ["latent", slots === 1 ? `${zDim} values` : `${zDim} values in ${slots} slots, and a length`],
    ["span", `${span} tokens`],
    ["size on disk", size(bytes)],
    ...(losses ? [["usual loss", `${losses}, nats per token`]] : []),
    ...(baseName === undefined ? [] : [["base", `${baseName}, not on this machine: bigvae pull ${baseName}`]]),
  ];
}

function adapterTable({ adapters }: AdaptersDescription): string[][] {
  return adapters.map(({ name, role, rank, alpha, parameters: count }) => [
    name === role ? name : `${name} (${role})`,
    `rank ${rank}, alpha ${alpha}, ${parameters(count)} parameters`,
  ]);
}
