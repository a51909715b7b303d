/** What lies in the cache: its list, what a removal takes and leaves, what a model is. */
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { describeModel } from "../../src/host/describeModel.js";
import { listModels } from "../../src/host/listModels.js";
import { findModel } from "../../src/host/modelFiles.js";
import { planPull, pullModel } from "../../src/host/pullModel.js";
import { planRemoval, removeModel } from "../../src/host/removeModel.js";
import { expectRefusal } from "../badInput/folder.js";
import { tinyModel } from "../fixtures/gguf/build.js";
import { commitOf, etag, repository } from "./hubMock.js";
import { ADAPTERS_NAME, BASE_NAME, useMachine } from "./models.js";

/** A GGUF file of one tensor. */
const gguf = tinyModel({ "token_embd.weight": [32, 8], "blk.0.attn_norm.weight": [32] });
const machine = useMachine();

describe("list", () => {
  it("names the pocket and what is in the cache, with what it is", async () => {
    machine.hub.repositories["owner/gguf"] = repository({ "a.gguf": gguf, "b.gguf": "b" });
    machine.hub.repositories[BASE_NAME]!.refs.v1 = commitOf("first");
    await pullModel(`${BASE_NAME}@v1`);
    await pullModel(ADAPTERS_NAME);
    await pullModel("owner/gguf:a.gguf");
    await mkdir(machine.cache("models--google--bert", "snapshots", commitOf("bert")), { recursive: true });
    await writeFile(machine.cache("models--google--bert", "snapshots", commitOf("bert"), "config.json"), "{}");
    await mkdir(machine.cache("datasets--owner--data", "snapshots", commitOf("data")), { recursive: true });
    const models = await listModels();
    expect(models.map(({ name, kind }) => [name, kind])).toEqual([
      ["pocket", "packed"],
      [`google/bert@${commitOf("bert")}`, "other"],
      ["owner/gguf:a.gguf", "gguf"],
      [`${BASE_NAME}@v1`, "base"],
      [ADAPTERS_NAME, "adapters"],
    ]);
    const { bytes } = await planPull(BASE_NAME);
    expect(models[3]).toMatchObject({ refs: ["v1"], commit: commitOf("first"), bytes });
    expect(Math.abs(models[3]!.lastUsed.getTime() - Date.now())).toBeLessThan(3_600_000);
    for (const { name } of models.filter(({ kind }) => kind === "base" || kind === "gguf")) await findModel(name);
  });

  it("is the pocket alone where there is no cache", async () => {
    expect((await listModels()).map(({ name }) => name)).toEqual(["pocket"]);
  });
});

describe("rm", () => {
  /** Two revisions that share all but their weights. */
  async function twoRevisions() {
    const { commits, refs } = machine.hub.repositories[BASE_NAME]!;
    commits[commitOf("second")] = { ...commits[commitOf("first")], "model.safetensors": Buffer.alloc(9000, 7) };
    refs.v2 = commitOf("second");
    await pullModel(BASE_NAME);
    await pullModel(`${BASE_NAME}@v2`);
  }
  const blobs = () => readdir(machine.cache("models--owner--tiny-mistral", "blobs"));

  it("removes a revision, and of its files those that no other one has", async () => {
    await twoRevisions();
    const count = (await blobs()).length;
    expect(await planRemoval(`${BASE_NAME}@v2`)).toEqual({
      name: `${BASE_NAME}@v2`,
      commits: [commitOf("second")],
      bytes: 9000,
    });
    expect(await removeModel(`${BASE_NAME}@v2`)).toMatchObject({ bytes: 9000 });
    expect(await blobs()).toHaveLength(count - 1);
    expect(await blobs()).not.toContain(etag(Buffer.alloc(9000, 7)));
    await findModel(BASE_NAME);
    await expectRefusal(() => findModel(`${BASE_NAME}@v2`), "usage", /bigvae pull/);
    await expectRefusal(() => removeModel(`${BASE_NAME}@v2`), "usage", /got none of this name/);
  });

  it("removes all revisions of a name alone, and leaves nothing of them", async () => {
    await twoRevisions();
    await pullModel(ADAPTERS_NAME);
    const removed = await removeModel(BASE_NAME);
    expect(removed.commits).toHaveLength(2);
    expect((await readdir(machine.cache())).sort()).toEqual([".locks", "CACHEDIR.TAG", "models--owner--tiny-vae"]);
    expect(await readdir(machine.cache(".locks"))).toEqual(["models--owner--tiny-vae"]);
  });

  it("removes one .gguf file of several", async () => {
    machine.hub.repositories["owner/gguf"] = repository({ "a.gguf": gguf, "b.gguf": Buffer.alloc(9000) });
    await pullModel("owner/gguf:a.gguf");
    await pullModel("owner/gguf:b.gguf");
    expect(await removeModel("owner/gguf:b.gguf")).toMatchObject({ bytes: expect.any(Number) });
    await findModel("owner/gguf:a.gguf");
    await expectRefusal(() => findModel("owner/gguf:b.gguf"), "usage", /bigvae pull/);
  });

  it("removes a download that was cut, too", async () => {
    machine.hub.fault = ({ path }) =>
      path.includes("/resolve/") && path.includes("generation_config") ? { status: 404 } : undefined;
    await expectRefusal(() => pullModel(BASE_NAME), "usage", /HTTP 404/);
    await rm(machine.cache("models--owner--tiny-mistral", "snapshots"), { recursive: true, force: true });
    await removeModel(BASE_NAME);
    expect(existsSync(machine.cache("models--owner--tiny-mistral"))).toBe(false);
  });

  it("follows no link out of the cache", async () => {
    const outside = join(machine.home, "precious");
    await writeFile(outside, "precious");
    const { folder } = await pullModel(BASE_NAME);
    await symlink(outside, join(folder, "extra.json"));
    await mkdir(join(machine.home, "folder"));
    await writeFile(join(machine.home, "folder", "kept"), "kept");
    await symlink(join(machine.home, "folder"), join(folder, "linked"));
    await removeModel(BASE_NAME);
    expect(await readFile(outside, "utf8")).toBe("precious");
    expect(await readFile(join(machine.home, "folder", "kept"), "utf8")).toBe("kept");
  });

  it.each(["pocket", "./folder", "../..", "owner/..", "owner"])("%s is no model of the cache", async (name) => {
    await expectRefusal(() => removeModel(name), "usage", /expected a hub name/);
  });
});

describe("show", () => {
  it("describes base and adapters by their headers", async () => {
    await pullModel(BASE_NAME);
    await pullModel(ADAPTERS_NAME);
    const { base, adapters } = await describeModel(ADAPTERS_NAME);
    expect(base).toMatchObject({
      architecture: "MistralForCausalLM",
      vocabulary: 512,
      hiddenSize: 64,
      layers: 3,
      dtypes: [{ dtype: "F32" }],
    });
    expect(base!.bytes).toBeGreaterThan(4 * base!.parameters);
    expect(adapters!.adapters.map(({ name, role, rank, alpha }) => [name, role, rank, alpha])).toEqual([
      ["encoder", "encoder", 8, 8],
      ["decoder", "decoder", 8, 8],
      ["router", "router", 8, 8],
    ]);
    expect(adapters).toMatchObject({ zDim: 48, slots: 1, span: 64, aeScale: 1.28125 });
    expect(adapters!.baseName).toBeUndefined();
  });

  it("describes adapters without their base, and names it", async () => {
    await pullModel(ADAPTERS_NAME);
    const { base, adapters } = await describeModel(ADAPTERS_NAME);
    expect(base).toBeUndefined();
    expect(adapters!.baseName).toBe(BASE_NAME);
  });

  it("counts the blocks of a .gguf file by type", async () => {
    const path = join(machine.home, "model.gguf");
    await writeFile(path, gguf);
    const { base, memory } = await describeModel(path);
    expect(memory!.int4).toBeLessThan(memory!.none);
    expect(base!.dtypes.reduce((sum, { tensors }) => sum + tensors, 0)).toBeGreaterThan(0);
    expect(base!.parameters).toBe(base!.dtypes.reduce((sum, { parameters }) => sum + parameters, 0));
  });

  it("knows the pocket's usual losses", async () => {
    const { adapters } = await describeModel("pocket");
    expect(adapters!.usualLosses!.decoder).toBeLessThan(adapters!.usualLosses!.base);
    expect(adapters).toMatchObject({ slots: 32, zDim: 1024 });
  });
});
