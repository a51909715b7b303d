/** A link to the engine of a server (`bigvae serve`), for Node and for browsers: a request for each call, whose end calls the work off. */
import { BigVaeError, type ErrorDetail, type ErrorKind, EXIT_CODES } from "../errors.js";
import type { TokenizerFiles } from "../tokenizer/index.js";
import { readEvents } from "./eventReader.js";
import type { Connect, LinkEvents } from "./link.js";
import type { CallName, Calls, EngineFacts, ModelHashes, Request } from "./protocol.js";

/** Where a server is, and how it is reached. */
export interface ServerAddress {
  /** As `bigvae serve` prints it. */
  url: string;
  /** The server's key, where it has one. */
  key?: string | undefined;
}

/** The tokenizer of a server's model. @throws BigVaeError("unavailable") where there is no server, one that is loading, or one with another key. */
export function servedTokenizer(address: ServerAddress): Promise<TokenizerFiles> {
  return told(address, "/tokenizer");
}

/** The hashes of a server's model. Throws as `servedTokenizer` does. */
export function servedHashes(address: ServerAddress): Promise<ModelHashes> {
  return told(address, "/hashes");
}

async function told<T>(address: ServerAddress, path: string): Promise<T> {
  return (await jsonOf(await answerOf(address, path, undefined))) as T;
}

/** The body of an answer. Throws "unavailable" where some other program answers at that address. */
async function jsonOf(answer: Response): Promise<unknown> {
  const text = await answer.text();
  try {
    return JSON.parse(text);
  } catch {
    throw noAnswer(`something else: ${JSON.stringify(text.slice(0, 40))}`);
  }
}

/** Calls go to the server; `open` opens nothing, as its model is there already. */
export function httpLink(address: ServerAddress): Connect {
  return ({ receive, ended }) => {
    const running = new Map<number, AbortController>();
    return {
      post(message) {
        if ("abort" in message) return running.get(message.id)?.abort();
        // What is no plain data is refused before it is sent, as by other links.
        const body = bodyOf(message);
        const controller = new AbortController();
        running.set(message.id, controller);
        void call(address, message, { body, receive, signal: controller.signal }).finally(() =>
          running.delete(message.id),
        );
      },
      // A request under way keeps the process alive by itself.
      hold: () => undefined,
      async close() {
        for (const [id, controller] of running) {
          controller.abort();
          receive({ id, aborted: true });
        }
        ended("one that is closed");
      },
    };
  };
}

/** Sends a call, and passes on what comes back of it. */
async function call(
  address: ServerAddress,
  { id, call: name }: Extract<Request, { call: CallName }>,
  { body, receive, signal }: { body: string; receive: LinkEvents["receive"]; signal: AbortSignal },
): Promise<void> {
  try {
    if (name === "close") receive({ id, result: undefined });
    else if (name === "open") receive({ id, result: await told<EngineFacts>(address, "") });
    else {
      const answer = await answerOf(address, `/${name}`, body, signal);
      if (name === "write") await written(answer, { id, receive });
      else receive({ id, result: withFloats(name, (await jsonOf(answer)) as { rows: never[] }) });
    }
  } catch (error) {
    // Nobody waits for what was called off.
    if (signal.aborted) return;
    const failed = error instanceof BigVaeError && error.detail ? error : unreachable(address, error);
    receive({ id, error: { kind: failed.kind, detail: failed.detail! } });
  }
}

/** The tokens of a call as they come, and the whole at the end. */
async function written(answer: Response, { id, receive }: { id: number; receive: LinkEvents["receive"] }) {
  for await (const { event, data } of readEvents(answer.body!)) {
    const value = JSON.parse(data);
    if (event === "token") receive({ id, token: value });
    else if (event === "error") throw refused(value);
    else if (event === "result") return receive({ id, result: value.rows });
  }
  throw new Error("the answer was cut off");
}

/** Answers as the engine gives them: JSON has no arrays of floats. */
function withFloats(name: "encode" | "embed" | "score", { rows }: { rows: never[] }): unknown {
  const floats = (values: readonly number[]) => Float32Array.from(values);
  const revived: { [Name in typeof name]: () => Calls[Name]["result"] } = {
    encode: () =>
      rows.map(({ mean, logVariance, poolWeights, slotWeights }) => ({
        mean: floats(mean),
        ...(logVariance ? { logVariance: floats(logVariance) } : {}),
        poolWeights: floats(poolWeights),
        slotWeights: (slotWeights as number[][]).map(floats),
      })),
    embed: () => rows.map(floats),
    score: () => rows,
  };
  return revived[name]();
}

function bodyOf({ call: name, args }: Extract<Request, { call: CallName }>): string {
  const all = name === "write" ? { ...(args as Calls["write"]["args"]), stream: true } : args;
  return JSON.stringify(all ?? {}, (_, value: unknown) => {
    if (typeof value === "function" || value instanceof Promise) throw new Error(`${String(value)} cannot be sent`);
    return value instanceof Float32Array ? Array.from(value) : value;
  });
}

async function answerOf(
  address: ServerAddress,
  path: string,
  body: string | undefined,
  signal?: AbortSignal,
): Promise<Response> {
  const { url, key } = address;
  const headers: Record<string, string> = {
    ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    ...(body === undefined ? {} : { "content-type": "application/json" }),
  };
  const posted = body === undefined ? {} : { method: "POST", body };
  const place = `${url.replace(/\/+$/, "")}/engine${path}`;
  const answer = await fetch(place, { ...posted, headers, ...(signal ? { signal } : {}) }).catch((cause: unknown) => {
    throw signal?.aborted ? cause : unreachable(address, cause);
  });
  if (answer.ok) return answer;
  throw refused(await answer.json().catch(() => ({})), answer.status);
}

/** An error that a server tells, as it was there. */
function refused(body: { error?: { message?: string; code?: string; detail?: ErrorDetail } }, status = 0): BigVaeError {
  const { code = "", detail, message = `status ${status}` } = body.error ?? {};
  const kind = Object.hasOwn(EXIT_CODES, code) ? (code as ErrorKind) : status === 400 ? "usage" : "unavailable";
  if (status === 413)
    return new BigVaeError("usage", {
      subject: "server",
      expected: "a request within its limits",
      got: "a larger one",
      remedy: "give fewer texts at a time, or raise the limit of bigvae serve on the size of a request",
    });
  return detail ? new BigVaeError(kind, detail) : noAnswer(message.replace(/\.$/, ""));
}

function noAnswer(got: string): BigVaeError {
  const detail = { subject: "server", expected: "an answer of bigvae serve", got, remedy: "check its address" };
  return new BigVaeError("unavailable", detail);
}

function unreachable({ url }: ServerAddress, cause: unknown): BigVaeError {
  const { message, cause: below } = cause as Error & { cause?: { code?: string } };
  return new BigVaeError(
    "unavailable",
    {
      subject: "server",
      expected: `one at ${url}`,
      got: below?.code ?? message.replace(/\.$/, ""),
      remedy: "start it with bigvae serve, or check the address",
    },
    { cause },
  );
}
