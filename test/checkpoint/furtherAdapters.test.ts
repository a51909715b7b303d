/** Adapters beside encoder, decoder and router: named in bigvae.json, read, used under their own names, packed and hashed. */
import { cp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { adaptersSha256 } from "../../src/checkpoint/hashes.js";
import { adapterBytes } from "../../src/checkpoint/layout.js";
import { packModel } from "../../src/checkpoint/pack.js";
import { readVae, writeVae } from "../../src/checkpoint/vae.js";
import { Engine } from "../../src/engine/engine.js";
import { openSafetensors, type StoredTensor, writeSafetensors } from "../../src/formats/index.js";
import { neededBytes } from "../../src/host/memory.js";
import { openEngine } from "../../src/host/openEngine.js";
import { Rng } from "../../src/rng.js";
import { copyModel, expectRefusal, type ModelCopy } from "../badInput/folder.js";
import { loadTinyBase, runtime } from "../parity/reference.js";

const EXPERT = { role: "router", folder: "expert-a" };
const ROW = { z: Rng.fromSeed("expert").normals(48), rngKey: Rng.fromSeed(0).key };
const HOW = { context: [5, 6, 7], nTokens: 12, tau: 0 };

let model: ModelCopy;
const facts = (adapters: unknown) => writeFile(model.at("adapters/bigvae.json"), JSON.stringify({ gap: 0, adapters }));
const open = async () => openEngine({ base: model.base, adapters: model.adapters, threads: 1 });

/** Multiplies the matrices of an adapter's folder. */
async function scale(folder: string, factor: number): Promise<void> {
  const path = join(folder, "adapter_model.safetensors");
  const file = await openSafetensors(path);
  const scaled = async (name: string): Promise<[string, StoredTensor]> => {
    const data = (await file.readFloat32(name)).map((value) => factor * value) as Float32Array<ArrayBuffer>;
    return [name, { dtype: "F32", shape: file.info(name).shape, data }];
  };
  const tensors = new Map(await Promise.all(file.names.map(scaled)));
  await file.close();
  await writeSafetensors(path, tensors);
}

beforeAll(async () => {
  model = await copyModel();
  await cp(model.at("adapters/router"), model.at("adapters/expert-a"), { recursive: true });
  await scale(model.at("adapters/expert-a"), 1.5);
});
afterAll(() => model.remove());

describe("a further adapter", () => {
  beforeAll(() => facts({ "expert-a": EXPERT }));

  it("writes under its name, as it would as the router", async () => {
    const { engine, facts } = await open();
    expect(facts.adapters).toEqual({ encoder: "encoder", decoder: "decoder", router: "router", "expert-a": "router" });
    const [byExpert] = await engine.write([ROW], { ...HOW, writer: "expert-a" });
    expect(byExpert).not.toEqual((await engine.write([ROW], { ...HOW, writer: "router" }))[0]);
    const { adapters, ...vae } = engine.vae!;
    const base = await loadTinyBase();
    const alone = new Engine({
      runtime,
      base,
      vae: { ...vae, adapters: { ...adapters, router: adapters["expert-a"]! } },
    });
    expect(await alone.write([ROW], { ...HOW, writer: "router" })).toEqual([byExpert]);
    await Promise.all([engine.close(), alone.close()]);
  });

  it("is written to a folder of its name, and comes back", async () => {
    const base = await loadTinyBase();
    const vae = await readVae(model.adapters, base);
    const written = { base, baseSha256: "0".repeat(64), dropout: 0, aeScale: 1, step: 0, klWeight: 0 };
    await writeVae(model.at("again"), vae, { ...written, names: Object.keys(vae.adapters) });
    const again = await readVae(model.at("again"), base);
    expect(again.facts.adapters).toEqual({ "expert-a": EXPERT });
    expect(again.adapters).toEqual(vae.adapters);
  });

  it("is packed", async () => {
    await packModel(model.base, model.adapters, model.at("packed"));
    const packed = await readVae(model.at("packed"), await loadTinyBase());
    expect(packed.facts.adapters).toEqual({ "expert-a": EXPERT });
    expect(packed.adapters["expert-a"]!.role).toBe("router");
  });

  it("counts in hash and memory", async () => {
    const [hash, bytes] = [await adaptersSha256(model.adapters), await adapterBytes(model.adapters)];
    await scale(model.at("adapters/expert-a"), 2);
    expect(await adaptersSha256(model.adapters)).not.toBe(hash);
    await scale(model.at("adapters/expert-a"), 0.5);
    expect(await adaptersSha256(model.adapters)).toBe(hash);
    const { config } = await loadTinyBase();
    const [three, four] = [3, 4].map((adapters) => neededBytes({ config, adapterBytes: bytes, adapters }, "merged"));
    expect(four).toBeGreaterThan(three!);
    await facts({});
    expect(await adapterBytes(model.adapters)).toBeLessThan(bytes);
    await facts({ "expert-a": EXPERT });
  });

  it("is named where another one is asked for", async () => {
    const { engine } = await open();
    for (const writer of ["expert-b", "encoder", "toString"]) {
      const message = /`writer`: expected one of decoder, router, expert-a, base, got "(expert-b|encoder|toString)"/;
      await expectRefusal(() => engine.write([ROW], { ...HOW, writer }), "usage", message);
      await expectRefusal(() => engine.score([{ ...ROW, target: [5] }], writer, [6]), "usage", message);
    }
    await engine.close();
  });
});

describe("bigvae.json is refused where", () => {
  it.each([
    ["adapters are a list", ["expert-a"], "format", /expected adapters to be an object of adapters by name/],
    [
      "an adapter has the name of a role",
      { decoder: EXPERT },
      "format",
      /none of encoder, decoder, router, base, got "decoder"/,
    ],
    ["an adapter is called as the base", { base: EXPERT }, "format", /got "base"; rename it/],
    ["a name is none", { "../a": EXPERT }, "format", /lower-case letters, digits and hyphens, .* got "\.\.\/a"/],
    ["an adapter is a text", { "expert-a": "router" }, "format", /adapter expert-a to be an object of role and folder/],
    ["there is no role", { "expert-a": { folder: "expert-a" } }, "format", /a role, decoder or router, got none/],
    [
      "a second encoder is named",
      { a: { ...EXPERT, role: "encoder" } },
      "unsupported",
      /decoder or router, got "encoder"/,
    ],
    ["a field is unknown", { a: { ...EXPERT, weight: 2 } }, "unsupported", /role and folder alone, got "weight" too/],
    ["the folder lies elsewhere", { a: { ...EXPERT, folder: "../a" } }, "format", /folder of its own .* got "\.\.\/a"/],
    ["two have one folder", { a: EXPERT, b: EXPERT }, "format", /adapter b to have a folder of its own/],
    [
      "it has that of the decoder",
      { a: { ...EXPERT, folder: "decoder" } },
      "format",
      /folder of its own .* got "decoder"/,
    ],
  ] as const)("%s", async (_, adapters, kind, message) => {
    await facts(adapters);
    await expectRefusal(open, kind, message);
  });

  it("the folder is not there, or is of another base", async () => {
    await facts({ "expert-b": { ...EXPERT, folder: "expert-b" } });
    await expectRefusal(open, "format", /expected expert-b\/ of the adapter expert-b, got no expert-b/);
    await cp(model.at("adapters/router"), model.at("adapters/expert-b"), { recursive: true });
    await scale(model.at("adapters/expert-b"), Number.NaN);
    await expectRefusal(open, "nonFinite", /expert-b\./);
    await rm(model.at("adapters/expert-b"), { recursive: true });
  });
});
