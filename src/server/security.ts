/** Who may ask: the names that the server answers to, the pages that may call it, the key. */
import { createHash, timingSafeEqual } from "node:crypto";
import { networkInterfaces } from "node:os";
import { BigVaeError } from "../errors.js";
import { RequestError } from "./failures.js";

/** Where a server listens and whom it answers. */
export interface AccessOptions {
  host: string;
  /** Without one, anybody who reaches the server may use it. */
  key?: string | undefined;
  /** Further names in requests' Host. */
  allowedHosts?: readonly string[];
  /** Origins of pages that may call; "null" are those without one, for MiniLoom's routes alone. */
  cors?: readonly string[];
}

const LOOPBACK = ["localhost", "127.0.0.1", "::1"];
const WILDCARDS = ["0.0.0.0", "::"];

function isLoopback(host: string): boolean {
  return LOOPBACK.includes(host) || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** Throws "usage" for a server that others reach and that has no key, and for what cannot be an origin. */
export function checkAccess({ host, key, cors = [] }: AccessOptions): void {
  if (key !== undefined && key.trim() === "")
    throw new BigVaeError("usage", {
      subject: "`key`",
      expected: "at least one character",
      got: "none",
      remedy: "leave it out, or give one",
    });
  if (key === undefined && !isLoopback(host))
    throw new BigVaeError("usage", {
      subject: "`host`",
      expected: "this machine's own (127.0.0.1), or a key",
      got: `${host} without a key`,
      remedy: "give a `key`, or set BIGVAE_API_KEY",
    });
  for (const origin of cors) {
    if (origin === "null" || (URL.canParse(origin) && new URL(origin).origin === origin)) continue;
    throw new BigVaeError("usage", {
      subject: "`cors`",
      expected: "an origin such as http://localhost:5173, or null",
      got: origin,
      remedy: "leave out paths and a slash at the end",
    });
  }
}

/** Checks of requests. */
export class Access {
  readonly #key: Buffer | undefined;
  readonly #hosts: ReadonlySet<string>;

  constructor(readonly options: AccessOptions) {
    const { host, key, allowedHosts = [] } = options;
    this.#key = key === undefined ? undefined : digest(key);
    const own = Object.values(networkInterfaces()).flatMap((all) => all!.map(({ address }) => address));
    this.#hosts = new Set(
      [...LOOPBACK, host, ...allowedHosts, ...(WILDCARDS.includes(host) ? own : [])]
        .filter((name) => !WILDCARDS.includes(name))
        .map((name) => name.toLowerCase()),
    );
  }

  /** Throws a 403 for a Host that is not the server's: a page of another name may have it resolve to this machine. */
  checkHost(header: string | undefined): void {
    if (header !== undefined && this.#hosts.has(hostOf(header))) return;
    throw new RequestError(403, "unknown_host", {
      subject: "Host",
      expected: "a name of this server",
      got: header === undefined ? "none" : JSON.stringify(header.slice(0, 80)),
      remedy: "let the server allow it (`allowedHosts`)",
    });
  }

  /** Whether a page of this origin may read answers. Throws a 403 for a page that is neither allowed nor the server's own. */
  allowsOrigin(origin: string, host: string, isForMiniLoom: boolean): boolean {
    const { cors = [] } = this.options;
    if (cors.includes(origin) && (origin !== "null" || isForMiniLoom)) return true;
    if (origin === `http://${host}` || origin === `https://${host}`) return false;
    throw new RequestError(403, "unknown_origin", {
      subject: "Origin",
      expected: "a page that the server allows",
      got: JSON.stringify(origin.slice(0, 80)),
      remedy: "let the server allow it (`cors`)",
    });
  }

  /** Throws a 401 without the key. */
  checkKey(header: string | undefined): void {
    if (!this.#key) return;
    const given = /^Bearer (.+)$/i.exec(header ?? "")?.[1];
    if (given !== undefined && timingSafeEqual(digest(given), this.#key)) return;
    throw new RequestError(401, "invalid_api_key", {
      subject: "Authorization",
      expected: "Bearer and the server's key",
      got: given === undefined ? "none" : "another key",
      remedy: "send the key that the server was started with",
    });
  }
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** The name without its port, "" for what is no host. */
function hostOf(header: string): string {
  const found = /^(?:\[([^\]]+)\]|([^:]+))(?::\d{1,5})?$/.exec(header);
  const [, v6, name] = found ?? [];
  return v6 !== undefined ? (/^[0-9a-f:.]+$/i.test(v6) ? v6.toLowerCase() : "") : (name ?? "").toLowerCase();
}
