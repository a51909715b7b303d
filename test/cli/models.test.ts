/** pull, list, show and rm as a user runs them, against the hub's mock. */
import { spawn } from "node:child_process";
import { mkdtemp, open, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { GgufBuilder, TINY_METADATA } from "../fixtures/gguf/build.js";
import { etag, type HubMock, startHub } from "../hub/hubMock.js";
import { ADAPTERS_NAME, adaptersRepository, BASE_NAME, baseRepository, environment } from "../hub/models.js";
import { bigvae, jsonLines, MAIN } from "./run.js";

let hub: HubMock;
let home: string;
const run = (args: readonly string[], env: Record<string, string> = {}) =>
  bigvae(args, "", { ...environment(hub, home), ...env });

beforeEach(async () => {
  hub = await startHub({ [BASE_NAME]: baseRepository(), [ADAPTERS_NAME]: adaptersRepository() });
  home = await mkdtemp(join(tmpdir(), "bigvae-cli-models-"));
});
afterEach(async () => {
  await hub.close();
  await rm(home, { recursive: true });
});

describe("pull", () => {
  it("shows a line a file, and what came of it", async () => {
    const { code, stdout, stderr } = await run(["pull", BASE_NAME]);
    expect(stdout).toMatch(/^owner\/tiny-mistral: \d+ kB in 6 files, in the cache\n$/);
    expect(stderr).toMatch(/^model\.safetensors \| 100\.0% of \d+ kB \| [\d.]+ [kMG]B\/s$/m);
    expect(stderr).toMatch(/^config\.json \| 100\.0% of \d+ B/m);
    expect(stderr.trimEnd().split("\n")).toHaveLength(6);
    expect(code).toBe(0);
  });

  it("of adapters says whose they are where nobody can be asked, and downloads no base", async () => {
    const { code, stderr } = await run(["pull", ADAPTERS_NAME]);
    expect(stderr).toMatch(
      /^owner\/tiny-vae belongs to the base owner\/tiny-mistral: bigvae pull owner\/tiny-mistral$/m,
    );
    expect(code).toBe(0);
    expect(await readdir(join(home, "hub"))).not.toContain("models--owner--tiny-mistral");
  });

  it("--with-base downloads the base too; the two then work together, offline", async () => {
    const lines = jsonLines<{ name: string; kind: string; baseName?: string; files: string[] }>(
      await run(["pull", ADAPTERS_NAME, "--with-base", "--json"]),
    );
    expect(lines.map(({ name, kind, baseName }) => [name, kind, baseName])).toEqual([
      [ADAPTERS_NAME, "adapters", BASE_NAME],
      [BASE_NAME, "base", undefined],
    ]);
    hub.seen.length = 0;
    const encoded = await run(["encode", "--model", ADAPTERS_NAME, "--json", "A mill"], { HF_HUB_OFFLINE: "1" });
    expect(encoded).toMatchObject({ code: 0, stderr: "" });
    expect(hub.seen).toEqual([]);
    const pair = ["--model", BASE_NAME, "--adapters", ADAPTERS_NAME];
    expect((await run(["encode", ...pair, "--json", "A mill"])).stdout).toBe(encoded.stdout);
    expect(await run(["doctor", "--model", ADAPTERS_NAME, "--json"])).toMatchObject({ stderr: "" });
    const rows = ["--tokenizer", BASE_NAME, "--length", "32", "--output", join(home, "rows"), "--quiet"];
    expect(await run(["data", "prepare", "data/plain-sentences.txt", ...rows])).toMatchObject({ code: 0, stderr: "" });
    const packed = await run(["pack", ...pair, "--output", join(home, "packed")]);
    expect(packed).toMatchObject({ code: 0, stderr: "" });
  });

  it.each([
    ["SIGINT", 130, /bigvae: stopped before the end\n$/],
    ["SIGKILL", null, /^(.*\n)*$/],
  ] as const)("that %s ends keeps what has come, and continues", async (signal, code, message) => {
    hub.fault = ({ host }) => (host === "cdn" ? { pieces: 1000, pauseMs: 20 } : undefined);
    const child = spawn(process.execPath, [MAIN, "pull", BASE_NAME], {
      env: { ...process.env, ...environment(hub, home) },
    });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    const weights =
      hub.repositories[BASE_NAME]!.commits[Object.keys(hub.repositories[BASE_NAME]!.commits)[0]!]![
        "model.safetensors"
      ]!;
    const incomplete = join(home, "hub", "models--owner--tiny-mistral", "blobs", `${etag(weights)}.incomplete`);
    const kept = () =>
      stat(incomplete).then(
        ({ size }) => size,
        () => 0,
      );
    while ((await kept()) < 5000) await new Promise((resolve) => setTimeout(resolve, 10));
    child.kill(signal);
    expect(await new Promise((resolve) => child.on("close", resolve))).toBe(code);
    expect(stderr).toMatch(message);
    const before = await kept();
    expect(before).toBeGreaterThanOrEqual(5000);
    hub.seen.length = 0;
    hub.fault = () => undefined;
    expect((await run(["pull", BASE_NAME, "--quiet"])).code).toBe(0);
    expect(hub.seen.find(({ range }) => range)?.range).toBe(`bytes=${before}-`);
  });

  it.each<[string, string[], number, RegExp]>([
    ["a name that is none", ["pull", "../x"], 2, /"\.\.\/x": expected a hub name/],
    [
      "a model that is not there",
      ["pull", "owner/nothing"],
      2,
      /owner\/nothing: expected a model of the hub, got none that may be read \(HTTP 401\)/,
    ],
    ["a revision that is not there", ["pull", `${BASE_NAME}@v9`], 2, /got none named v9/],
    [
      "a model to remove that is not there",
      ["rm", "owner/nothing", "--yes"],
      2,
      /got none of this name; `bigvae list` shows/,
    ],
    ["a removal that nobody has confirmed", ["rm", BASE_NAME], 2, /got none of this name/],
    [
      "a model that is not in the cache",
      ["encode", "--model", BASE_NAME, "x"],
      2,
      /--model owner\/tiny-mistral: expected .*, got nothing there; download it with `bigvae pull owner\/tiny-mistral`$/m,
    ],
    [
      "adapters that are not in the cache",
      ["encode", "--adapters", ADAPTERS_NAME, "x"],
      2,
      /--adapters owner\/tiny-vae: .*`bigvae pull owner\/tiny-vae`$/m,
    ],
    [
      "a model to show that is not there",
      ["show", "owner/nothing"],
      2,
      /download it with `bigvae pull owner\/nothing`$/m,
    ],
  ])("refuses %s in one sentence", async (_, args, code, message) => {
    const finished = await run(args);
    expect(finished.stderr).toMatch(message);
    expect(finished).toMatchObject({ code, stdout: "" });
  });

  it("refuses to go without a hub where it is offline", async () => {
    const { code, stderr } = await run(["pull", BASE_NAME], { HF_HUB_OFFLINE: "1" });
    expect(stderr).toMatch(/^bigvae: 127\.0\.0\.1:\d+: expected a request that may be made, got HF_HUB_OFFLINE, .*\n$/);
    expect(code).toBe(11);
  });
});

describe("list, show and rm", () => {
  it("a table of names, the parts of a model, a removal", async () => {
    await run(["pull", ADAPTERS_NAME, "--with-base", "--quiet"]);
    const { stdout } = await run(["list"]);
    const rows = stdout
      .trimEnd()
      .split("\n")
      .map((row) => row.split(/ {2,}/));
    expect(rows.map(([name, revision, kind]) => [name, revision, kind])).toEqual([
      ["NAME", "REVISION", "KIND"],
      ["pocket", "-", "packed"],
      [BASE_NAME, "main", "base"],
      [ADAPTERS_NAME, "main", "adapters"],
    ]);
    expect(rows.slice(1).every((row) => row[4] === "today")).toBe(true);
    const shown = (await run(["show", ADAPTERS_NAME])).stdout;
    for (const line of [
      /^ {2}architecture {2}MistralForCausalLM$/m,
      /^ {2}weights +\d+.* in F32 \(\d+ tensors\)$/m,
      /^ {2}latent +48 values$/m,
      /^ {2}router +rank 8, alpha 8, 26880 parameters$/m,
    ])
      expect(shown).toMatch(line);
    expect((await run(["rm", BASE_NAME])).stderr).toMatch(
      /^bigvae: rm owner\/tiny-mistral: expected a terminal to ask at, or --yes, got neither; add --yes to remove owner\/tiny-mistral, 1 revision, \d+ kB\n$/,
    );
    expect((await run(["rm", BASE_NAME, "--yes"])).stdout).toMatch(/^owner\/tiny-mistral: removed, \d+ kB free\n$/);
    expect(jsonLines<{ name: string }>(await run(["list", "--json"])).map(({ name }) => name)).toEqual([
      "pocket",
      ADAPTERS_NAME,
    ]);
    const { stderr } = await run(["encode", "--model", ADAPTERS_NAME, "x"]);
    expect(stderr).toMatch(
      /expected its base owner\/tiny-mistral in the cache, got none; .*`bigvae pull owner\/tiny-mistral`\n$/,
    );
  });
});

describe("show of 7 billion parameters", () => {
  const [LAYERS, D, F, V, KV] = [32, 4096, 14336, 32000, 1024];
  const SHAPES: [string, string, number[]][] = [
    ["model.embed_tokens", "token_embd", [V, D]],
    ["model.norm", "output_norm", [D]],
    ["lm_head", "output", [V, D]],
    ...Array.from({ length: LAYERS }, (_, i): [string, string, number[]][] => [
      [`model.layers.${i}.input_layernorm`, `blk.${i}.attn_norm`, [D]],
      [`model.layers.${i}.post_attention_layernorm`, `blk.${i}.ffn_norm`, [D]],
      [`model.layers.${i}.self_attn.q_proj`, `blk.${i}.attn_q`, [D, D]],
      [`model.layers.${i}.self_attn.k_proj`, `blk.${i}.attn_k`, [KV, D]],
      [`model.layers.${i}.self_attn.v_proj`, `blk.${i}.attn_v`, [KV, D]],
      [`model.layers.${i}.self_attn.o_proj`, `blk.${i}.attn_output`, [D, D]],
      [`model.layers.${i}.mlp.gate_proj`, `blk.${i}.ffn_gate`, [F, D]],
      [`model.layers.${i}.mlp.up_proj`, `blk.${i}.ffn_up`, [F, D]],
      [`model.layers.${i}.mlp.down_proj`, `blk.${i}.ffn_down`, [D, F]],
    ]).flat(),
  ];
  const countOf = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1);
  const PARAMETERS = SHAPES.reduce((sum, [, , shape]) => sum + countOf(shape), 0);

  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "bigvae-7b-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** A file of a header and nothing behind it: its disk holds no bytes for what was never written. */
  async function sparse(path: string, header: Uint8Array, bytes: number) {
    const file = await open(path, "w");
    await file.write(header);
    await file.truncate(header.length + bytes);
    await file.close();
  }

  /** The best of three, since other work may hold up any of them. */
  async function describedWithinASecond(path: string) {
    const seconds: number[] = [];
    let finished = await run(["show", "--json", path]);
    for (let i = 0; i < 3; i++) {
      const begin = performance.now();
      finished = await run(["show", "--json", path]);
      seconds.push((performance.now() - begin) / 1000);
    }
    expect(Math.min(...seconds)).toBeLessThan(1);
    return jsonLines<{ base: { parameters: number; bytes: number; dtypes: unknown } }>(finished)[0]!.base;
  }

  it("takes less than a second, in a folder", async () => {
    let at = 0;
    const fields = SHAPES.map(([name, , shape]) => {
      const offsets = [at, (at += 2 * countOf(shape))];
      return [`${name}.weight`, { dtype: "BF16", shape, data_offsets: offsets }];
    });
    const json = Buffer.from(JSON.stringify(Object.fromEntries(fields)));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(json.length));
    await sparse(join(folder, "model.safetensors"), Buffer.concat([length, json]), at);
    const config = {
      architectures: ["MistralForCausalLM"],
      model_type: "mistral",
      hidden_size: D,
      intermediate_size: F,
      num_hidden_layers: LAYERS,
      num_attention_heads: 32,
      num_key_value_heads: 8,
      vocab_size: V,
    };
    const file = await open(join(folder, "config.json"), "w");
    await file.write(JSON.stringify(config));
    await file.close();
    const base = await describedWithinASecond(folder);
    expect(base).toMatchObject({ parameters: PARAMETERS, bytes: 8 + json.length + 2 * PARAMETERS });
    expect(PARAMETERS).toBe(7_241_732_096);
  });

  it("takes less than a second, in a .gguf file with a vocabulary", async () => {
    const metadata = {
      ...TINY_METADATA,
      "llama.embedding_length": D,
      "llama.feed_forward_length": F,
      "llama.block_count": LAYERS,
      "llama.attention.head_count": 32,
      "llama.attention.head_count_kv": 8,
      "tokenizer.ggml.tokens": Array.from({ length: V }, (_, i) => `token${i}`),
    };
    const builder = new GgufBuilder().header(SHAPES.length, Object.keys(metadata).length);
    for (const [key, value] of Object.entries(metadata)) builder.entry(key, value);
    let at = 0;
    for (const [, name, shape] of SHAPES) {
      const isMatrix = shape.length > 1;
      builder.tensor(`${name}.weight`, shape.toReversed(), isMatrix ? 8 : 0, at);
      at += isMatrix ? (countOf(shape) / 32) * 34 : 4 * countOf(shape);
    }
    const path = join(folder, "model.gguf");
    await sparse(path, builder.pad().build(), at);
    const base = await describedWithinASecond(path);
    expect(base.parameters).toBe(PARAMETERS);
    expect(base.dtypes).toEqual([
      expect.objectContaining({ dtype: "Q8_0", tensors: 2 + 7 * LAYERS }),
      expect.objectContaining({ dtype: "F32", tensors: 1 + 2 * LAYERS }),
    ]);
  });
});
