/** Where the hub and its cache are, by the environment variables that huggingface_hub reads. */
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { BigVaeError } from "../errors.js";

/** What a call to the hub depends on beside its name. */
export interface HubSettings {
  /** Folder of the cache; it need not be there. */
  readonly cache: string;
  /** "https://huggingface.co", without a slash at its end. */
  readonly endpoint: string;
  /** Sent to the endpoint's own host alone. */
  readonly token?: string;
  /** No request is made. */
  readonly offline: boolean;
  /** Whether snapshots hold links to blobs where the disk has links; otherwise the files themselves. */
  readonly symlinks: boolean;
  /** Milliseconds without a byte after which a request is given up. */
  readonly timeoutMs: number;
  /** Milliseconds before the first repetition of a request; each further one waits twice as long. */
  readonly retryMs: number;
}

const ENDPOINT = "https://huggingface.co";
const TIMEOUT_S = 10;
const RETRY_MS = 1000;

/**
 * HF_HUB_CACHE, HF_HOME, HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE, HF_HUB_DISABLE_SYMLINKS and HF_HUB_DOWNLOAD_TIMEOUT, with the names that they
 * had before, and the token that `hf auth login` has stored. @throws BigVaeError("usage") for an endpoint that is no URL.
 */
export async function hubSettings(env: NodeJS.ProcessEnv = process.env): Promise<HubSettings> {
  const path = (...names: string[]) => {
    const given = first(env, names);
    return given === undefined ? undefined : expanded(given, env);
  };
  const home = path("HF_HOME") ?? join(path("XDG_CACHE_HOME") ?? join(homedir(), ".cache"), "huggingface");
  const token = await readToken(env, path("HF_TOKEN_PATH") ?? join(home, "token"));
  const seconds = Number(first(env, ["HF_HUB_DOWNLOAD_TIMEOUT"]) ?? TIMEOUT_S);
  return {
    cache: path("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE") ?? join(home, "hub"),
    endpoint: checkedEndpoint(first(env, ["HF_ENDPOINT"]) ?? ENDPOINT),
    ...(token === undefined ? {} : { token }),
    offline: isTrue(first(env, ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])),
    symlinks: !isTrue(env.HF_HUB_DISABLE_SYMLINKS),
    timeoutMs: 1000 * (seconds > 0 ? seconds : TIMEOUT_S),
    retryMs: RETRY_MS,
  };
}

/** The first of the variables that is set to something. */
function first(env: NodeJS.ProcessEnv, names: readonly string[]): string | undefined {
  return names.map((name) => env[name]?.trim()).find((value) => value);
}

function isTrue(value: string | undefined): boolean {
  return ["1", "on", "yes", "true"].includes(value?.toLowerCase() ?? "");
}

/** "~" at the beginning and $NAME anywhere, as a shell writes them. */
function expanded(path: string, env: NodeJS.ProcessEnv): string {
  const fromHome = path.replace(/^~(?=$|[/\\])/, () => homedir());
  return fromHome.replace(/\$(?:(\w+)|\{(\w+)\})/g, (text, bare, braced) => env[bare ?? braced] ?? text);
}

async function readToken(env: NodeJS.ProcessEnv, file: string): Promise<string | undefined> {
  const given = first(env, ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"]);
  if (given !== undefined) return sendable(given);
  if (isTrue(env.HF_HUB_DISABLE_IMPLICIT_TOKEN)) return undefined;
  const stored = (await readFile(file, "utf8").catch(() => "")).trim();
  return stored === "" ? undefined : sendable(stored);
}

/** Throws "usage" for a token that no header can hold. It is not shown. */
function sendable(token: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new BigVaeError("usage", {
    subject: "HF_TOKEN",
    expected: "letters, digits and signs of ASCII",
    got: "others among them",
    remedy: "copy the token again",
  });
}

function checkedEndpoint(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && ["http:", "https:"].includes(url.protocol) && url.username === "" && url.search === "" && url.hash === "")
    return text.replace(/\/+$/, "");
  throw new BigVaeError("usage", {
    subject: "HF_ENDPOINT",
    expected: `a URL such as ${ENDPOINT}`,
    got: JSON.stringify(text.slice(0, 100)),
    remedy: "correct it, or leave it unset",
  });
}
