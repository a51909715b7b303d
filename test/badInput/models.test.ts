/** Spoilt models: each is refused in one sentence, with a kind that fixes the exit code, and its files stay as they were. */
import { link, mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BigVaeError, type ErrorKind } from "../../src/errors.js";
import { openSafetensors, type StoredTensor, writeSafetensors } from "../../src/formats/index.js";
import { findModel, openTokenizer } from "../../src/host/modelFiles.js";
import { openEngine } from "../../src/host/openEngine.js";
import { copyModel, expectRefusal, fingerprint, type ModelCopy } from "./folder.js";

let model: ModelCopy;
beforeEach(async () => {
  model = await copyModel();
});
afterEach(() => model.remove());

const open = async ({ base, adapters }: ModelCopy, options: { memoryBytes?: number } = {}) => {
  await openTokenizer(base);
  const { engine, facts } = await openEngine({ base, adapters, threads: 1, ...options });
  await engine.close();
  return facts;
};

const WEIGHTS = "base/model.safetensors";

/** Writes a file of tensors again after a change. */
async function rewrite(path: string, change: (tensors: Map<string, StoredTensor>) => unknown) {
  const file = await openSafetensors(path);
  const tensors = new Map(await Promise.all(file.names.map(async (key) => [key, await file.readRaw(key)] as const)));
  await file.close();
  change(tensors);
  await writeSafetensors(path, tensors);
}

/** The same, one tensor changed in its values or, by what is returned, in its shape. */
function rewriteOne(path: string, name: string, change: (data: Float32Array, shape: readonly number[]) => unknown) {
  return rewrite(path, (tensors) => {
    const { shape, data } = tensors.get(name)!;
    const copy = (data as Float32Array).slice();
    tensors.set(name, { dtype: "F32", shape: (change(copy, shape) as number[] | undefined) ?? shape, data: copy });
  });
}

const vector = (length: number): StoredTensor => ({
  dtype: "F32",
  shape: [length],
  data: new Float32Array(length).fill(1),
});
const BIAS = "model.layers.0.self_attn.q_proj.bias";
const NORM = "model.norm.weight";
const LORA = "base_model.model.model.layers.1.mlp.up_proj.lora_A.weight";

type Case = [what: string, spoil: (model: ModelCopy) => Promise<unknown>, kind: ErrorKind, message: RegExp];

const CASES: Case[] = [
  [
    "missing weights",
    (m) => rm(m.at(WEIGHTS)),
    "format",
    /model\.safetensors: expected a path that can be read, got no such file/,
  ],
  ["truncated weights", (m) => m.patch(WEIGHTS, (b) => b.subarray(0, b.length >> 1)), "format", /end at byte/],
  [
    "weights cut within the header",
    (m) => m.patch(WEIGHTS, (b) => b.subarray(0, 100)),
    "format",
    /a header within the 100 bytes of the file, got one of \d+ bytes/,
  ],
  [
    "an empty file of weights",
    (m) => writeFile(m.at(WEIGHTS), ""),
    "format",
    /at least the 8 bytes of a header, got 0 bytes/,
  ],
  [
    "a header longer than the file",
    (m) => m.patch(WEIGHTS, (b) => void b.writeBigUInt64LE(50_000_000n)),
    "format",
    /a header within the \d+ bytes of the file, got one of 50000000 bytes/,
  ],
  [
    "a header of 2^63 bytes",
    (m) => m.patch(WEIGHTS, (b) => void b.writeBigUInt64LE(2n ** 63n)),
    "format",
    /got one of 9223372036854775808 bytes/,
  ],
  [
    "a tensor said to be larger than it is",
    (m) => m.patch(WEIGHTS, (b) => Buffer.from(b.toString("latin1").replace("[512,64]", "[912,64]"), "latin1")),
    "format",
    /233472 bytes for F32 of shape \[912, 64\], got 131072 bytes/,
  ],
  [
    "a tensor of the wrong shape",
    (m) => rewriteOne(m.at(WEIGHTS), NORM, () => [8, 8]),
    "mismatch",
    /expected model\.norm\.weight of shape \[64\], got \[8, 8\]/,
  ],
  [
    "a config of another model",
    (m) => m.edit("base/config.json", (c) => void (c.intermediate_size = 176)),
    "mismatch",
    /gate_proj\.weight of shape \[176, 64\], got \[160, 64\]/,
  ],
  [
    "NaN in the weights",
    (m) => rewriteOne(m.at(WEIGHTS), NORM, (data) => void (data[3] = Number.NaN)),
    "nonFinite",
    /model\.norm\.weight, got NaN at 3/,
  ],
  [
    "infinity in an adapter",
    (m) => rewriteOne(m.at("adapters/router/adapter_model.safetensors"), LORA, (data) => void (data[5] = Infinity)),
    "nonFinite",
    /router\.layers\.1\.mlp\.up_proj\.lora_A, got Infinity at 5/,
  ],
  [
    "NaN in the head",
    (m) => rewriteOne(m.at("adapters/vae.safetensors"), "w_e.bias", (data) => void (data[0] = Number.NaN)),
    "nonFinite",
    /w_e\.bias, got NaN at 0/,
  ],
  [
    "an adapter for a base of other widths",
    (m) =>
      rewriteOne(m.at("adapters/encoder/adapter_model.safetensors"), LORA, (_, [rank, width]) => [
        rank! * 2,
        width! / 2,
      ]),
    "format",
    /layers\.1\.mlp\.up_proj.*: expected the shapes .*, as r is \d+ in adapter_config\.json, got/,
  ],
  [
    "a config of fewer layers than the weights",
    (m) => m.edit("base/config.json", (c) => void (c.num_hidden_layers = 2)),
    "mismatch",
    /weights: expected 2 layers, got "model\.layers\.2\..*"; check/,
  ],
  [
    "adapters for a deeper base",
    async (m) => {
      await rewrite(m.at(WEIGHTS), (tensors) => {
        for (const name of tensors.keys()) if (name.startsWith("model.layers.2.")) tensors.delete(name);
      });
      await m.edit("base/config.json", (c) => void (c.num_hidden_layers = 2));
    },
    "mismatch",
    /encoder adapter: expected 2 layers, got layers\.2/,
  ],
  [
    "a bias in the weights",
    (m) => rewrite(m.at(WEIGHTS), (tensors) => tensors.set(BIAS, vector(64))),
    "unsupported",
    /"model\.layers\.0\.self_attn\.q_proj\.bias" too/,
  ],
  [
    "adapters that name another base by its hash",
    (m) => writeFile(m.at("adapters/bigvae.json"), JSON.stringify({ base_sha256: "0".repeat(64) })),
    "mismatch",
    /expected the base with sha256 000000000000, got [0-9a-f]{12} at .*trained on as `model`$/,
  ],
  [
    "facts out of range",
    (m) => writeFile(m.at("adapters/bigvae.json"), '{"span": 0}'),
    "format",
    /bigvae\.json: expected span to be a whole number from 1 to 16777216, got 0/,
  ],
  [
    "a gap beyond all measure",
    (m) => writeFile(m.at("adapters/bigvae.json"), '{"gap": 1e15}'),
    "format",
    /expected gap to be a whole number from 0 to 16777216, got 1000000000000000; get/,
  ],
  [
    "slots that lie in a way that is not known",
    (m) => writeFile(m.at("adapters/bigvae.json"), '{"places": "absolute"}'),
    "unsupported",
    /expected places to be "relative", got "absolute"; it is of another version/,
  ],
  [
    "a fact that is not known",
    (m) => writeFile(m.at("adapters/bigvae.json"), '{"span": 64, "temperature": 2}'),
    "unsupported",
    /expected temperature to be left out, got 2; it is of another version/,
  ],
  [
    "a hash that is none",
    (m) => writeFile(m.at("adapters/bigvae.json"), '{"base_sha256": 7}'),
    "format",
    /base_sha256 to be 64 hexadecimal digits, got 7/,
  ],
  ["facts that are no object", (m) => writeFile(m.at("adapters/bigvae.json"), "[1]"), "format", /a JSON object/],
  ["no encoder/", (m) => rm(m.at("adapters/encoder"), { recursive: true }), "format", /got no encoder; copy/],
  ["no vae.safetensors", (m) => rm(m.at("adapters/vae.safetensors")), "format", /got no vae\.safetensors/],
  [
    "an adapter as a pickle",
    (m) => rename(m.at("adapters/decoder/adapter_model.safetensors"), m.at("adapters/decoder/adapter_model.bin")),
    "unsupported",
    /adapter_model\.bin, a Python pickle/,
  ],
  [
    "a base as a pickle",
    (m) => rename(m.at(WEIGHTS), m.at("base/pytorch_model.bin")),
    "unsupported",
    /pytorch_model\.bin, a Python pickle; load it with Transformers/,
  ],
  [
    "a tokenizer of SentencePiece's form alone",
    (m) => rename(m.at("base/tokenizer.json"), m.at("base/tokenizer.model")),
    "unsupported",
    /expected tokenizer\.json, got tokenizer\.model/,
  ],
  [
    "another architecture",
    (m) =>
      m.edit("base/config.json", (c) => Object.assign(c, { model_type: "gpt2", architectures: ["GPT2LMHeadModel"] })),
    "unsupported",
    /got gpt2 \(GPT2LMHeadModel\)/,
  ],
  [
    "an architecture named __proto__",
    (m) => m.edit("base/config.json", (c) => Object.assign(c, { model_type: "__proto__" })),
    "unsupported",
    /got __proto__/,
  ],
  ["no config", (m) => rm(m.at("base/config.json")), "format", /config\.json: expected a file/],
  ["a config that is no JSON", (m) => writeFile(m.at("base/config.json"), '{"a": '), "format", /config\.json/],
  [
    "a config of bytes",
    (m) => writeFile(m.at("base/config.json"), Buffer.of(0xff, 0xfe)),
    "format",
    /config\.json: expected UTF-8, got other bytes/,
  ],
  ["no tokenizer", (m) => rm(m.at("base/tokenizer.json")), "format", /tokenizer\.json: expected a file/],
  [
    "a tokenizer without the end token that is named",
    (m) => m.edit("base/tokenizer_config.json", (c) => void (c.eos_token = "<|the end|>")),
    "mismatch",
    /eos_token to be a token of tokenizer\.json, got "<\|the end\|>"/,
  ],
  [
    "a model that takes terabytes, before its weights are looked for",
    async (m) => {
      await rm(m.at(WEIGHTS));
      await m.edit("base/config.json", (c) => Object.assign(c, { hidden_size: 2 ** 20, num_hidden_layers: 1000 }));
    },
    "memory",
    /expected \d+ MB of free memory, got \d+ MB; close/,
  ],
  [
    "a window of 10^12 tokens",
    (m) => m.edit("base/config.json", (c) => Object.assign(c, { max_position_embeddings: 1e12 })),
    "memory",
    /of free memory/,
  ],
];

describe("a spoilt model is refused, and left as it is", () => {
  it.each(CASES)("%s", async (_what, spoil, kind, message) => {
    await spoil(model);
    const before = await fingerprint(model.folder);
    await expectRefusal(() => open(model), kind, message);
    expect(await fingerprint(model.folder)).toBe(before);
  });
});

describe("files from elsewhere", () => {
  const LINKS: [string, string][] = [
    ["weights", WEIGHTS],
    ["config", "base/config.json"],
    ["tokenizer", "base/tokenizer.json"],
    ["head", "adapters/vae.safetensors"],
    ["adapter", "adapters/encoder/adapter_model.safetensors"],
    ["adapter's folder", "adapters/decoder"],
  ];

  it.each(LINKS)("a link out of the folder is refused: %s", async (_what, path) => {
    const outside = await copyModel();
    await rm(model.at(path), { recursive: true });
    await symlink(outside.at(path), model.at(path));
    await expectRefusal(() => open(model), "format", /a file within the folder, got a link to .* outside the folder/);
    await outside.remove();
  });

  it.each(["/etc/passwd", "../model.safetensors", "a/b.safetensors", "..", "x\0y"])(
    "a shard named %j is refused",
    async (name) => {
      await writeFile(m(), JSON.stringify({ weight_map: { "model.norm.weight": name } }));
      await expectRefusal(() => open(model), "format", /expected the name of a file within it, got "/);
    },
  );
  const m = () => model.at("base/model.safetensors.index.json");

  it("a graph of the user's is never loaded", async () => {
    await writeFile(model.at("model.onnx"), "not read");
    await expectRefusal(() => findModel(model.at("model.onnx")), "usage", /got a file of another kind/);
    await mkdir(model.at("onnx"));
    await link(model.at("model.onnx"), model.at("onnx/model.onnx"));
    await expectRefusal(() => findModel(model.at("onnx")), "usage", /got a folder without config\.json/);
    await expectRefusal(() => findModel(model.at("nothing")), "usage", /got nothing there/);
  });
});

describe("what is sound though odd", () => {
  it("writes with decoder/ where there is no router/", async () => {
    await rm(model.at("adapters/router"), { recursive: true });
    expect(await open(model)).toMatchObject({ zDim: 48, span: 64 });
  });

  it("takes __proto__ as a name of fields like any other, and refuses it as one of tensors", async () => {
    for (const path of ["base/config.json", "base/tokenizer_config.json"])
      await model.patch(path, (bytes) =>
        Buffer.from(bytes.toString().replace("{", '{"__proto__": {"polluted": 1}, "constructor": {"polluted": 1},')),
      );
    expect(await open(model)).toMatchObject({ zDim: 48, span: 64 });
    await writeFile(model.at("adapters/bigvae.json"), '{"__proto__": {"span": 3}, "ae_scale": 2}');
    await expectRefusal(() => open(model), "unsupported", /expected __proto__ to be left out/);
    await writeFile(model.at("adapters/bigvae.json"), '{"ae_scale": 2}');
    expect(await open(model)).toMatchObject({ span: 64, aeScale: 2 });
    await rewrite(model.at(WEIGHTS), (tensors) => tensors.set("__proto__", vector(1)));
    await expectRefusal(() => open(model), "unsupported", /"__proto__" too/);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it("is refused below the memory that it needs", async () => {
    await expectRefusal(() => open(model, { memoryBytes: 50e6 }), "memory", /expected 1\d\d MB.*got 50 MB/);
  });
});

describe("mutations", () => {
  const FILES = [
    "base/config.json",
    "base/tokenizer.json",
    "base/tokenizer_config.json",
    "adapters/encoder/adapter_config.json",
    "adapters/state.json",
  ];

  it.each(FILES)("of %s end in a typed error or in a model", async (path) => {
    let sound: Buffer = Buffer.alloc(0);
    await model.patch(path, (bytes) => void (sound = bytes));
    const edit = fc.record({
      at: fc.nat(),
      cut: fc.nat(4),
      put: fc.constantFrom("", "0", "-1", "1e999", "null", "[", "{", '"', "\\u0000", "é"),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 3 }), async (edits) => {
        let text = sound.toString("latin1");
        for (const { at, cut, put } of edits) {
          const start = at % text.length;
          text = text.slice(0, start) + put + text.slice(start + cut);
        }
        await writeFile(model.at(path), text, "latin1");
        await open(model).catch((error: unknown) => {
          if (!(error instanceof BigVaeError) || error.kind === "internal") throw error;
        });
      }),
      { seed: 11, numRuns: 60 },
    );
  });
});
