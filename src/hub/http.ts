/** Requests to the hub: redirects without the token for other hosts, time-outs, repetition of what may succeed later. */
import { setTimeout as sleep } from "node:timers/promises";
import { BigVaeError } from "../errors.js";
import { errorCode } from "../formats/fileOps.js";
import type { HubSettings } from "./settings.js";

/** What every call to the hub is made with. */
export interface HubCalls {
  readonly settings: HubSettings;
  readonly signal?: AbortSignal | undefined;
  /** Told before a request is repeated: seconds of waiting, and why. */
  readonly onWait?: ((seconds: number, why: string) => void) | undefined;
  /** What makes requests; the machine's own by default. */
  readonly fetch?: typeof fetch;
}

/** An answer whose body is still to be read, by `chunks`. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The body as it comes. Throws Transient where it ends too early or pauses for too long, BigVaeError("aborted"). */
  chunks(): AsyncGenerator<Uint8Array>;
  /** Passes over the body. */
  discard(): Promise<void>;
}

/** A failure that may be gone later. */
export class Transient extends Error {
  constructor(
    /** What is thrown where it stays. */
    readonly error: BigVaeError,
    /** How long the hub wants to be left alone. */
    readonly waitMs?: number,
  ) {
    super(error.message, { cause: error });
  }
}

const MAX_REDIRECTS = 10;
const REDIRECTS = [301, 302, 303, 307, 308];
const LATER = [408, 425, 429, 500, 502, 503, 504];

/**
 * One request and the redirects that it leads to, its body unread; any status but those of redirects and of "later".
 * @throws Transient, BigVaeError("aborted"), BigVaeError("network") for redirects without end or to something else than the web.
 */
export async function request(calls: HubCalls, address: string, headers: Record<string, string>): Promise<Answer> {
  const { settings, signal } = calls;
  if (settings.offline) throw offline(address);
  const idle = new IdleTimer(settings.timeoutMs, signal);
  let url = new URL(address);
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const response = await idle.during(url, () =>
      (calls.fetch ?? fetch)(url, {
        headers: { ...headers, "accept-encoding": "identity", ...authorization(settings, url) },
        redirect: "manual",
        signal: idle.signal,
      }),
    );
    if (LATER.includes(response.status)) {
      await discard(response);
      throw new Transient(failed(url, `HTTP ${response.status}`), waitOf(response));
    }
    if (!REDIRECTS.includes(response.status))
      return {
        status: response.status,
        headers: response.headers,
        chunks: () => chunksOf(response, url, idle),
        discard: () => discard(response),
      };
    await discard(response);
    url = redirected(url, response.headers.get("location"));
  }
  throw failed(url, `more than ${MAX_REDIRECTS} redirects`);
}

/** The token, to the hub itself alone: a redirect leads to other hosts. */
function authorization({ endpoint, token }: HubSettings, url: URL): Record<string, string> {
  return token !== undefined && url.origin === new URL(endpoint).origin ? { authorization: `Bearer ${token}` } : {};
}

function redirected(from: URL, location: string | null): URL {
  const to = location !== null && URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (to && (to.protocol === "https:" || to.protocol === from.protocol) && to.username === "") return to;
  throw failed(from, "a redirect to no address of the web");
}

async function discard(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => undefined);
}

async function* chunksOf({ body }: Response, url: URL, idle: IdleTimer): AsyncGenerator<Uint8Array> {
  const reader = body?.getReader();
  if (!reader) return;
  try {
    for (;;) {
      const { done, value } = await idle.during(url, () => reader.read());
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** Gives up what is waited for after a time without any sign. */
class IdleTimer {
  readonly #expired = new AbortController();
  readonly signal: AbortSignal;
  constructor(
    readonly timeoutMs: number,
    readonly caller: AbortSignal | undefined,
  ) {
    this.signal = caller ? AbortSignal.any([caller, this.#expired.signal]) : this.#expired.signal;
  }

  /** @throws Transient, BigVaeError("aborted") */
  async during<T>(url: URL, work: () => Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.#expired.abort(), this.timeoutMs);
    let abort = () => {};
    try {
      this.signal.throwIfAborted();
      // What is waited for may not heed the signal.
      return await new Promise<T>((resolve, reject) => {
        abort = () => reject(this.signal.reason);
        this.signal.addEventListener("abort", abort);
        work().then(resolve, reject);
      });
    } catch (error) {
      if (this.caller?.aborted) throw stopped();
      const silence = `nothing for ${this.timeoutMs / 1000} s`;
      throw new Transient(failed(url, this.#expired.signal.aborted ? silence : causeOf(error)));
    } finally {
      clearTimeout(timer);
      this.signal.removeEventListener("abort", abort);
    }
  }
}

/** "ECONNREFUSED" of "fetch failed". */
function causeOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return (errorCode(cause) ?? (cause instanceof Error ? cause.message : String(cause))).slice(0, 100);
}

/** Milliseconds that the hub asks for: Retry-After (seconds or a date) or RateLimit ("api";r=0;t=55). */
function waitOf({ status, headers }: Response): number | undefined {
  const after = headers.get("retry-after")?.trim();
  const limit = status === 429 ? /;\s*t=(\d{1,9})\b/.exec(headers.get("ratelimit") ?? "")?.[1] : undefined;
  if (after !== undefined && /^\d{1,9}$/.test(after)) return 1000 * Number(after);
  const until = after === undefined ? Number.NaN : Date.parse(after) - Date.now();
  if (Number.isFinite(until)) return Math.max(until, 0);
  return limit === undefined ? undefined : 1000 * Number(limit);
}

/** Repetitions of a request without anything gained. */
const ATTEMPTS = 5;
/** The hub counts requests in windows of five minutes. */
const MAX_WAIT_MS = 300_000;
const MAX_BACKOFF_MS = 8000;

/** Repeats work until it succeeds, fails for good, or has failed often enough with nothing gained in between. */
export async function repeated<T>(
  { settings, signal, onWait }: HubCalls,
  work: (gained: () => void) => Promise<T>,
): Promise<T> {
  let failures = 0;
  const gained = () => {
    failures = 0;
  };
  for (;;) {
    try {
      return await work(gained);
    } catch (error) {
      if (!(error instanceof Transient)) throw error;
      const wait = error.waitMs ?? Math.min(settings.retryMs * 2 ** failures, MAX_BACKOFF_MS);
      failures++;
      if (failures >= ATTEMPTS || wait > MAX_WAIT_MS) throw withWait(error);
      onWait?.(wait / 1000, `${error.error.detail?.got}`);
      await sleep(wait, undefined, signal ? { signal } : {}).catch(() => {
        throw stopped();
      });
    }
  }
}

function withWait({ error, waitMs = 0 }: Transient): BigVaeError {
  return waitMs > MAX_WAIT_MS ? error.with({ remedy: `run again in ${Math.ceil(waitMs / 1000)} s` }) : error;
}

/** The hub, or what lies before it, does not do its part. */
export function failed(url: URL, got: string): BigVaeError {
  return new BigVaeError("network", {
    subject: url.host,
    expected: "an answer of the hub",
    got,
    remedy: "check the connection and run again",
  });
}

function offline(address: string): BigVaeError {
  return new BigVaeError("network", {
    subject: new URL(address).host,
    expected: "a request that may be made",
    got: "HF_HUB_OFFLINE, which forbids it",
    remedy: "unset it",
  });
}

function stopped(): BigVaeError {
  return new BigVaeError("aborted", "stopped before the end");
}
