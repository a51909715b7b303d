/** Names and shapes of a Llama's weights, as they stand on disk. */
import type { ModelConfig } from "./config.js";

/** The seven linear layers of a block, which LoRA adapts: name on disk -> [out, in]. */
export function blockLinears(config: ModelConfig): Record<string, readonly [number, number]> {
  const { hiddenSize: d, intermediateSize: f, numAttentionHeads, numKeyValueHeads, headDim } = config;
  const queryWidth = numAttentionHeads * headDim;
  const keyWidth = numKeyValueHeads * headDim;
  return {
    "self_attn.q_proj": [queryWidth, d],
    "self_attn.k_proj": [keyWidth, d],
    "self_attn.v_proj": [keyWidth, d],
    "self_attn.o_proj": [d, queryWidth],
    "mlp.gate_proj": [f, d],
    "mlp.up_proj": [f, d],
    "mlp.down_proj": [d, f],
  };
}

/** Every adapted linear layer, by its path: "layers.0.self_attn.q_proj" -> [out, in]. */
export function linearShapes(config: ModelConfig): Map<string, readonly [number, number]> {
  const shapes = new Map<string, readonly [number, number]>();
  for (let layer = 0; layer < config.numHiddenLayers; layer++) {
    for (const [name, shape] of Object.entries(blockLinears(config))) shapes.set(`layers.${layer}.${name}`, shape);
  }
  return shapes;
}

/** Linear layers of a block that read the same x. */
const SIBLINGS = [
  ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"],
  ["self_attn.o_proj"],
  ["mlp.gate_proj", "mlp.up_proj"],
  ["mlp.down_proj"],
] as const;

/** The name of the matrices of some layers as one. */
export function stackName(paths: readonly string[]): string {
  return `stack.${paths.join("+")}`;
}

/** Names on disk of all matrices that x is multiplied by, those together that read the same x, by the name of their stack; the head is one by its own name. */
export function matrixStacks(config: ModelConfig): Map<string, readonly string[]> {
  const stacks = new Map<string, readonly string[]>([[headName(config), [headName(config)]]]);
  for (let layer = 0; layer < config.numHiddenLayers; layer++) {
    for (const names of SIBLINGS) {
      const paths = names.map((name) => `layers.${layer}.${name}`);
      stacks.set(
        stackName(paths),
        paths.map((path) => `model.${path}.weight`),
      );
    }
  }
  return stacks;
}

/** The same by name on disk: "model.layers.0.self_attn.q_proj.weight" -> [out, in]. */
function linearWeightShapes(config: ModelConfig): Map<string, readonly [number, number]> {
  return new Map(Array.from(linearShapes(config), ([path, shape]) => [`model.${path}.weight`, shape]));
}

export const EMBEDDING = "model.embed_tokens.weight";

/** The matrix of the language-model head [V, D]; the embedding table where they are tied. */
export function headName(config: ModelConfig): string {
  return config.tieWordEmbeddings ? EMBEDDING : "lm_head.weight";
}

/** Every weight of the model: name on disk -> shape. */
export function weightShapes(config: ModelConfig): Map<string, readonly number[]> {
  const { vocabSize, hiddenSize } = config;
  const shapes = new Map<string, readonly number[]>([
    [EMBEDDING, [vocabSize, hiddenSize]],
    ["model.norm.weight", [hiddenSize]],
    [headName(config), [vocabSize, hiddenSize]],
  ]);
  for (let layer = 0; layer < config.numHiddenLayers; layer++) {
    for (const norm of ["input_layernorm", "post_attention_layernorm"]) {
      shapes.set(`model.layers.${layer}.${norm}.weight`, [hiddenSize]);
    }
  }
  for (const [name, shape] of linearWeightShapes(config)) shapes.set(name, shape);
  return shapes;
}

/** Tensors that some files hold and Transformers passes over: a head of its own beside a tied one, and the rotary frequencies, which follow from the config. */
export function isPassedOver(name: string): boolean {
  return name === "lm_head.weight" || /^model\.(layers\.\d+\.self_attn\.)?rotary_emb\.inv_freq$/.test(name);
}
