/** Repositories of the hub's mock that hold the reference model, and an environment in which nothing else is found. */
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, sep } from "node:path";
import { afterEach, beforeEach, vi } from "vitest";
import { tinyFolder } from "../parity/reference.js";
import { bytesOf, type HubMock, type MockRepository, repository, startHub } from "./hubMock.js";

/** All files below a folder, by path with forward slashes. */
export function filesOf(folder: string): Record<string, Uint8Array> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(paths.map((path) => [relative(folder, path).replaceAll(sep, "/"), readFileSync(path)]));
}

/** What repositories of real models hold beside what is needed. */
const BESIDE = bytesOf({
  ".gitattributes": "*.safetensors filter=lfs",
  "README.md": "# A model",
  "pytorch_model.bin": Buffer.alloc(5000, 1),
  "consolidated.safetensors": Buffer.alloc(5000, 2),
  "original/consolidated.00.pth": Buffer.alloc(5000, 3),
  "onnx/model.onnx": Buffer.alloc(5000, 4),
  "tokenizer.model": Buffer.alloc(5000, 5),
  "images/picture.png": Buffer.alloc(5000, 6),
});

export const BASE_NAME = "owner/tiny-mistral";
export const ADAPTERS_NAME = "owner/tiny-vae";

/** The reference base as a repository. */
export function baseRepository(): MockRepository {
  return repository({ ...filesOf(join(tinyFolder, "base")), ...BESIDE });
}

/** Its adapters, which say whose they are. */
export function adaptersRepository(baseName = BASE_NAME): MockRepository {
  const files = filesOf(join(tinyFolder, "adapters"));
  for (const [path, bytes] of Object.entries(files)) {
    if (!path.endsWith("adapter_config.json")) continue;
    files[path] = Buffer.from(JSON.stringify({ ...JSON.parse(`${bytes}`), base_model_name_or_path: baseName }));
  }
  return repository({ ...files, ...BESIDE });
}

/** Variables of a machine that has this cache, this hub, and no token. */
export function environment(hub: Pick<HubMock, "endpoint">, home: string): Record<string, string> {
  return {
    HF_HOME: home,
    HF_HUB_CACHE: "",
    HUGGINGFACE_HUB_CACHE: "",
    HF_ENDPOINT: hub.endpoint,
    HF_TOKEN: "",
    HUGGING_FACE_HUB_TOKEN: "",
    HF_TOKEN_PATH: join(home, "token"),
    HF_HUB_OFFLINE: "",
    TRANSFORMERS_OFFLINE: "",
    HF_HUB_DISABLE_SYMLINKS: "",
    HF_HUB_DOWNLOAD_TIMEOUT: "2",
  };
}

/** A hub with both, and a machine with an empty cache, anew for each test of a file. */
export interface Machine {
  hub: HubMock;
  home: string;
  /** A path in the cache. */
  cache(...path: string[]): string;
}

/** Such a machine, by the environment of this process. */
export function useMachine(): Machine {
  const machine = { cache: (...path) => join(machine.home, "hub", ...path) } as Machine;
  beforeEach(async () => {
    machine.hub = await startHub({ [BASE_NAME]: baseRepository(), [ADAPTERS_NAME]: adaptersRepository() });
    machine.home = await mkdtemp(join(tmpdir(), "bigvae-models-"));
    for (const [name, value] of Object.entries(environment(machine.hub, machine.home))) vi.stubEnv(name, value);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await machine.hub.close();
    await rm(machine.home, { recursive: true });
  });
  return machine;
}
