/** Models by hub name, in the library: what is downloaded, and what is found without a request. */
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { listModels } from "../../src/host/listModels.js";
import { findModel, openTokenizer } from "../../src/host/modelFiles.js";
import { openEngine } from "../../src/host/openEngine.js";
import { type PullProgress, planPull, pullModel } from "../../src/host/pullModel.js";
import { removeModel } from "../../src/host/removeModel.js";
import { expectRefusal, fingerprint } from "../badInput/folder.js";
import { tinyModel } from "../fixtures/gguf/build.js";
import { commitOf, etag, repository } from "./hubMock.js";
import { ADAPTERS_NAME, adaptersRepository, BASE_NAME, baseRepository, useMachine } from "./models.js";

/** A GGUF file of one tensor. */
const gguf = tinyModel({ "token_embd.weight": [32, 8], "blk.0.attn_norm.weight": [32] });
const machine = useMachine();

const BASE_FILES = [
  "config.json",
  "generation_config.json",
  "model.safetensors",
  "special_tokens_map.json",
  "tokenizer.json",
  "tokenizer_config.json",
];
const ADAPTER_FILES = [
  ...["decoder", "encoder", "router"].flatMap((name) => [
    `${name}/adapter_config.json`,
    `${name}/adapter_model.safetensors`,
  ]),
  "state.json",
  "vae.safetensors",
];

/** Changes the files of a repository at its only commit. */
function change(name: string, files: Record<string, string | Uint8Array | undefined>) {
  const all = Object.values(machine.hub.repositories[name]!.commits)[0]!;
  for (const [path, content] of Object.entries(files)) {
    if (content === undefined) delete all[path];
    else all[path] = Buffer.from(content as string);
  }
  return all;
}

describe("pull", () => {
  it("downloads what a base is made of and nothing else, and tells how far it is", async () => {
    const told: PullProgress[] = [];
    const pulled = await pullModel(BASE_NAME, { onProgress: (progress) => told.push(progress) });
    expect(pulled).toMatchObject({ name: BASE_NAME, kind: "base", commit: commitOf("first") });
    expect(pulled.files.toSorted()).toEqual(BASE_FILES);
    expect((await readdir(pulled.folder)).sort()).toEqual(BASE_FILES);
    expect(await readFile(machine.cache("models--owner--tiny-mistral", "refs", "main"), "utf8")).toBe(
      commitOf("first"),
    );
    for (const file of BASE_FILES)
      expect(told.findLast((each) => each.file === file)?.done).toBe((await stat(join(pulled.folder, file))).size);
  });

  it("downloads adapters, and names their base", async () => {
    const pulled = await pullModel(ADAPTERS_NAME);
    expect(pulled.files.toSorted()).toEqual(ADAPTER_FILES);
    expect(pulled).toMatchObject({ kind: "adapters", baseName: BASE_NAME });
    expect(existsSync(machine.cache("models--owner--tiny-mistral"))).toBe(false);
  });

  it("takes shards that the index names, each once, and not the whole beside them", async () => {
    const index = {
      weight_map: {
        a: "model-00001-of-00002.safetensors",
        b: "model-00002-of-00002.safetensors",
        c: "model-00001-of-00002.safetensors",
      },
    };
    change(BASE_NAME, {
      "model.safetensors.index.json": JSON.stringify(index),
      "model-00001-of-00002.safetensors": "one",
      "model-00002-of-00002.safetensors": "two",
      "model-00003-of-00002.safetensors": "three",
    });
    const { files } = await planPull(BASE_NAME);
    expect(files.filter((file) => file.startsWith("model"))).toEqual([
      "model.safetensors.index.json",
      "model-00001-of-00002.safetensors",
      "model-00002-of-00002.safetensors",
    ]);
  });

  it("takes a packed model whole, and further adapters that bigvae.json names", async () => {
    const base = Object.entries(baseRepository().commits[commitOf("first")]!);
    const facts = { span: 64, gap: 64, ae_scale: 1, adapters: { expert: { role: "router", folder: "expert" } } };
    change(ADAPTERS_NAME, {
      ...Object.fromEntries(
        base.filter(([path]) => BASE_FILES.includes(path)).map(([path, bytes]) => [`base/${path}`, bytes]),
      ),
      "bigvae.json": JSON.stringify(facts),
      "expert/adapter_config.json": "{}",
      "expert/adapter_model.safetensors": "expert",
    });
    const plan = await planPull(ADAPTERS_NAME);
    expect(plan.kind).toBe("packed");
    expect(plan.baseName).toBeUndefined();
    const own = ["bigvae.json", "expert/adapter_config.json", "expert/adapter_model.safetensors"];
    expect(plan.files.toSorted()).toEqual(
      [...ADAPTER_FILES, ...own, ...BASE_FILES.map((path) => `base/${path}`)].sort(),
    );
  });

  it("writes nothing before it knows what it will write: a plan is no download", async () => {
    expect(await planPull(BASE_NAME)).toMatchObject({ kind: "base", missingBytes: expect.any(Number) });
    expect(existsSync(machine.cache())).toBe(false);
  });

  it("knows the base of the release, and a base that bigvae.json names", async () => {
    const release = "jdpressman/BigVAE-Mistral-7B-v0.1";
    machine.hub.repositories[release] = adaptersRepository("/home/trainer/Mistral-7B");
    machine.hub.repositories["owner/unknown"] = adaptersRepository("/home/trainer/Mistral-7B");
    expect((await planPull(release)).baseName).toBe("mistralai/Mistral-7B-v0.1");
    expect((await planPull("owner/unknown")).baseName).toBeUndefined();
    change("owner/unknown", { "bigvae.json": JSON.stringify({ base_model: "owner/base@v1" }) });
    expect((await planPull("owner/unknown")).baseName).toBe("owner/base@v1");
  });

  it("refuses what cannot be used before it downloads it", async () => {
    const cases: [Parameters<typeof change>[1], Parameters<typeof expectRefusal>[1], RegExp][] = [
      [
        { "model.safetensors": undefined },
        "unsupported",
        /weights in model\.safetensors, got pytorch_model\.bin, a Python pickle/,
      ],
      [
        { "tokenizer.json": undefined },
        "unsupported",
        /expected tokenizer\.json, got tokenizer\.model, which is not read/,
      ],
      [{ "config.json": '{"model_type": "bert"}' }, "unsupported", /the architecture .*, got bert/],
      [{ "config.json": "no JSON" }, "format", /config\.json of owner\/tiny-mistral/],
      [
        { "config.json": undefined },
        "usage",
        /expected config\.json, vae\.safetensors or a \.gguf file by its name, got none of them/,
      ],
      [{ "model.safetensors.index.json": "{}" }, "format", /expected a weight_map/],
      [
        { "model.safetensors.index.json": '{"weight_map": {"a": "../../../../evil"}}' },
        "unsupported",
        /weights in \.\.\/\.\.\/\.\.\/\.\.\/evil/,
      ],
    ];
    for (const [files, kind, message] of cases) {
      machine.hub.repositories[BASE_NAME] = baseRepository();
      change(BASE_NAME, files);
      await expectRefusal(() => pullModel(BASE_NAME), kind, message);
    }
    expect(existsSync(machine.cache())).toBe(false);
  });

  it("names the .gguf files of a repository of them, and downloads the one that is named alone", async () => {
    machine.hub.repositories["owner/gguf"] = repository({ "a.Q8_0.gguf": gguf, "sub/b.Q4_0.gguf": "b" });
    await expectRefusal(
      () => pullModel("owner/gguf"),
      "usage",
      /name one: owner\/gguf:a\.Q8_0\.gguf, owner\/gguf:sub\/b\.Q4_0\.gguf/,
    );
    await expectRefusal(() => pullModel("owner/gguf:c.gguf"), "usage", /expected c\.gguf, got no such file; name one/);
    const pulled = await pullModel("owner/gguf:a.Q8_0.gguf");
    expect(pulled).toMatchObject({ kind: "gguf", files: ["a.Q8_0.gguf"], bytes: gguf.length });
    expect((await findModel("owner/gguf:a.Q8_0.gguf")).base).toBe(join(pulled.folder, "a.Q8_0.gguf"));
  });

  it("leads nowhere out of the cache, whatever names the hub says", async () => {
    await mkdir(machine.cache(), { recursive: true });
    const before = await fingerprint(machine.home);
    const steps = ["..", "../..", "/etc", "C:\\x", "a\\..\\..", "\0", ".", "nul", "~"];
    for (let i = 0; i < 1000; i++) {
      const evil = `${steps[i % steps.length]}/${steps[Math.floor(i / steps.length) % steps.length]}/evil${i}.safetensors`;
      machine.hub.repositories[BASE_NAME] = baseRepository();
      change(BASE_NAME, {
        [evil]: "evil",
        "model.safetensors.index.json": JSON.stringify({ weight_map: { a: evil } }),
      });
      await expectRefusal(() => pullModel(BASE_NAME), "network", /got a file named/);
    }
    expect(await fingerprint(machine.home)).toBe(before);
  }, 120_000);

  it("refuses what the disk does not hold, with numbers", async () => {
    machine.hub.fault = ({ path }) => {
      if (!path.includes("/tree/")) return undefined;
      const files = Object.entries(machine.hub.repositories[BASE_NAME]!.commits[commitOf("first")]!);
      const entries = files.map(([path, bytes]) => ({ type: "file", path, size: bytes.length, oid: etag(bytes) }));
      const weights = { type: "file", path: "model.safetensors", lfs: { oid: "0".repeat(64), size: 2 ** 52 } };
      return {
        status: 200,
        body: JSON.stringify([
          ...entries.filter(({ oid }) => oid.length === 40),
          weights,
          { type: "file", path: "tokenizer.json", size: 1, oid: "0".repeat(40) },
        ]),
      };
    };
    await expectRefusal(
      () => pullModel(BASE_NAME),
      "disk",
      /expected 450359962\d\.\d MB of free space, got \d+\.\d MB; .*HF_HUB_CACHE/,
    );
  });

  it("lets one process at a time write a repository", async () => {
    machine.hub.fault = ({ host }) => (host === "cdn" ? { pieces: 2 ** 16, pauseMs: 30 } : undefined);
    const results = await Promise.allSettled([pullModel(BASE_NAME), pullModel(BASE_NAME)]);
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    const [failed] = results.filter((result) => result.status === "rejected");
    expect(failed!.reason).toMatchObject({ kind: "locked" });
    await pullModel(BASE_NAME);
  });

  it("means a new commit by a branch only when all of it is there", async () => {
    await pullModel(BASE_NAME);
    const { commits, refs } = machine.hub.repositories[BASE_NAME]!;
    const second = commitOf("second");
    commits[second] = { ...commits[commitOf("first")], "model.safetensors": Buffer.alloc(9000, 7) };
    refs.main = second;
    machine.hub.fault = ({ host }) => (host === "cdn" ? { status: 404 } : undefined);
    await expectRefusal(() => pullModel(BASE_NAME), "usage", /HTTP 404/);
    expect((await findModel(BASE_NAME)).base).toMatch(new RegExp(`${commitOf("first")}$`));
    machine.hub.fault = () => undefined;
    await pullModel(BASE_NAME);
    expect((await findModel(BASE_NAME)).base).toMatch(new RegExp(`${second}$`));
  });
});

describe("--model", () => {
  it("takes a base and adapters by their hub names, without a request", async () => {
    await pullModel(BASE_NAME);
    await pullModel(ADAPTERS_NAME);
    machine.hub.seen.length = 0;
    vi.stubEnv("HF_HUB_OFFLINE", "1");
    const paths = await findModel(BASE_NAME, ADAPTERS_NAME);
    expect(await findModel(ADAPTERS_NAME)).toEqual(paths);
    await openTokenizer(paths.base);
    const { engine, facts } = await openEngine({ ...paths, threads: 1 });
    await engine.close();
    expect(facts.zDim).toBe(48);
    expect(machine.hub.seen).toEqual([]);
  });

  it("says what to download: the model, or the base of adapters", async () => {
    const pull = (name: string) => new RegExp(`download it with \`bigvae pull ${name}\`$`);
    await expectRefusal(() => findModel(BASE_NAME), "usage", pull(BASE_NAME));
    await expectRefusal(() => findModel("pocket", ADAPTERS_NAME), "usage", pull(ADAPTERS_NAME));
    await expectRefusal(() => findModel("owner/gguf@v1:a.gguf"), "usage", pull("owner/gguf@v1:a\\.gguf"));
    await pullModel(ADAPTERS_NAME);
    await expectRefusal(() => findModel(ADAPTERS_NAME), "usage", pull(BASE_NAME));
  });

  it("finds what is named by commit, branch and tag", async () => {
    machine.hub.repositories[BASE_NAME]!.refs["release/v1"] = commitOf("first");
    const { folder } = await pullModel(`${BASE_NAME}@release/v1`);
    expect((await findModel(`${BASE_NAME}@release/v1`)).base).toBe(folder);
    expect((await findModel(`${BASE_NAME}@${commitOf("first")}`)).base).toBe(folder);
    await expectRefusal(() => findModel(BASE_NAME), "usage", /bigvae pull/);
  });

  it("refuses a snapshot that is not whole, and says how to make it so", async () => {
    const { folder } = await pullModel(BASE_NAME);
    await rm(join(folder, "model.safetensors"));
    await expectRefusal(
      () => findModel(BASE_NAME),
      "usage",
      /expected a whole model in the cache, got one without all of its weights; .*bigvae pull/,
    );
    await pullModel(BASE_NAME);
    await findModel(BASE_NAME);
  });

  it("is a folder of that name where there is one", async () => {
    await pullModel(BASE_NAME);
    const before = process.cwd();
    await mkdir(join(machine.home, "owner"));
    await symlink((await findModel(BASE_NAME)).base, join(machine.home, "owner", "tiny-mistral"));
    try {
      process.chdir(machine.home);
      expect((await findModel(BASE_NAME)).base).toBe(BASE_NAME);
    } finally {
      process.chdir(before);
    }
  });

  it("works where the disk has no links", async () => {
    vi.stubEnv("HF_HUB_DISABLE_SYMLINKS", "1");
    await pullModel(BASE_NAME);
    await pullModel(ADAPTERS_NAME);
    const { engine } = await openEngine({ ...(await findModel(ADAPTERS_NAME)), threads: 1 });
    await engine.close();
    expect(await listModels()).toHaveLength(3);
    await removeModel(BASE_NAME);
    expect(existsSync(machine.cache("models--owner--tiny-mistral"))).toBe(false);
  });
});
