/** Experts on disk: what is written comes back, what is damaged or of another model is refused by name. */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { findExpert, readExpert, readExpertAdapter, readExperts, removeExpert } from "../../src/expert/index.js";
import { readLora } from "../../src/formats/index.js";
import { hashModel } from "../../src/host/modelFiles.js";
import { LatentSpace } from "../../src/latent/index.js";
import { openExperts } from "../../src/operations/experts.js";
import { expectRefusal } from "../badInput/folder.js";
import { loadTinyBase } from "../parity/reference.js";
import { PATHS, writeExperts } from "./make.js";

let root: string;
let experts: string;
const vae = { hashes: () => hashModel(PATHS), space: new LatentSpace({ zDim: 48, slots: 1, span: 64 }) };

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "bigvae-experts-"));
  await writeExperts(root, ["fables", "letters"]);
});
afterAll(() => rm(root, { recursive: true }));
beforeEach(async () => {
  experts = join(root, "copy");
  await rm(experts, { recursive: true, force: true });
  await cp(join(root, "experts"), experts, { recursive: true });
});

const edit = async (change: (json: Record<string, unknown>) => void) => {
  const path = join(experts, "fables", "expert.json");
  const json = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
  change(json);
  await writeFile(path, JSON.stringify(json));
};

describe("an expert", () => {
  it("comes back as it was written", async () => {
    const { facts, keys } = await readExpert(join(experts, "letters"));
    expect(facts).toMatchObject({ name: "letters", role: "router", texts: 3, spans: 9, steps: 5, rowsPerStep: 2 });
    expect(facts).not.toHaveProperty("heldOutLoss");
    expect(keys).toHaveLength(1);
    expect(keys[0]![1]).toBe(1);
    const { config } = await loadTinyBase();
    const adapter = await readExpertAdapter(join(experts, "letters"), config);
    const stored = await readLora(join(root, "adapters", "letters"));
    expect(adapter.shape).toMatchObject({ rank: stored.rank, alpha: stored.alpha });
    const [path, pair] = [...stored.tensors][0]!;
    expect(adapter.tensors[`router.${path}.lora_A`]!.data).toEqual(pair.a);
  });

  it("is found among others, which are listed in order; folders of something else are passed over", async () => {
    await mkdir(join(experts, "another"));
    expect((await readExperts(experts)).map(({ facts }) => facts.name)).toEqual(["fables", "letters"]);
    expect((await findExpert(experts, "letters")).folder).toBe(join(experts, "letters"));
    await expectRefusal(() => findExpert(experts, "plays"), "usage", /expected one of fables, letters, got "plays"/);
    await expectRefusal(() => findExpert(experts, "../letters"), "usage", /expected one of/);
    await expectRefusal(() => readExperts(join(experts, "none")), "usage", /expected a folder of experts, got no such/);
  });

  it("is gone once it was removed", async () => {
    await removeExpert(join(experts, "letters"));
    expect((await readExperts(experts)).map(({ facts }) => facts.name)).toEqual(["fables"]);
  });

  it("is opened for the model of its latents, and refused for another", async () => {
    expect((await openExperts(vae, experts)).names).toEqual(["fables", "letters"]);
    await edit((json) => Object.assign(json.space as object, { encoder: "0".repeat(64) }));
    await expectRefusal(
      () => openExperts(vae, experts),
      "mismatch",
      /^expert fables of .*: expected latents of base .*, encoder 000000000000/,
    );
    await rm(experts, { recursive: true });
    await mkdir(experts);
    await expectRefusal(() => openExperts(vae, experts), "usage", /expected at least one, got none/);
  });
});

describe("a damaged expert", () => {
  const changes: [what: string, change: (json: Record<string, unknown>) => void, message: RegExp][] = [
    ["another format", (json) => Object.assign(json, { format: "x" }), /expected format bigvae-expert, got "x"/],
    [
      "another version",
      (json) => Object.assign(json, { version: 2 }),
      /expected version 1, of role router, got version 2/,
    ],
    ["another role", (json) => Object.assign(json, { role: "encoder" }), /of role "encoder"; it is of another version/],
    ["half a count", (json) => Object.assign(json, { steps: 0.5 }), /expected steps to be a whole number, got 0.5/],
    ["no name", (json) => delete json.name, /expected a name, got none/],
    ["no space", (json) => delete json.space, /expected a space of latents, got none/],
    ["no hash", (json) => delete json.keys_sha256, /expected keys_sha256 of 64 hexadecimal digits, got none/],
    ["no time", (json) => Object.assign(json, { trained: "soon" }), /expected trained to be a time, got "soon"/],
    ["no number", (json) => Object.assign(json, { held_out_loss: "low" }), /expected held_out_loss to be a number/],
    ["another hash", (json) => Object.assign(json, { keys_sha256: "0".repeat(64) }), /keys.npy: expected sha256 0{12}/],
  ];
  it.each(changes)("with %s is refused", async (_, change, message) => {
    await edit(change);
    const error = await readExperts(experts).then(
      () => undefined,
      (thrown: Error) => thrown,
    );
    expect(error?.message).toMatch(message);
  });

  it("with a changed byte is told by its file", async () => {
    const { config } = await loadTinyBase();
    for (const [file, read] of [
      ["keys.npy", () => readExpert(join(experts, "fables"))],
      ["router/adapter_model.safetensors", () => readExpertAdapter(join(experts, "fables"), config)],
    ] as const) {
      const path = join(experts, "fables", file);
      const bytes = await readFile(path);
      bytes[bytes.length - 3]! ^= 16;
      await writeFile(path, bytes);
      await expectRefusal(read, "format", new RegExp(`${file.split("/").at(-1)}: expected sha256 .*; copy the expert`));
      await rm(path);
      await expectRefusal(read, "format", /expected a file, got none/);
    }
  });
});
