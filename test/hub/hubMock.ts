/** A hub on loopback: repositories of files in memory, an API, a host for large files that is another one, and faults on demand. */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** One request as it came. */
export interface Seen {
  host: "hub" | "cdn";
  method: string;
  path: string;
  authorization: string | undefined;
  range: string | undefined;
}

/** What a server does in place of its work. */
export type Fault =
  | { status: number; headers?: Record<string, string>; body?: string }
  /** The body ends after so many of its bytes, the connection with it. */
  | { cutAfter: number }
  /** Nothing comes after so many bytes. */
  | { stallAfter: number }
  /** A pause between pieces of a size. */
  | { pieces: number; pauseMs: number }
  | { body: Uint8Array }
  | { ignoreRange: true };

export interface MockRepository {
  /** By commit the files by path. */
  commits: Record<string, Record<string, Uint8Array>>;
  /** Branches and tags. */
  refs: Record<string, string>;
  /** The token that opens it. */
  gatedBy?: string;
}

export interface HubMock {
  endpoint: string;
  repositories: Record<string, MockRepository>;
  seen: Seen[];
  /** Entries of a page of the list of files. */
  pageSize: number;
  /** Asked before each request is answered; several kinds of fault in turn. */
  fault(request: Seen): Fault | undefined;
  close(): Promise<void>;
}

/** Files from here on are LFS's, as weights are. */
const LFS_BYTES = 4096;

export const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
export const gitHash = (bytes: Uint8Array) =>
  createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
export const isLfs = (bytes: Uint8Array) => bytes.length >= LFS_BYTES;
/** The name of a content in the cache. */
export const etag = (bytes: Uint8Array) => (isLfs(bytes) ? sha256 : gitHash)(bytes);
/** A commit from a word. */
export const commitOf = (word: string) => createHash("sha1").update(word).digest("hex");

/** A repository with one commit on its main branch. */
export function repository(files: Record<string, Uint8Array | string>, commit = commitOf("first")): MockRepository {
  return { commits: { [commit]: bytesOf(files) }, refs: { main: commit } };
}

export function bytesOf(files: Record<string, Uint8Array | string>): Record<string, Uint8Array> {
  const bytes = Object.entries(files).map(([path, content]) => [path, Buffer.from(content as string)] as const);
  return Object.fromEntries(bytes);
}

export async function startHub(repositories: Record<string, MockRepository> = {}): Promise<HubMock> {
  const mock: HubMock = {
    endpoint: "",
    repositories,
    seen: [],
    pageSize: 1000,
    fault: () => undefined,
    close: async () => {
      for (const server of [hub, cdn]) server.closeAllConnections();
      await Promise.all([hub, cdn].map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
  let cdnAddress = "";
  const serve = (
    host: Seen["host"],
    answer: (request: IncomingMessage, response: ServerResponse, fault?: Fault) => void,
  ) =>
    createServer((request, response) => {
      const seen: Seen = {
        host,
        method: request.method!,
        path: decodeURIComponent(request.url!),
        authorization: request.headers.authorization,
        range: request.headers.range,
      };
      mock.seen.push(seen);
      const fault = mock.fault(seen);
      if (fault && "status" in fault) {
        response.writeHead(fault.status, fault.headers);
        response.end(fault.body ?? "");
      } else answer(request, response, fault);
    });
  const hub = serve("hub", (request, response, fault) => {
    answerHub(mock, cdnAddress, request, response, fault);
  });
  const cdn = serve("cdn", (request, response, fault) => {
    const hash = request.url!.slice("/blobs/".length);
    const all = Object.values(mock.repositories).flatMap(({ commits }) => Object.values(commits));
    const bytes = all.flatMap((files) => Object.values(files)).find((content) => sha256(content) === hash);
    if (bytes) sendBytes(request, response, bytes, fault);
    else response.writeHead(404).end();
  });
  mock.endpoint = await listening(hub);
  // Another host, by another name.
  cdnAddress = (await listening(cdn)).replace("127.0.0.1", "localhost");
  return mock;
}

function listening(server: Server): Promise<string> {
  return new Promise((resolve) => {
    server.listen(0, () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  });
}

function answerHub(
  mock: HubMock,
  cdn: string,
  request: IncomingMessage,
  response: ServerResponse,
  fault: Fault | undefined,
): void {
  const url = new URL(request.url!, mock.endpoint);
  const api = /^\/api\/models\/([^/]+\/[^/]+)\/(revision|tree)\/([^/]+)/.exec(url.pathname);
  const file = /^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(url.pathname);
  const [, name = "", , ,] = api ?? file ?? [];
  const revision = decodeURIComponent((api ? api[3] : file?.[2]) ?? "");
  const found = mock.repositories[name];
  const refuse = (status: number, code: string) => response.writeHead(status, { "x-error-code": code }).end();
  // Without a token the hub does not tell what is private from what is not there.
  if (!found) return void refuse(request.headers.authorization ? 404 : 401, "RepoNotFound");
  const commit = found.refs[revision] ?? revision;
  const files = found.commits[commit];
  if (!files) return void refuse(404, "RevisionNotFound");
  if (api?.[2] === "revision")
    return void json(response, { id: name, modelId: name, sha: commit, gated: Boolean(found.gatedBy), siblings: [] });
  if (api) return void list(mock, url, files, response);
  if (found.gatedBy !== undefined && request.headers.authorization !== `Bearer ${found.gatedBy}`)
    return void refuse(request.headers.authorization ? 403 : 401, "GatedRepo");
  const bytes = files[decodeURIComponent(file![3]!)];
  if (!bytes) return void refuse(404, "EntryNotFound");
  response.setHeader("x-repo-commit", commit);
  response.setHeader("etag", `"${etag(bytes)}"`);
  if (!isLfs(bytes)) return void sendBytes(request, response, bytes, fault);
  response.setHeader("x-linked-etag", `"${sha256(bytes)}"`);
  response.setHeader("x-linked-size", `${bytes.length}`);
  response.writeHead(302, { location: `${cdn}/blobs/${sha256(bytes)}` }).end();
}

function list(mock: HubMock, url: URL, files: Record<string, Uint8Array>, response: ServerResponse): void {
  const folders = new Set(
    Object.keys(files).flatMap((path) => (path.includes("/") ? [path.replace(/\/[^/]*$/, "")] : [])),
  );
  const entries = [
    ...[...folders].map((path) => ({ type: "directory", oid: commitOf(path), size: 0, path })),
    ...Object.entries(files).map(([path, bytes]) => ({
      type: "file",
      path,
      size: bytes.length,
      oid: gitHash(bytes),
      ...(isLfs(bytes) ? { lfs: { oid: sha256(bytes), size: bytes.length, pointerSize: 134 } } : {}),
    })),
  ];
  const begin = Number(url.searchParams.get("cursor") ?? 0);
  const end = begin + mock.pageSize;
  if (end < entries.length) {
    url.searchParams.set("cursor", `${end}`);
    response.setHeader("link", `<${url.href}>; rel="next"`);
  }
  json(response, entries.slice(begin, end));
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
}

function sendBytes(
  request: IncomingMessage,
  response: ServerResponse,
  all: Uint8Array,
  fault: Fault | undefined,
): void {
  const whole = fault && "body" in fault && fault.body instanceof Uint8Array ? fault.body : all;
  const from =
    fault && "ignoreRange" in fault ? 0 : Number(/^bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
  if (from >= whole.length && from > 0) return void response.writeHead(416).end();
  const part = whole.subarray(from);
  const headers = { "content-length": part.length, "accept-ranges": "bytes" };
  if (from > 0)
    response.writeHead(206, { ...headers, "content-range": `bytes ${from}-${whole.length - 1}/${whole.length}` });
  else response.writeHead(200, headers);
  if (request.method === "HEAD") return void response.end();
  if (fault && "cutAfter" in fault) response.write(part.subarray(0, fault.cutAfter), () => response.socket?.end());
  else if (fault && "stallAfter" in fault) response.write(part.subarray(0, fault.stallAfter));
  else if (fault && "pieces" in fault) void trickle(response, part, fault.pieces, fault.pauseMs);
  else response.end(part);
}

async function trickle(response: ServerResponse, bytes: Uint8Array, size: number, pauseMs: number): Promise<void> {
  for (let at = 0; at < bytes.length; at += size) {
    response.write(bytes.subarray(at, at + size));
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  response.end();
}
