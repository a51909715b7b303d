/**
 * Answers of a hub that are spoilt in one to three places: bytes, values of JSON, headers, statuses, bodies without end. Each ends in a model
 * whose files are what their hashes say, or in one of our errors; soon, in little memory, and with nothing written outside the cache.
 */
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, expect, it } from "vitest";
import { BigVaeError } from "../../src/errors.js";
import { pullWith } from "../../src/host/pullModel.js";
import type { HubSettings } from "../../src/hub/settings.js";
import { Rng } from "../../src/rng.js";
import { bytesOf, commitOf, etag, gitHash, isLfs, sha256 } from "./hubMock.js";
import { baseRepository } from "./models.js";

/** BIGVAE_MUTATIONS=10000 is the long form. */
const CASES = Number(process.env.BIGVAE_MUTATIONS ?? 1500);
const MAX_MS = 1000;
const MAX_GROWN_BYTES = 64e6;

const COMMIT = commitOf("first");
const HUB = "https://hub.test";
const FILES = bytesOf({
  "config.json": Buffer.from(baseRepository().commits[COMMIT]!["config.json"]!),
  "tokenizer.json": "{}",
  "model.safetensors.index.json": '{"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}',
  "model-1.safetensors": Buffer.alloc(6000, 1),
  "model-2.safetensors": Buffer.alloc(100, 2),
});

interface Answer {
  status: number;
  headers: Record<string, string>;
  body: Uint8Array | "endless" | "stalled" | "broken";
}

const tree = Object.entries(FILES).map(([path, bytes]) => ({
  type: "file",
  path,
  size: bytes.length,
  oid: gitHash(bytes),
  ...(isLfs(bytes) ? { lfs: { oid: sha256(bytes), size: bytes.length, pointerSize: 134 } } : {}),
}));
/** What a sound hub answers, by the end of the path. */
const SOUND: Record<string, Answer> = {
  "/revision/main": ok(JSON.stringify({ id: "owner/model", sha: COMMIT, gated: false })),
  [`/tree/${COMMIT}`]: ok(JSON.stringify([{ type: "directory", path: "sub", oid: COMMIT, size: 0 }, ...tree])),
  ...Object.fromEntries(Object.entries(FILES).map(([path, bytes]) => [`/${path}`, ok(bytes)])),
};

function ok(body: string | Uint8Array): Answer {
  const bytes = Buffer.from(body as string);
  return { status: 200, headers: { "content-length": `${bytes.length}` }, body: bytes };
}

const VALUES = [
  ...[null, true, -1, 0, 0.5, 1e308, 2 ** 53, 2 ** 40, "", "..", "../../../evil", "/etc/passwd", "a\0b", "\\\\host\\x"],
  ...["x".repeat(100_000), [], {}, [[]], { oid: "0".repeat(64), size: 3 }, "0".repeat(40), "F".repeat(40), "\ud800"],
];
const HEADERS: Record<string, string[]> = {
  "content-length": ["0", "-1", "1", "99999999999999", "x"],
  "content-range": ["bytes 0-1/2", "bytes 5-", "bytes */0", "x"],
  "content-encoding": ["gzip", "br", "identity"],
  link: ['<?cursor=1>; rel="next"', '<http://evil.test/?cursor=..>; rel="next"', "<>; rel=next", "<".repeat(9000)],
  location: [
    "/x",
    "https://evil.test/",
    "http://evil.test/",
    "file:///etc/passwd",
    "//",
    "https://hub.test/revision/main",
  ],
  "retry-after": ["0", "99999", "-5", "Thu, 01 Jan 1970 00:00:00 GMT", "never"],
  ratelimit: ['"api";r=0;t=0', '"api";r=0;t=999999999', ";;;"],
  "x-error-code": ["GatedRepo", "RevisionNotFound", "RepoNotFound", "x"],
  "x-error-message": ["Invalid credentials in Authorization header", "\u00ff"],
};
const STATUSES = [
  200, 202, 204, 206, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 408, 416, 418, 429, 500, 503, 599,
];
const DEEP = Buffer.from("[".repeat(100_000));

/** One of several ways to spoil an answer. */
function spoilt(answer: Answer, rng: Rng): Answer {
  const pick = <T>(all: readonly T[]): T => all[rng.integer(all.length)]!;
  const body = answer.body instanceof Uint8Array ? answer.body : Buffer.alloc(0);
  const kinds: (() => Answer)[] = [
    () => ({ ...answer, body: spoiltBytes(body, rng) }),
    () => ({ ...answer, body: spoiltJson(body, rng, pick) }),
    () => ({ ...answer, body: spoiltJson(body, rng, pick) }),
    () => ({ ...answer, status: pick(STATUSES) }),
    () => {
      const name = pick(Object.keys(HEADERS));
      return { ...answer, headers: { ...answer.headers, [name]: pick(HEADERS[name]!) } };
    },
    () => ({ ...answer, headers: {} }),
    () => ({ ...answer, body: pick([Buffer.alloc(0), DEEP, Buffer.alloc(300_000, 0x20)]) }),
    () => ({ ...answer, headers: {}, body: pick<Answer["body"]>(["endless", ...Array(8).fill("broken"), "stalled"]) }),
  ];
  return pick(kinds)();
}

function spoiltBytes(bytes: Uint8Array, rng: Rng): Uint8Array {
  const at = rng.integer(bytes.length + 1);
  const end = Math.min(bytes.length, at + rng.integer(20));
  const insert = Uint8Array.from({ length: rng.integer(9) }, () => rng.integer(256));
  return Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(rng.integer(4) === 0 ? at : end)]);
}

/** Puts another value at a random place of a JSON text, or takes the place away. */
function spoiltJson(bytes: Uint8Array, rng: Rng, pick: <T>(all: readonly T[]) => T): Uint8Array {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return spoiltBytes(bytes, rng);
  }
  if (typeof json !== "object" || json === null) return spoiltBytes(bytes, rng);
  let node = json as Record<string, unknown>;
  for (;;) {
    const keys = Object.keys(node);
    if (keys.length === 0) return Buffer.from(JSON.stringify(pick(VALUES)));
    const key = pick(keys);
    const child = node[key];
    if (typeof child === "object" && child !== null && rng.integer(4) > 0) {
      node = child as Record<string, unknown>;
      continue;
    }
    if (rng.integer(5) === 0) delete node[key];
    else node[key] = pick(VALUES);
    return Buffer.from(JSON.stringify(json));
  }
}

/** A hub whose answers are these. */
function hubOf(answers: Record<string, Answer>): typeof fetch {
  return async (input) => {
    const { pathname } = new URL(input as URL);
    const key = Object.keys(answers).find((end) => pathname.endsWith(end));
    if (key === undefined) return new Response(null, { status: 404 });
    const { status, headers, body } = answers[key]!;
    const hasBody = ![204, 304].includes(status);
    return new Response(hasBody ? streamOf(body) : null, { status, headers });
  };
}

function streamOf(body: Answer["body"]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull(controller) {
      if (body === "endless") return controller.enqueue(new Uint8Array(2 ** 16));
      if (body === "broken") return controller.error(new TypeError("terminated"));
      if (body === "stalled") return new Promise(() => {});
      if (body.length > 0) controller.enqueue(Uint8Array.from(body));
      controller.close();
    },
  });
}

let home: string;
let settings: HubSettings;
beforeAll(async () => {
  // A disk in memory, where there is one: each case makes files last.
  home = await mkdtemp(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "bigvae-mutations-"));
  settings = { cache: join(home, "hub"), endpoint: HUB, offline: false, symlinks: true, timeoutMs: 20, retryMs: 0 };
});
afterAll(() => rm(home, { recursive: true }));

it(`${CASES} spoilt hubs end in a sound model or in one of our errors, each within ${MAX_MS} ms`, {
  timeout: 900_000,
}, async () => {
  const rng = Rng.fromSeed(11);
  const kinds = new Map<string, number>();
  let slowest = 0;
  let start = 0;
  let most = 0;
  for (let i = 0; i < CASES; i++) {
    const answers = structuredClone(SOUND);
    for (let spoils = 1 + rng.integer(3); spoils > 0; spoils--) {
      const key = Object.keys(answers)[rng.integer(Object.keys(answers).length)]!;
      answers[key] = spoilt(answers[key]!, rng);
    }
    const begin = processorMs();
    const kind = await pullWith({ settings, fetch: hubOf(answers) }, "owner/model").then(
      ({ folder }) => checked(folder),
      (error: unknown) => {
        if (error instanceof BigVaeError && error.message.length < 1000 && !error.message.includes("\n"))
          return error.kind;
        throw new Error(`case ${i}: ${error}`, { cause: error });
      },
    );
    slowest = Math.max(slowest, processorMs() - begin);
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    await rm(settings.cache, { recursive: true, force: true });
    if (i % 250 === 0) collectGarbage();
    if (i === 500) start = process.memoryUsage().rss;
    if (i > 500) most = Math.max(most, process.memoryUsage().rss - start);
  }
  console.info(
    `${JSON.stringify(Object.fromEntries(kinds))}; at most ${slowest.toFixed(0)} ms, ${(most / 1e6).toFixed(1)} MB`,
  );
  expect(await readdir(home)).toEqual([]);
  expect(slowest).toBeLessThan(MAX_MS);
  expect(most).toBeLessThan(MAX_GROWN_BYTES);
  for (const kind of ["sound", "network", "format", "usage"]) expect(kinds.get(kind)).toBeGreaterThan(10);
});

/** Milliseconds of the processor: other work on the machine does not count. */
function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** So that what is measured is what cases take, not what they left. */
function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
}

/** Whatever is in the snapshot has the content that its name in blobs/ says. */
async function checked(folder: string): Promise<string> {
  const blobs = join(folder, "..", "..", "blobs");
  for (const name of await readdir(blobs)) {
    const bytes = await readFile(join(blobs, name));
    if (name !== (name.length === 64 ? sha256(bytes) : gitHash(bytes))) throw new Error(`${name} is ${etag(bytes)}`);
  }
  return "sound";
}
