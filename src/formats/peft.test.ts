import { cp, mkdtemp, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ADAPTER_ROLES } from "../vae/roles.js";
import { readLora, writeLora } from "./peftFiles.js";
import { openSafetensors, writeSafetensors } from "./safetensorsFiles.js";
import type { StoredTensor } from "./tensors.js";

const reference = `${process.env.BIGVAE_REFERENCE ?? "test/fixtures/reference"}/tiny-mistral/adapters`;

let root: string;
let folder: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "bigvae-peft-"));
  folder = join(root, "encoder");
  await cp(join(reference, "encoder"), folder, { recursive: true });
});
afterEach(() => rm(root, { recursive: true }));

const model = () => join(folder, "adapter_model.safetensors");
const configPath = () => join(folder, "adapter_config.json");

async function changeConfig(fields: object) {
  const config = JSON.parse(await readFile(configPath(), "utf8"));
  await rm(configPath());
  await writeFile(configPath(), JSON.stringify({ ...config, ...fields }));
}

async function changeTensors(change: (tensors: Map<string, StoredTensor>) => void) {
  const source = await openSafetensors(model());
  const tensors = new Map<string, StoredTensor>();
  for (const name of source.names) tensors.set(name, await source.readRaw(name));
  await source.close();
  change(tensors);
  await writeSafetensors(model(), tensors);
}

describe("a round trip", () => {
  it.each(ADAPTER_ROLES)("of the reference's %s gives the same bytes and fields", async (name) => {
    const adapter = await readLora(join(reference, name));
    expect(adapter).toMatchObject({ rank: 8, alpha: 8, dropout: 0 });
    expect(adapter.targetModules).toContain("mlp.down_proj");
    expect(adapter.tensors.size).toBe(21);
    expect(adapter.tensors.get("layers.2.mlp.down_proj")).toMatchObject({ inWidth: 160, outWidth: 64 });
    const copy = join(root, "deep", "copy");
    await writeLora(copy, adapter);
    const file = "adapter_model.safetensors";
    expect(await readFile(join(copy, file))).toEqual(await readFile(join(reference, name, file)));
    const json = async (path: string) => JSON.parse(await readFile(join(path, "adapter_config.json"), "utf8"));
    expect(await json(copy)).toEqual(await json(join(reference, name)));
  });
});

describe("readLora takes", () => {
  it.each<[string, object]>([
    [
      "what is off",
      { modules_to_save: [], use_rslora: null, loftq_config: {}, layer_replication: null, of_later: false },
    ],
    ["what tells how it was made", { eva_config: { rho: 2 }, layers_to_transform: [0, 1, 2], qalora_group_size: 16 }],
    ["what PEFT 0.19 writes", { peft_version: "0.19.0", megatron_core: "megatron.core", init_lora_weights: "eva" }],
  ])("%s", async (_, fields) => {
    const plain = await readLora(folder);
    await changeConfig(fields);
    expect(await readLora(folder)).toEqual(plain);
  });
});

describe("readLora refuses", () => {
  it.each<[string, object, RegExp]>([
    ["rank-stabilised LoRA", { use_rslora: true }, /use_rslora to be null, got true/],
    ["DoRA", { use_dora: true }, /use_dora to be null, got true/],
    ["another method", { peft_type: "LOHA" }, /peft_type to be "LORA", got "LOHA"/],
    ["trained biases", { bias: "all" }, /bias to be "none", got "all"/],
    ["transposed weights", { fan_in_fan_out: true }, /fan_in_fan_out/],
    ["whole modules", { modules_to_save: ["lm_head"] }, /modules_to_save/],
    ["PiSSA, which changes the base", { init_lora_weights: "pissa" }, /init_lora_weights to be .*, got "pissa"/],
    ["ranks by module", { rank_pattern: { q_proj: 4 } }, /rank_pattern/],
    ["alphas by module", { alpha_pattern: { q_proj: 4 } }, /alpha_pattern/],
    ["repeated layers", { layer_replication: [[0, 2]] }, /layer_replication to be null, got \[\[0,2\]\]/],
    [
      "an adapter that works behind a token",
      { alora_invocation_tokens: [1, 2] },
      /alora_invocation_tokens to be null, got \[1,2\]/,
    ],
    ["a field that nobody knows", { lora_of_tomorrow: 1 }, /lora_of_tomorrow to be null, got 1/],
    ["no method", { peft_type: "" }, /peft_type to be "LORA", got ""/],
    ["a dropout of another type", { lora_dropout: "0.1" }, /lora_dropout to be a number .*, got "0\.1"/],
    ["targets of another type", { target_modules: [7] }, /target_modules to be .*, got \[7\]/],
    ["a rank of another shape", { r: 4 }, /shapes \[4, in\] and \[out, 4\], as r is 4 .*, got .*\[8, 160\]/],
    ["no rank", { r: undefined }, /r to be a number above 0, got none/],
    ["an infinite alpha", { lora_alpha: "8" }, /lora_alpha to be a number above 0, got "8"/],
  ])("%s", async (_, fields, message) => {
    await changeConfig(fields);
    await expect(readLora(folder)).rejects.toThrow(message);
    await expect(readLora(folder)).rejects.toMatchObject({ name: "BigVaeError" });
  });

  it("no tensors at all", async () => {
    await changeTensors((tensors) => tensors.clear());
    await expect(readLora(folder)).rejects.toMatchObject({
      kind: "format",
      message: expect.stringContaining("expected the tensors of an adapter, got none"),
    });
  });

  it("a key of another model and a factor without its partner", async () => {
    await changeTensors((tensors) => tensors.delete("base_model.model.model.layers.1.mlp.up_proj.lora_B.weight"));
    await expect(readLora(folder)).rejects.toThrow(
      /expected the tensor .*layers\.1\.mlp\.up_proj\.lora_B\.weight", got none/,
    );
    const data = new Float32Array(8);
    await changeTensors((tensors) =>
      tensors.set("base_model.model.transformer.h.0.attn.c_attn.lora_A.weight", { dtype: "F32", shape: [8], data }),
    );
    await expect(readLora(folder)).rejects.toThrow(
      /expected LoRA of a Llama's projections alone .*, got the tensor .*c_attn/,
    );
  });

  it("a pickle", async () => {
    await rename(model(), join(folder, "adapter_model.bin"));
    await expect(readLora(folder)).rejects.toThrow(/Python pickle; load it with PEFT/);
  });

  it("a link out of the folder, a missing folder, a repeated field", async () => {
    await rename(model(), join(root, "elsewhere.safetensors"));
    await symlink(join(root, "elsewhere.safetensors"), model());
    await expect(readLora(folder)).rejects.toThrow(/outside the folder/);
    await expect(readLora(join(root, "none"))).rejects.toThrow(/got no such file/);
    await rm(configPath());
    await writeFile(configPath(), '{"r": 8, "r": 9}');
    await expect(readLora(folder)).rejects.toThrow(/each key once, got "r" twice/);
  });
});

it.each(["constructor", "toString", "__proto__"])(
  "refuses a field named %s as any other that is not known",
  async (name) => {
    const text = await readFile(configPath(), "utf8");
    await writeFile(configPath(), text.replace("{", `{"${name}": 3,`));
    await expect(readLora(folder)).rejects.toMatchObject({
      kind: "unsupported",
      message: expect.stringContaining(`${name} to be null, got 3`),
    });
  },
);
