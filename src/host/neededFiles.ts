/** Which files of a repository a model is made of: what is read here, and nothing beside it (other formats of the same weights, pictures). */
import { parseFacts } from "../checkpoint/facts.js";
import { BASE, HEAD, STATE } from "../checkpoint/layout.js";
import { BigVaeError } from "../errors.js";
import { LORA_CONFIG, LORA_WEIGHTS } from "../formats/peftFiles.js";
import type { HubFile } from "../hub/api.js";
import { type HubName, showHubName } from "../hub/hubName.js";
import { parseConfig } from "../model/config.js";
import { baseNameOf, SAID_IN } from "./modelNames.js";

/** What a name stands for: a base, adapters of one, both ("packed"), or a base as a GGUF file. */
export type ModelKind = "base" | "adapters" | "packed" | "gguf";

/** What is to be downloaded. */
export interface Needed {
  kind: ModelKind;
  files: HubFile[];
  /** Hub name of the base that adapters belong to, where they come without it. */
  baseName?: string;
}

/** Reads a JSON object of the repository. */
export type ReadJson = (path: string) => Promise<object>;

const INDEX = "model.safetensors.index.json";
const BESIDE_WEIGHTS = /^(config|generation_config|special_tokens_map|tokenizer[\w.-]*)\.json$/;

/**
 * The files of a model, by what the repository holds and by what its index, its config and its bigvae.json say. What cannot be used is refused
 * here, before anything large is downloaded.
 * @throws BigVaeError: "unsupported" for another architecture or weights in a pickle, "usage" where there is no model, "format" as the readers do.
 */
export async function neededFiles(files: readonly HubFile[], name: HubName, readJson: ReadJson): Promise<Needed> {
  const repository = new Repository(files, name, readJson);
  if (name.file !== undefined) return { kind: "gguf", files: [repository.file(name.file)] };
  const prefix = repository.has(`${BASE}/config.json`) ? `${BASE}/` : "";
  const hasBase = repository.has(`${prefix}config.json`);
  const hasAdapters = repository.has(HEAD);
  if (!hasBase && !hasAdapters) throw repository.noModel();
  const base = hasBase ? await repository.base(prefix) : [];
  const adapters = hasAdapters ? await repository.adapters() : [];
  if (hasBase) return { kind: hasAdapters ? "packed" : "base", files: [...base, ...adapters] };
  const baseName = await repository.baseName();
  return { kind: "adapters", files: adapters, ...(baseName === undefined ? {} : { baseName }) };
}

class Repository {
  readonly #files: ReadonlyMap<string, HubFile>;
  constructor(
    files: readonly HubFile[],
    readonly name: HubName,
    readonly readJson: ReadJson,
  ) {
    this.#files = new Map(files.map((file) => [file.path, file]));
  }

  has(path: string): boolean {
    return this.#files.has(path);
  }

  /** @throws BigVaeError("usage") where there is none. */
  file(path: string): HubFile {
    const found = this.#files.get(path);
    if (found) return found;
    throw this.#refusal(
      "usage",
      path,
      "no such file",
      path.endsWith(".gguf") ? this.#ggufAdvice() : "ask whoever made it",
    );
  }

  /** Config, tokenizer and weights of the base below `prefix`. */
  async base(prefix: string): Promise<HubFile[]> {
    parseConfig(await this.readJson(`${prefix}config.json`));
    if (!this.has(`${prefix}tokenizer.json`))
      throw this.#refusal(
        "unsupported",
        "tokenizer.json",
        this.has(`${prefix}tokenizer.model`) ? "tokenizer.model, which is not read" : "none",
        "load the tokenizer with Transformers and save it, which writes tokenizer.json",
      );
    const beside = [...this.#files.keys()].filter(
      (path) => path.startsWith(prefix) && BESIDE_WEIGHTS.test(path.slice(prefix.length)),
    );
    const weights = await this.#weights(prefix);
    return [...beside, ...weights].map((path) => this.file(path));
  }

  async #weights(prefix: string): Promise<string[]> {
    if (!this.has(`${prefix}${INDEX}`)) return [this.#safetensors(`${prefix}model.safetensors`)];
    const { weight_map: shardOf } = (await this.readJson(`${prefix}${INDEX}`)) as { weight_map?: unknown };
    const shards = typeof shardOf === "object" && shardOf !== null ? [...new Set<unknown>(Object.values(shardOf))] : [];
    if (shards.length === 0 || !shards.every((shard) => typeof shard === "string"))
      throw this.#refusal(
        "format",
        `a weight_map of tensor names to file names in ${INDEX}`,
        "none",
        "ask whoever made it",
      );
    return [`${prefix}${INDEX}`, ...shards.map((shard) => this.#safetensors(`${prefix}${shard}`))];
  }

  #safetensors(path: string): string {
    if (this.has(path)) return path;
    const pickle = [...this.#files.keys()].find((other) => /\.(bin|pt|pth)$/.test(other));
    throw this.#refusal(
      "unsupported",
      `weights in ${path}`,
      pickle === undefined ? "none" : `${pickle}, a Python pickle`,
      "choose another revision, or load it with Transformers and save it with safe_serialization=True",
    );
  }

  /** The head, the adapters, and what says more of them. */
  async adapters(): Promise<HubFile[]> {
    const { adapters = {} } = this.has(SAID_IN.facts)
      ? parseFacts(await this.readJson(SAID_IN.facts), `${SAID_IN.facts} of ${showHubName(this.name)}`)
      : {};
    const folders = ["encoder", "decoder", ...(this.#hasFolder("router") ? ["router"] : [])];
    for (const { folder } of Object.values(adapters)) folders.push(folder);
    const parts = folders.flatMap((folder) => [
      `${folder}/${LORA_CONFIG}`,
      this.#safetensors(`${folder}/${LORA_WEIGHTS}`),
    ]);
    const beside = [SAID_IN.facts, STATE].filter((path) => this.has(path));
    return [...beside, HEAD, ...parts].map((path) => this.file(path));
  }

  #hasFolder(folder: string): boolean {
    return [...this.#files.keys()].some((path) => path.startsWith(`${folder}/`));
  }

  async baseName(): Promise<string | undefined> {
    const read = (path: string) => (this.has(path) ? this.readJson(path) : undefined);
    return baseNameOf({
      facts: await read(SAID_IN.facts),
      config: await read(SAID_IN.config),
      repository: this.name.repository,
    });
  }

  noModel(): BigVaeError {
    const gguf = this.#ggufs().length > 0;
    return this.#refusal(
      "usage",
      `config.json, ${HEAD} or a .gguf file by its name`,
      gguf ? "a repository of .gguf files" : "none of them",
      gguf ? this.#ggufAdvice() : "choose another model",
    );
  }

  #ggufs(): string[] {
    return [...this.#files.keys()].filter((path) => path.endsWith(".gguf"));
  }

  #ggufAdvice(): string {
    const names = this.#ggufs();
    const shown = names.slice(0, 6).map((path) => showHubName({ ...this.name, file: path }));
    if (shown.length === 0) return "choose a repository with .gguf files";
    return `name one: ${shown.join(", ").slice(0, 300)}${names.length > shown.length ? " ..." : ""}`;
  }

  #refusal(kind: "usage" | "unsupported" | "format", expected: string, got: string, remedy: string): BigVaeError {
    return new BigVaeError(kind, { subject: showHubName(this.name), expected, got, remedy });
  }
}
