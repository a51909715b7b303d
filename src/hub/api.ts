/** What the hub says of a repository: the commit that a revision means, and its files with their sizes and hashes. */
import { createHash } from "node:crypto";
import { BigVaeError } from "../errors.js";
import { parseStrictJsonBytes, type StrictJson } from "../formats/strictJson.js";
import { type Answer, failed, type HubCalls, repeated, request, Transient } from "./http.js";
import { type HubName, isCommit, MAIN, showHubName } from "./hubName.js";

/** A file of a repository at a commit. */
export interface HubFile {
  /** Within the repository, with forward slashes; not checked to stay within a folder. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** sha256 in 64 hexadecimal digits (LFS), or git's hash of a blob in 40: the file's name in the cache. */
  readonly hash: string;
}

/** Bytes of one answer; the list of a thousand files has about 400,000. */
const MAX_ANSWER_BYTES = 2 ** 21;
/** Files and folders of a repository. */
const MAX_ENTRIES = 50_000;
/** Bytes of a file that is read without being kept: the index of a model's shards, a config. */
const MAX_SMALL_FILE = 2 ** 23;

/** The commit that the name's revision means. @throws BigVaeError("usage") where there is no such model or revision, "network", "aborted" */
export async function resolveCommit(calls: HubCalls, name: HubName): Promise<string> {
  const { repository, revision = MAIN } = name;
  const address = `${api(calls, repository)}/revision/${encodeURIComponent(revision)}`;
  const { json } = await getJson(calls, address, name);
  const sha = json instanceof Map ? json.get("sha") : undefined;
  if (isCommit(sha)) return sha;
  throw failed(new URL(address), "a description of the model without its commit");
}

/** All files of a repository at a commit. @throws as `resolveCommit` */
export async function listFiles(calls: HubCalls, name: HubName, commit: string): Promise<HubFile[]> {
  const address = `${api(calls, name.repository)}/tree/${commit}?recursive=true&expand=false`;
  const entries: (HubFile | undefined)[] = [];
  for (let page: string | undefined = address; page !== undefined; ) {
    const { json, headers } = await getJson(calls, page, name);
    if (!Array.isArray(json)) throw failed(new URL(address), "something else than a list of files");
    for (const entry of json) entries.push(fileOf(entry, address));
    // A list that goes on without end would be one of empty pages.
    if (entries.length > MAX_ENTRIES || (json.length === 0 && page !== address))
      throw failed(new URL(address), `a list of files that goes on behind its ${entries.length} entries`);
    const cursor = nextCursor(headers.get("link"), address);
    page = cursor === undefined ? undefined : `${address}&cursor=${encodeURIComponent(cursor)}`;
  }
  return entries.filter((file) => file !== undefined);
}

/** Where the bytes of a file are, or a redirect to them. */
export function fileAddress({ settings }: HubCalls, { repository }: HubName, commit: string, path: string): string {
  const encoded = path.split("/").map(encodeURIComponent).join("/");
  return `${settings.endpoint}/${repository}/resolve/${commit}/${encoded}`;
}

/** A small file, whole, its hash checked. @throws as `resolveCommit`, "format" for another content. */
export async function readSmallFile(
  calls: HubCalls,
  name: HubName,
  commit: string,
  file: HubFile,
): Promise<Uint8Array> {
  const address = fileAddress(calls, name, commit, file.path);
  if (file.size > MAX_SMALL_FILE)
    throw failed(new URL(address), `${file.path} of ${file.size} bytes, more than ${MAX_SMALL_FILE}`);
  const { bytes } = await getBytes(calls, address, name, file.size);
  const hash = blobHash(file);
  hash.update(bytes);
  const got = hash.digest("hex");
  if (got !== file.hash) throw wrongHash(`${showHubName(name)}: ${file.path}`, file.hash, got);
  return bytes;
}

/** The hash that a file goes by, nothing but git's preface in it yet. */
export function blobHash({ hash, size }: Pick<HubFile, "hash" | "size">) {
  return hash.length === 64 ? createHash("sha256") : createHash("sha1").update(`blob ${size}\0`);
}

/** What came is not what the hub has. */
export function wrongHash(subject: string, expected: string, got: string): BigVaeError {
  return new BigVaeError("format", {
    subject,
    expected: `a content with the hash ${expected.slice(0, 12)}`,
    got: `one with ${got.slice(0, 12)}`,
    remedy: "run again; if it stays so, something between the hub and this machine changes files",
  });
}

function api({ settings }: HubCalls, repository: string): string {
  return `${settings.endpoint}/api/models/${repository}`;
}

async function getJson(
  calls: HubCalls,
  address: string,
  name: HubName,
): Promise<{ json: StrictJson; headers: Headers }> {
  const { bytes, headers } = await getBytes(calls, address, name, MAX_ANSWER_BYTES);
  return { json: parseStrictJsonBytes(bytes, `answer of ${new URL(address).host}`, 32), headers };
}

/** The whole body of an answer, of at most `limit` bytes. */
async function getBytes(
  calls: HubCalls,
  address: string,
  name: HubName,
  limit: number,
): Promise<{ bytes: Uint8Array; headers: Headers }> {
  return repeated(calls, async () => {
    const answer = await request(calls, address, {});
    if (answer.status !== 200) throw await refused(calls, answer, name, address);
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of answer.chunks()) {
      parts.push(chunk);
      if ((size += chunk.length) > limit) throw failed(new URL(address), `more than ${limit} bytes`);
    }
    const promised = answer.headers.get("content-length");
    if (promised !== null && Number(promised) !== size && !answer.headers.has("content-encoding"))
      throw new Transient(failed(new URL(address), `${size} of ${promised} bytes`));
    return { bytes: Buffer.concat(parts), headers: answer.headers };
  });
}

/** A refusal in the user's terms, its body passed over. */
export async function refused(
  { settings }: HubCalls,
  answer: Answer,
  name: HubName,
  address: string,
): Promise<BigVaeError> {
  await answer.discard();
  const { status } = answer;
  const code = answer.headers.get("x-error-code");
  const usage = (expected: string, got: string, remedy: string) =>
    new BigVaeError("usage", { subject: showHubName(name), expected, got, remedy });
  const page = `${settings.endpoint}/${name.repository}`;
  const hasToken = settings.token !== undefined;
  if (status === 401 && hasToken && /invalid/i.test(answer.headers.get("x-error-message") ?? ""))
    return usage(
      "a token that the hub knows",
      "HTTP 401",
      `make one at ${settings.endpoint}/settings/tokens and set HF_TOKEN`,
    );
  if (code === "GatedRepo" || status === 403)
    return usage(
      "a model that you may download",
      `a gated one (HTTP ${status})`,
      `accept its licence at ${page}, then set HF_TOKEN${hasToken ? " to a token of that account" : ""}`,
    );
  if (code === "RevisionNotFound")
    return usage(
      `a revision of ${name.repository}`,
      `none named ${name.revision ?? MAIN}`,
      `see those that there are at ${page}/tree/main`,
    );
  if (status === 401 || status === 404)
    return usage(
      "a model of the hub",
      `none that may be read (HTTP ${status})`,
      `check the name; if it is gated or private, accept its licence at ${page}, then set HF_TOKEN`,
    );
  return failed(new URL(address), `HTTP ${status}`);
}

/** A file of the list; undefined for a folder. */
function fileOf(entry: StrictJson, address: string): HubFile | undefined {
  const fields = entry instanceof Map ? entry : new Map<string, StrictJson>();
  if (fields.get("type") === "directory") return undefined;
  const lfs = fields.get("lfs");
  const path = fields.get("path");
  const [size, hash] = lfs instanceof Map ? [lfs.get("size"), lfs.get("oid")] : [fields.get("size"), fields.get("oid")];
  const pattern = lfs instanceof Map ? /^[0-9a-f]{64}$/ : /^[0-9a-f]{40}$/;
  if (typeof path === "string" && isSize(size) && typeof hash === "string" && pattern.test(hash))
    return { path, size, hash };
  throw failed(new URL(address), "a file without path, size or hash");
}

function isSize(value: StrictJson | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** Of a header "<address?cursor=...>; rel="next"": the cursor alone, so that no other host is asked. */
function nextCursor(link: string | null, address: string): string | undefined {
  const next = /<([^<>]*)>\s*;\s*rel="?next"?/.exec(link ?? "")?.[1];
  if (next === undefined || !URL.canParse(next, address)) return undefined;
  return new URL(next, address).searchParams.get("cursor") ?? undefined;
}
