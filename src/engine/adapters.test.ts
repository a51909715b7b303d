/** Adapters are what their matrices say, however the folder names the layers; a base and a head hold what is read and nothing else. */
import { describe, expect, it } from "vitest";
import { parseConfig } from "../model/config.js";
import { bindAdapter, loadHead, type StoredAdapter } from "./adapters.js";
import { loadBase } from "./baseModel.js";

const json = {
  model_type: "llama",
  vocab_size: 5,
  hidden_size: 4,
  intermediate_size: 6,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  max_position_embeddings: 16,
  rms_norm_eps: 1e-6,
};
const config = parseConfig(json);
const MODULES = ["self_attn.q_proj", "mlp.down_proj"];
const WIDTHS: Record<string, [number, number]> = { "self_attn.q_proj": [4, 4], "mlp.down_proj": [6, 4] };

function stored(targetModules: readonly string[], modules: readonly string[] = MODULES): StoredAdapter {
  const pairs = [0, 1].flatMap((layer) =>
    modules.map((module) => {
      const [inWidth, outWidth] = WIDTHS[module]!;
      const [a, b] = [new Float32Array(2 * inWidth).fill(1), new Float32Array(2 * outWidth).fill(1)];
      return [`layers.${layer}.${module}`, { a, b, inWidth, outWidth }] as const;
    }),
  );
  return { rank: 2, alpha: 2, targetModules, tensors: new Map(pairs) };
}

describe("an adapter's layers", () => {
  const all = ["0", "1"].flatMap((layer) =>
    MODULES.flatMap((module) => [`${layer}.${module}.lora_A`, `${layer}.${module}.lora_B`]),
  );
  it.each([
    [["q_proj", "down_proj"]],
    [MODULES],
    [["mlp.down_proj", "q_proj"]],
    [[".*_proj"]],
    [[]],
    [["q_proj"]],
    [["q_proj", "down_proj", "up_proj"]],
    [["layers.0.self_attn.q_proj"]],
  ])("are all those with matrices where it names %j", (names) => {
    const { tensors } = bindAdapter("encoder", stored(names), config);
    expect(Object.keys(tensors).sort()).toEqual(all.map((name) => `encoder.layers.${name}`).sort());
  });

  it("are named as the folder does, where it names them all", () => {
    expect(bindAdapter("encoder", stored(["down_proj", "q_proj"]), config).shape.targets).toEqual([
      "down_proj",
      "q_proj",
    ]);
    expect(bindAdapter("encoder", stored([".*"]), config).shape.targets).toEqual(MODULES);
  });

  it("have matrices in every layer, or are refused", () => {
    const partial = stored(["q_proj"], ["self_attn.q_proj"]);
    const { tensors } = partial;
    const cut = new Map([...tensors].filter(([path]) => path.startsWith("layers.1.")));
    const refusal = (kind: string, path: string) =>
      expect.objectContaining({
        kind,
        message: expect.stringContaining(`encoder adapter: expected matrices for ${path}`),
      });
    const bind = (part: typeof tensors) => () => bindAdapter("encoder", { ...partial, tensors: part }, config);
    // Behind a hole there are layers that are adapted; where the end is missing, the base may be a shallower one.
    expect(bind(cut)).toThrow(refusal("unsupported", "layers.0.self_attn.q_proj"));
    const first = new Map([...tensors].filter(([path]) => path.startsWith("layers.0.")));
    expect(bind(first)).toThrow(refusal("mismatch", "layers.1.self_attn.q_proj"));
  });
});

describe("a base", () => {
  const shapes: Record<string, number[]> = { "model.embed_tokens.weight": [5, 4], "model.norm.weight": [4] };
  for (const layer of [0, 1]) {
    const matrices = { q: [4, 4], k: [2, 4], v: [2, 4], o: [4, 4] };
    for (const [name, shape] of Object.entries(matrices))
      shapes[`model.layers.${layer}.self_attn.${name}_proj.weight`] = shape;
    for (const name of ["gate", "up"]) shapes[`model.layers.${layer}.mlp.${name}_proj.weight`] = [6, 4];
    shapes[`model.layers.${layer}.mlp.down_proj.weight`] = [4, 6];
    for (const name of ["input", "post_attention"]) shapes[`model.layers.${layer}.${name}_layernorm.weight`] = [4];
  }
  const source = {
    names: Object.keys(shapes),
    info: (name: string) => ({ shape: shapes[name]! }),
    readFloat32: async (name: string) => new Float32Array(shapes[name]!.reduce((size, dim) => size * dim, 1)),
  };

  it("without a head uses its table where the config leaves that open", async () => {
    expect((await loadBase(json, source)).config.tieWordEmbeddings).toBe(true);
    expect((await loadBase({ ...json, tie_word_embeddings: true }, source)).config.tieWordEmbeddings).toBe(true);
  });

  it("is refused where the config says that it has a head of its own", async () => {
    await expect(loadBase({ ...json, tie_word_embeddings: false }, source)).rejects.toThrow("expected lm_head.weight");
  });

  const withTensor = (name: string) => ({ ...source, names: [...source.names, name] });

  it.each([
    "model.layers.0.self_attn.q_proj.bias",
    "model.layers.1.self_attn.q_norm.weight",
    "v_head.weight",
    "__proto__",
  ])("is refused with the tensor %s, which no Llama has", async (name) => {
    const message = expect.stringContaining(JSON.stringify(name));
    await expect(loadBase(json, withTensor(name))).rejects.toMatchObject({ kind: "unsupported", message });
  });

  it("is refused with more layers than its config has", async () => {
    const message = expect.stringContaining('expected 2 layers, got "model.layers.2.mlp.up_proj.weight"');
    const more = withTensor("model.layers.2.mlp.up_proj.weight");
    await expect(loadBase(json, more)).rejects.toMatchObject({ kind: "mismatch", message });
  });

  it.each(["model.layers.1.self_attn.rotary_emb.inv_freq", "model.rotary_emb.inv_freq"])(
    "may hold %s, which follows from the config",
    async (name) => {
      const { weights } = await loadBase(json, withTensor(name));
      expect(Object.keys(weights.tensors).sort()).toEqual(source.names.toSorted());
    },
  );

  it("may hold a head that its config ties to the table", async () => {
    const { weights } = await loadBase({ ...json, tie_word_embeddings: true }, withTensor("lm_head.weight"));
    expect(weights).not.toHaveProperty("lm_head.weight");
  });
});

describe("a head", () => {
  const shapes: Record<string, number[]> = { "f.weight": [1, 4], "f.bias": [1], "w_e.weight": [3, 4], "w_e.bias": [3] };
  Object.assign(shapes, { "w_d.weight": [4, 3], "w_d.bias": [4] });
  const source = (names = Object.keys(shapes)) => ({
    names,
    info: (name: string) => ({ shape: shapes[name]! }),
    readFloat32: async (name: string) => new Float32Array(shapes[name]!.reduce((size, dim) => size * dim, 1)),
  });

  it("is refused with a tensor that no head has", async () => {
    expect(await loadHead(config, source())).toMatchObject({ zDim: 3, slots: 1 });
    const message = expect.stringContaining('"w_x.weight"');
    const more = source([...Object.keys(shapes), "w_x.weight"]);
    await expect(loadHead(config, more)).rejects.toMatchObject({ kind: "unsupported", message });
  });
});
