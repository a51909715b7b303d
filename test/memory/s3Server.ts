/**
 * A server of S3's protocol on loopback: objects in memory, path-style addresses, signatures (SigV4), ranges, conditional PUT, multipart uploads,
 * ListObjectsV2. The packages that there are need a newer Node, or overwrite an object in spite of `If-None-Match: *`, which LanceDB commits by.
 */
import { createHash, createHmac } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What the server takes. */
export const KEY = { id: "AKIDOFTESTS", secret: "secret/of+tests" };
const BUCKET = "stories";

/** Objects of a page of a list: few, so that lists have several. */
const PAGE = 20;

interface StoredObject {
  content: Buffer;
  etag: string;
  modified: Date;
}

/** An answer that is an error. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

interface Request {
  method: string;
  key: string;
  query: URLSearchParams;
  headers: IncomingMessage["headers"];
  body: Buffer;
}

interface Answer {
  status?: number;
  headers?: Record<string, string>;
  body?: Buffer | string;
}

export class S3Server {
  readonly objects = new Map<string, StoredObject>();
  /** Requests by what they are: method, and what else tells them apart. */
  readonly counts = new Map<string, number>();
  readonly #uploads = new Map<string, Map<number, Buffer>>();
  /** Number of the latest change: no two have the same etag. */
  #changes = 0;
  /** Waits before a request is answered, which is given as its method and key. */
  gate: (request: string) => Promise<void> = async () => {};
  /** Whether the answer to a request gets lost after it was done. */
  loses: (request: string) => boolean = () => false;

  private constructor(readonly server: Server) {}

  static async start(): Promise<S3Server> {
    const server = createServer();
    const started = new S3Server(server);
    server.on("request", (request, response) => void started.#serve(request, response));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return started;
  }

  /** Where a memory lies on it. */
  static place(name: string, bucket = BUCKET): string {
    return `s3://${bucket}/${name}`;
  }

  /** The environment of a process that uses it. */
  get environment(): Record<string, string> {
    return {
      AWS_ACCESS_KEY_ID: KEY.id,
      AWS_SECRET_ACCESS_KEY: KEY.secret,
      AWS_REGION: "eu-test-1",
      AWS_ENDPOINT: `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`,
      AWS_ALLOW_HTTP: "true",
    };
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      // The client has gone before it had sent all.
      return;
    }
    const line = `${request.method} ${request.url!.split("?")[0]!.slice(BUCKET.length + 2)}`;
    await this.gate(line);
    const { status = 200, headers = {}, body = "" } = this.#answer(request, Buffer.concat(chunks));
    if (this.loses(line)) {
      request.socket.destroy();
      return;
    }
    const length = headers["content-length"] ?? String(Buffer.byteLength(body));
    response.writeHead(status, { "content-type": "application/xml", ...headers, "content-length": length });
    response.end(request.method === "HEAD" ? undefined : body);
  }

  #answer(request: IncomingMessage, body: Buffer): Answer {
    try {
      checkSignature(request, body);
      const { pathname, searchParams } = new URL(request.url!, "http://127.0.0.1");
      const [, bucket, key = ""] = /^\/([^/]*)\/?(.*)$/.exec(pathname)!;
      if (bucket !== BUCKET) throw new Refusal(404, "NoSuchBucket", "The specified bucket does not exist");
      const { method = "", headers } = request;
      return this.#done({ method, key: decodeURIComponent(key), query: searchParams, headers, body });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { status, code, message } = error;
      return { status, body: xml("Error", `<Code>${code}</Code><Message>${message}</Message>`) };
    }
  }

  #done(request: Request): Answer {
    const { method, key, query, headers } = request;
    const isConditional = headers["if-none-match"] === "*";
    const what = [method, ...["list-type", "delete", "uploads", "partNumber"].filter((name) => query.has(name))];
    if (isConditional) what.push("if-none-match");
    if (headers.range) what.push("range");
    const name = what.join(" ");
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
    if (method === "GET" && key === "") return this.#list(query);
    if (method === "GET" || method === "HEAD") return this.#read(request);
    if (method === "PUT" && query.has("uploadId")) return this.#putPart(request);
    if (method === "PUT") return this.#put(request);
    if (method === "POST" && query.has("delete")) return this.#deleteMany(request);
    if (method === "POST" && query.has("uploads")) return this.#beginUpload();
    if (method === "POST") return this.#endUpload(request);
    if (method === "DELETE" && query.has("uploadId")) this.#uploads.delete(query.get("uploadId")!);
    else if (method === "DELETE") this.objects.delete(key);
    else throw new Refusal(405, "MethodNotAllowed", method);
    return { status: 204 };
  }

  #read({ key, headers }: Request): Answer {
    const { content, etag, modified } = this.#object(key);
    const facts = { etag, "last-modified": modified.toUTCString(), "content-type": "application/octet-stream" };
    const range = /^bytes=(\d*)-(\d*)$/.exec(headers.range ?? "");
    if (!range) return { headers: { ...facts, "content-length": String(content.length) }, body: content };
    const [, first, last] = range;
    const from = first === "" ? Math.max(0, content.length - Number(last)) : Number(first);
    const to = first === "" || last === "" ? content.length : Math.min(content.length, Number(last) + 1);
    if (from >= to) throw new Refusal(416, "InvalidRange", "The requested range is not satisfiable");
    const headersOfPart = { ...facts, "content-range": `bytes ${from}-${to - 1}/${content.length}` };
    return { status: 206, headers: headersOfPart, body: content.subarray(from, to) };
  }

  #put({ key, headers, body }: Request): Answer {
    if (headers["if-none-match"] === "*" && this.objects.has(key))
      throw new Refusal(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold");
    const match = headers["if-match"];
    if (match !== undefined && match !== this.objects.get(key)?.etag)
      throw new Refusal(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold");
    const source = headers["x-amz-copy-source"];
    if (source === undefined) return { headers: { etag: this.#store(key, body) } };
    const [, from] = /^\/?[^/]+\/(.*)$/.exec(decodeURIComponent(String(source)))!;
    return { body: xml("CopyObjectResult", `<ETag>${this.#store(key, this.#object(from!).content)}</ETag>`) };
  }

  #deleteMany({ body }: Request): Answer {
    const keys = Array.from(body.toString().matchAll(/<Key>(.*?)<\/Key>/g), ([, key]) => unescaped(key!));
    for (const key of keys) this.objects.delete(key);
    return { body: xml("DeleteResult", keys.map((key) => `<Deleted>${element("Key", key)}</Deleted>`).join("")) };
  }

  #beginUpload(): Answer {
    const id = `upload-${++this.#changes}`;
    this.#uploads.set(id, new Map());
    return { body: xml("InitiateMultipartUploadResult", element("UploadId", id)) };
  }

  #putPart({ query, body }: Request): Answer {
    this.#upload(query).set(Number(query.get("partNumber")), body);
    return { headers: { etag: etagOf(body, 0) } };
  }

  #endUpload({ key, query, body, headers }: Request): Answer {
    const parts = this.#upload(query);
    const numbers = Array.from(body.toString().matchAll(/<PartNumber>(\d+)<\/PartNumber>/g), ([, n]) => Number(n));
    if (headers["if-none-match"] === "*" && this.objects.has(key))
      throw new Refusal(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold");
    const etag = this.#store(key, Buffer.concat(numbers.map((n) => parts.get(n)!)));
    this.#uploads.delete(query.get("uploadId")!);
    return { body: xml("CompleteMultipartUploadResult", element("Key", key) + element("ETag", etag)) };
  }

  #list(query: URLSearchParams): Answer {
    const [prefix, delimiter] = [query.get("prefix") ?? "", query.get("delimiter") ?? ""];
    const after = query.get("continuation-token") ?? query.get("start-after") ?? "";
    const size = Math.min(PAGE, Number(query.get("max-keys") ?? PAGE));
    const entries = new Map<string, string>();
    for (const key of Array.from(this.objects.keys()).sort()) {
      if (!key.startsWith(prefix)) continue;
      const end = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
      const common = key.slice(0, end + delimiter.length);
      if (end < 0) entries.set(key, element("Contents", this.#listed(key), false));
      else entries.set(common, element("CommonPrefixes", element("Prefix", common), false));
    }
    const rest = Array.from(entries).filter(([name]) => name > after);
    const page = rest.slice(0, size);
    const more = rest.length > size ? element("NextContinuationToken", page.at(-1)![0]) : "";
    const head = element("KeyCount", String(page.length)) + element("IsTruncated", String(more !== ""));
    return { body: xml("ListBucketResult", head + more + page.map(([, text]) => text).join("")) };
  }

  #listed(key: string): string {
    const { content, etag, modified } = this.#object(key);
    const facts = { Key: key, LastModified: modified.toISOString(), ETag: etag, Size: String(content.length) };
    return Object.entries(facts)
      .map(([name, value]) => element(name, value))
      .join("");
  }

  #store(key: string, content: Buffer): string {
    const etag = etagOf(content, ++this.#changes);
    this.objects.set(key, { content, etag, modified: new Date() });
    return etag;
  }

  #object(key: string): StoredObject {
    const object = this.objects.get(key);
    if (!object) throw new Refusal(404, "NoSuchKey", "The specified key does not exist.");
    return object;
  }

  #upload(query: URLSearchParams): Map<number, Buffer> {
    const upload = this.#uploads.get(query.get("uploadId")!);
    if (!upload) throw new Refusal(404, "NoSuchUpload", "The specified upload does not exist.");
    return upload;
  }
}

/** Throws where a request is not signed with the key (Signature Version 4). */
function checkSignature({ method, url, headers }: IncomingMessage, body: Buffer): void {
  const parts = /Credential=([^/]+)\/([^,]+), ?SignedHeaders=([^,]+), ?Signature=(\w+)/.exec(
    headers.authorization ?? "",
  );
  if (!parts) throw new Refusal(403, "AccessDenied", "Access Denied");
  const [, id, scope, names, signature] = parts as unknown as [string, string, string, string, string];
  if (id !== KEY.id) throw new Refusal(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist");
  const [path, query = ""] = url!.split("?");
  const hash = String(headers["x-amz-content-sha256"]);
  const canonical = [
    method,
    path,
    query
      .split("&")
      .map((pair) => (pair === "" || pair.includes("=") ? pair : `${pair}=`))
      .sort()
      .join("&"),
    ...names.split(";").map((name) => `${name}:${String(headers[name]).trim()}`),
    "",
    names,
    hash,
  ].join("\n");
  const text = ["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, sha256(canonical)].join("\n");
  const key = scope.split("/").reduce<string | Buffer>((key, part) => hmac(key, part), `AWS4${KEY.secret}`);
  const isSigned = hmac(key, text).toString("hex") === signature;
  if (!isSigned || (hash !== "UNSIGNED-PAYLOAD" && hash !== sha256(body)))
    throw new Refusal(403, "SignatureDoesNotMatch", "The request signature we calculated does not match");
}

const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();
const sha256 = (data: string | Buffer) => createHash("sha256").update(data).digest("hex");
const etagOf = (content: Buffer, change: number) => `"${sha256(content).slice(0, 24)}-${change}"`;
const xml = (name: string, content: string) => `<?xml version="1.0"?>${element(name, content, false)}`;

function element(name: string, value: string, isText = true): string {
  return `<${name}>${isText ? value.replaceAll("&", "&amp;").replaceAll("<", "&lt;") : value}</${name}>`;
}

const unescaped = (text: string) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
