/**
 * The cache against huggingface_hub itself, both ways: what it finds of ours without a network, what we find of its, and what it says of the
 * cache. Skipped where `python3`, or the program that BIGVAE_PYTHON names, has no huggingface_hub.
 */
import { spawnSync } from "node:child_process";
import { lstat, mkdtemp, readdir, readFile, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { describeModel } from "../../src/host/describeModel.js";
import { listModels } from "../../src/host/listModels.js";
import { findModel } from "../../src/host/modelFiles.js";
import { planPull, pullModel } from "../../src/host/pullModel.js";
import { removeModel } from "../../src/host/removeModel.js";
import { output } from "../process.js";
import { commitOf, type HubMock, startHub } from "./hubMock.js";
import { ADAPTERS_NAME, adaptersRepository, BASE_NAME, baseRepository, environment } from "./models.js";

const python = process.env.BIGVAE_PYTHON ?? "python3";
const hasHub = spawnSync(python, ["-c", "import huggingface_hub"]).status === 0;

let hub: HubMock;
let homes: { ours: string; theirs: string };

beforeEach(async () => {
  hub = await startHub({ [BASE_NAME]: baseRepository(), [ADAPTERS_NAME]: adaptersRepository() });
  const home = () => mkdtemp(join(tmpdir(), "bigvae-python-"));
  homes = { ours: await home(), theirs: await home() };
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await hub.close();
  for (const home of Object.values(homes)) await rm(home, { recursive: true });
});

function inHome(home: string) {
  for (const [name, value] of Object.entries(environment(hub, home))) vi.stubEnv(name, value);
}

/** Runs lines of Python with huggingface_hub; what the last one prints as JSON. */
async function hubPython<T>(home: string, code: string, env: Record<string, string> = {}): Promise<T> {
  const program = `import json, huggingface_hub as hub\n${code}`;
  // Python takes an empty path for one.
  const cache = { HF_HUB_CACHE: join(home, "hub"), HUGGINGFACE_HUB_CACHE: join(home, "hub") };
  const own = {
    ...environment(hub, home),
    ...cache,
    HF_HUB_DISABLE_XET: "1",
    HF_HUB_DISABLE_PROGRESS_BARS: "1",
    ...env,
  };
  return JSON.parse(await output(python, ["-c", program], { cwd: home, env: own }));
}

/** Every file and link below a repository's folder but what only one of the two writes, by path: where a link leads, or a content. */
async function layout(home: string, name: string): Promise<Record<string, string>> {
  const folder = join(home, "hub", `models--${name.replace("/", "--")}`);
  const found: Record<string, string> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const isLink = (await lstat(path)).isSymbolicLink();
    if (isLink) found[path.slice(folder.length)] = `-> ${await readlink(path)}`;
    else if (entry.isFile()) found[path.slice(folder.length)] = (await readFile(path)).toString("base64");
  }
  return Object.fromEntries(Object.entries(found).filter(([path]) => !path.startsWith("/trees/")));
}

describe.skipIf(!hasHub)("huggingface_hub", { timeout: 120_000 }, () => {
  it("finds without a network what we have downloaded, and says that the cache is sound", async () => {
    inHome(homes.ours);
    const { folder, files } = await pullModel(BASE_NAME);
    hub.seen.length = 0;
    const found = await hubPython<{
      snapshot: string;
      file: string;
      kept: boolean;
      warnings: string[];
      repos: unknown;
    }>(
      homes.ours,
      `
snapshot = hub.snapshot_download("${BASE_NAME}")
file = hub.hf_hub_download("${BASE_NAME}", "model.safetensors")
kept = hub.try_to_load_from_cache("${BASE_NAME}", "tokenizer.json") is not None
info = hub.scan_cache_dir()
repos = [[repo.repo_id, sorted(repo.refs), len(repo.revisions), repo.size_on_disk] for repo in info.repos]
print(json.dumps(dict(snapshot=snapshot, file=file, kept=kept, warnings=[str(w) for w in info.warnings], repos=repos)))`,
      { HF_HUB_OFFLINE: "1" },
    );
    const { bytes } = await planPull(BASE_NAME);
    expect(found).toEqual({
      snapshot: folder,
      file: join(folder, "model.safetensors"),
      kept: true,
      warnings: [],
      repos: [[BASE_NAME, ["main"], 1, bytes]],
    });
    expect(files.length).toBeGreaterThan(4);
  });

  it("lays out the same files as we do", async () => {
    inHome(homes.ours);
    for (const name of [BASE_NAME, ADAPTERS_NAME]) {
      const { files } = await pullModel(name);
      const patterns = JSON.stringify(files);
      await hubPython(homes.theirs, `print(json.dumps(hub.snapshot_download("${name}", allow_patterns=${patterns})))`);
      const ours = await layout(homes.ours, name);
      expect(Object.keys(ours).length).toBe(2 * files.length + 1 - duplicates(ours));
      expect(ours).toEqual(await layout(homes.theirs, name));
    }
  });

  /** Files of equal content, which have one blob. */
  function duplicates(found: Record<string, string>): number {
    const links = Object.values(found).filter((value) => value.startsWith("-> "));
    return links.length - new Set(links.map((link) => link.replace(/.*\//, ""))).size;
  }

  it("has its models found by us, whole, without a request, and nothing is downloaded again", async () => {
    inHome(homes.theirs);
    for (const name of [BASE_NAME, ADAPTERS_NAME])
      await hubPython(homes.theirs, `print(json.dumps(hub.snapshot_download("${name}")))`);
    hub.seen.length = 0;
    const { base, adapters } = await findModel(ADAPTERS_NAME);
    expect([base, adapters].every((path) => path?.endsWith(commitOf("first")))).toBe(true);
    expect((await describeModel(ADAPTERS_NAME)).base!.architecture).toBe("MistralForCausalLM");
    expect((await listModels()).map(({ name, kind }) => [name, kind]).slice(1)).toEqual([
      [BASE_NAME, "base"],
      [ADAPTERS_NAME, "adapters"],
    ]);
    expect(hub.seen).toEqual([]);
    expect((await planPull(BASE_NAME)).missingBytes).toBe(0);
    await pullModel(BASE_NAME);
    expect(hub.seen.filter(({ path }) => path.includes("model.safetensors"))).toEqual([]);
  });

  it("has what we removed no longer, and downloads it again beside what is left", async () => {
    inHome(homes.theirs);
    await hubPython(homes.theirs, `print(json.dumps(hub.snapshot_download("${BASE_NAME}")))`);
    await hubPython(homes.theirs, `print(json.dumps(hub.snapshot_download("${ADAPTERS_NAME}")))`);
    await removeModel(BASE_NAME);
    const repos = await hubPython(
      homes.theirs,
      `
info = hub.scan_cache_dir()
print(json.dumps([[repo.repo_id for repo in info.repos], [str(w) for w in info.warnings]]))`,
    );
    expect(repos).toEqual([[ADAPTERS_NAME], []]);
    await hubPython(homes.theirs, `print(json.dumps(hub.snapshot_download("${BASE_NAME}")))`);
    await findModel(ADAPTERS_NAME);
  });

  it("without links leaves files that we find, and finds ours", async () => {
    inHome(homes.ours);
    vi.stubEnv("HF_HUB_DISABLE_SYMLINKS", "1");
    const { folder } = await pullModel(BASE_NAME);
    const env = { HF_HUB_DISABLE_SYMLINKS: "1" };
    const code = `print(json.dumps(hub.snapshot_download("${BASE_NAME}")))`;
    expect(await hubPython(homes.ours, code, { ...env, HF_HUB_OFFLINE: "1" })).toBe(folder);
    await hubPython(homes.theirs, code, env);
    inHome(homes.theirs);
    expect((await lstat(join((await findModel(BASE_NAME)).base, "model.safetensors"))).isFile()).toBe(true);
  });
});
