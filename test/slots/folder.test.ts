/** A checkpoint folder with several slots: written, read back, and refused where its parts do not agree. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readVae, writeVae } from "../../src/checkpoint/vae.js";
import { loadHead, type VaeAdapters } from "../../src/engine/adapters.js";
import { openSafetensors } from "../../src/formats/index.js";
import { loraShapes } from "../../src/model/lora.js";
import { Rng } from "../../src/rng.js";
import { float32, type HostTensors } from "../../src/runtime/runtime.js";
import { headShapes } from "../../src/vae/head.js";
import { ADAPTER_ROLES, type AdapterRole } from "../../src/vae/roles.js";
import { tinyBase } from "../train/tiny.js";

const base = tinyBase(50);
const lora = { rank: 2, alpha: 2, targets: ["q_proj", "v_proj"].map((name) => `self_attn.${name}`) };
const rng = Rng.fromSeed("folder");
const random = (shapes: ReadonlyMap<string, readonly number[]>, prefix = ""): HostTensors =>
  Object.fromEntries(
    Array.from(shapes, ([name, dims]) => [
      prefix + name,
      float32(rng.fork(name).normals(dims.reduce((product, dim) => product * dim, 1)), ...dims),
    ]),
  );
const adapter = (role: AdapterRole) => ({ role, shape: lora, tensors: random(loraShapes(base.config, role, lora)) });
const vae: VaeAdapters = {
  zDim: 12,
  slots: 4,
  span: 8,
  gap: 0,
  head: random(headShapes(base.config, { zDim: 12, slots: 4 }), "vae."),
  adapters: { encoder: adapter("encoder"), decoder: adapter("decoder"), router: adapter("router") },
};

let folder: string;
const factsOf = async () => JSON.parse(await readFile(join(folder, "bigvae.json"), "utf8"));
const withFacts = async (change: object) =>
  writeFile(join(folder, "bigvae.json"), JSON.stringify({ ...(await factsOf()), ...change }));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-slots-"));
  const facts = {
    base,
    baseSha256: "0".repeat(64),
    names: ADAPTER_ROLES,
    dropout: 0,
    aeScale: 1.3,
    step: 7,
    klWeight: 0,
  };
  await writeVae(folder, vae, facts);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it("says beside the head how many slots there are, where they stand and where the length is", async () => {
  expect(await factsOf()).toMatchObject({ slots: 4, places: "relative", length: "last", span: 8, gap: 0 });
});

it("comes back as it was written", async () => {
  const opened = await readVae(folder, base);
  expect(opened).toMatchObject({ zDim: 12, slots: 4, span: 8, gap: 0 });
  expect(Object.keys(opened.head).sort()).toEqual(Object.keys(vae.head).sort());
  for (const [name, { data, shape }] of Object.entries(opened.head)) {
    expect(shape).toEqual(vae.head[name]!.shape);
    expect(data).toEqual(vae.head[name]!.data);
  }
});

it.each([
  [{ slots: 1 }, "mismatch", /expected slots 4, the rows of f\.weight in vae\.safetensors, got 1/],
  [{ slots: 0 }, "format", /expected slots to be a whole number from 1 to 16777216, got 0/],
  [{ places: "fixed" }, "unsupported", /expected places to be "relative", got "fixed"/],
  [{ length: "first" }, "unsupported", /expected length to be "last", got "first"/],
])("is refused with %j", async (change, kind, message) => {
  const facts = await factsOf();
  await withFacts(change);
  await expect(readVae(folder, base)).rejects.toMatchObject({ kind, message: expect.stringMatching(message) });
  await writeFile(join(folder, "bigvae.json"), JSON.stringify(facts));
});

it("is refused without the embeddings of its slots", async () => {
  const whole = await openSafetensors(join(folder, "vae.safetensors"));
  const part = {
    names: whole.names.filter((name) => name !== "s.weight"),
    info: (name: string) => whole.info(name),
    readFloat32: (name: string) => whole.readFloat32(name),
  };
  await expect(loadHead(base.config, part)).rejects.toMatchObject({
    kind: "mismatch",
    message: expect.stringMatching(/expected s\.weight of shape \[4, 16\], got no such tensor/),
  });
  await whole.close();
});
