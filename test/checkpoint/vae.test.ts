/** A checkpoint's folder: what is written comes back to the bit, and from a packed one within float16. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { baseSha256 } from "../../src/checkpoint/hashes.js";
import { packModel } from "../../src/checkpoint/pack.js";
import { type Checkpoint, readVae, usualLosses, type WrittenFacts, writeVae } from "../../src/checkpoint/vae.js";
import type { BaseModel } from "../../src/engine/baseModel.js";
import type { HostTensors } from "../../src/runtime/runtime.js";
import { ADAPTER_ROLES } from "../../src/vae/roles.js";
import { loadTinyAdapters, loadTinyBase, tinyFolder } from "../parity/reference.js";

const FACTS = { dropout: 0.25, aeScale: 1.5, step: 7, klWeight: 0.125 };

let folder: string;
let base: BaseModel;
let vae: Awaited<ReturnType<typeof loadTinyAdapters>>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-checkpoint-"));
  base = await loadTinyBase();
  vae = await loadTinyAdapters(base.config);
});
afterAll(() => rm(folder, { recursive: true }));

async function written(name: string, change: Partial<WrittenFacts> = {}): Promise<string> {
  const path = join(folder, name);
  await writeVae(path, vae, { base, baseSha256: "0".repeat(64), names: ADAPTER_ROLES, ...FACTS, ...change });
  return path;
}

const json = async (path: string, name: string) => JSON.parse(await readFile(join(path, name), "utf8"));
const tensorsOf = ({ head, adapters }: Pick<Checkpoint, "head" | "adapters">): HostTensors =>
  Object.assign({}, head, ...ADAPTER_ROLES.map((name) => adapters[name].tensors));

it("comes back as it was written", async () => {
  const path = await written("whole");
  const { facts, ...read } = await readVae(path, base);
  expect(read).toEqual(vae);
  expect(facts).toEqual({ base_sha256: "0".repeat(64), span: 64, gap: 0, ae_scale: 1.5 });
  expect(await json(path, "state.json")).toEqual({ step: 7, last_kl_weight: 0.125 });
  expect(await json(join(path, "router"), "adapter_config.json")).toMatchObject({ lora_dropout: 0.25 });
});

it("says the usual losses where they were measured, packed too", async () => {
  const path = await written("usual", {
    usualLosses: { decoder: 0.25, base: 2 },
    baseSha256: await baseSha256(join(tinyFolder, "base")),
  });
  const packed = join(folder, "usual-packed");
  await packModel(join(tinyFolder, "base"), path, packed);
  for (const place of [path, packed]) {
    const { facts } = await readVae(place, base);
    expect(facts).toMatchObject({ decoder_loss: 0.25, base_loss: 2 });
    expect(usualLosses(facts)).toEqual({ decoder: 0.25, base: 2 });
  }
  expect(usualLosses({ decoder_loss: 0.25 })).toBeUndefined();
});

it("without a router, the decoder's matrices stand in its place", async () => {
  const path = await written("no-router", { names: ["encoder", "decoder"] });
  const { adapters } = await readVae(path, base);
  const renamed = Object.entries(vae.adapters.decoder.tensors).map(([name, tensor]) => [
    name.replace("decoder", "router"),
    tensor,
  ]);
  expect(adapters.router.tensors).toEqual(Object.fromEntries(renamed));
});

it("comes back from a packed folder within float16, its facts and state kept", async () => {
  const path = await written("to-pack", { baseSha256: await baseSha256(join(tinyFolder, "base")) });
  const packed = join(folder, "packed");
  const { worst } = await packModel(join(tinyFolder, "base"), path, packed);
  const read = await readVae(packed, base);
  const original = tensorsOf(vae);
  expect(Object.keys(tensorsOf(read)).sort()).toEqual(Object.keys(original).sort());
  for (const [name, { data, shape }] of Object.entries(tensorsOf(read))) {
    expect(shape).toEqual(original[name]!.shape);
    const values = Array.from(original[name]!.data as Float32Array);
    const differences = values.map((value, i) => Math.abs(Number(data[i]) - value));
    // Half a unit in the last of eleven places; below 2^-14, of 2^-24.
    const beyond = differences.filter((off, i) => off > Math.max(Math.abs(values[i]!) * 2 ** -11, 2 ** -25));
    expect(beyond).toEqual([]);
    expect(Math.max(...differences)).toBeLessThanOrEqual(worst);
  }
  expect(read.facts).toMatchObject({ span: 64, gap: 0, ae_scale: 1.5 });
  expect(read.facts.base_sha256).not.toBe(await baseSha256(join(tinyFolder, "base")));
  expect(await readFile(join(packed, "state.json"))).toEqual(await readFile(join(path, "state.json")));
});
