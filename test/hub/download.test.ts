/** Files from the hub: what is cut continues, what is wrong gets no name, who refuses is named, and no token leaves for another host. */
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type HubFile, listFiles, readSmallFile, resolveCommit } from "../../src/hub/api.js";
import { snapshotFolder } from "../../src/hub/cache.js";
import { fetchFile, missingBytes } from "../../src/hub/download.js";
import type { HubCalls } from "../../src/hub/http.js";
import type { HubSettings } from "../../src/hub/settings.js";
import { expectRefusal } from "../badInput/folder.js";
import { commitOf, etag, type Fault, type HubMock, repository, type Seen, sha256, startHub } from "./hubMock.js";

const NAME = { repository: "owner/model" };
const COMMIT = commitOf("first");
/** Half a megabyte that nothing compresses, and of which no part is like another. */
const WEIGHTS = Buffer.from(Uint32Array.from({ length: 2 ** 17 }, (_, i) => Math.imul(i + 1, 2654435761)).buffer);
const CONFIG = Buffer.from('{"hidden_size": 64}');

let hub: HubMock;
let cache: string;
let settings: HubSettings;
let calls: HubCalls;

beforeEach(async () => {
  hub = await startHub({ "owner/model": repository({ "model.safetensors": WEIGHTS, "config.json": CONFIG }) });
  cache = await mkdtemp(join(tmpdir(), "bigvae-hub-"));
  const { endpoint } = hub;
  settings = { cache, endpoint, offline: false, symlinks: true, timeoutMs: 2000, retryMs: 1, token: "hf_secret" };
  calls = { settings };
});
afterEach(async () => {
  await hub.close();
  await rm(cache, { recursive: true });
});

const file = (path: string, bytes: Uint8Array): HubFile => ({ path, size: bytes.length, hash: etag(bytes) });
const weights = file("model.safetensors", WEIGHTS);
const fetchWeights = (options: Partial<HubCalls> = {}) => fetchFile({ ...calls, ...options }, NAME, COMMIT, weights);
const at = (...path: string[]) => join(cache, "models--owner--model", ...path);
const snapshot = (path: string) => join(snapshotFolder(settings, "owner/model", COMMIT), path);
const blob = () => at("blobs", sha256(WEIGHTS));

/** The faults of requests for the weights' bytes, in turn; none after the last. */
function faults(...all: (Fault | undefined)[]) {
  hub.fault = ({ host }) => (host === "cdn" ? all.shift() : undefined);
}
const isDown: Fault = { status: 503 };

describe("a download", () => {
  it("puts the file under its hash, and a link to it into the snapshot", async () => {
    await fetchWeights();
    expect(await readFile(snapshot("model.safetensors"))).toEqual(WEIGHTS);
    expect(await readlink(snapshot("model.safetensors"))).toBe(`../../blobs/${sha256(WEIGHTS)}`);
    expect(await readdir(at("blobs"))).toEqual([sha256(WEIGHTS)]);
  });

  it("is of a file of git too, by git's hash, at any depth", async () => {
    hub.repositories["owner/model"]!.commits[COMMIT]!["encoder/adapter_config.json"] = CONFIG;
    await fetchFile(calls, NAME, COMMIT, file("encoder/adapter_config.json", CONFIG));
    expect(await readlink(snapshot("encoder/adapter_config.json"))).toBe(`../../../blobs/${etag(CONFIG)}`);
    expect(etag(CONFIG)).toHaveLength(40);
  });

  it("makes no request for what is there", async () => {
    await fetchWeights();
    hub.seen.length = 0;
    await fetchWeights();
    expect(await missingBytes(calls, NAME, COMMIT, weights)).toBe(0);
    const other = commitOf("second");
    await fetchFile(calls, NAME, other, weights);
    expect(await readFile(join(snapshotFolder(settings, "owner/model", other), "model.safetensors"))).toEqual(WEIGHTS);
    expect(hub.seen).toEqual([]);
  });

  it("replaces a file of another size in the snapshot", async () => {
    await fetchWeights();
    await rm(blob());
    await writeFile(blob(), "short");
    await fetchWeights();
    expect(await readFile(snapshot("model.safetensors"))).toEqual(WEIGHTS);
  });

  it("without links leaves the file itself in the snapshot, a copy where another one has it", async () => {
    calls = { settings: { ...settings, symlinks: false } };
    await fetchWeights();
    expect((await lstat(snapshot("model.safetensors"))).isFile()).toBe(true);
    expect(await readdir(at("blobs"))).toEqual([]);
    await writeFile(blob(), WEIGHTS);
    const other = commitOf("second");
    await fetchFile(calls, NAME, other, weights);
    expect((await lstat(join(snapshotFolder(settings, "owner/model", other), "model.safetensors"))).isFile()).toBe(
      true,
    );
    expect(await readdir(at("blobs"))).toEqual([sha256(WEIGHTS)]);
  });
});

const POINTS = Array.from({ length: 20 }, (_, i) => Math.floor((WEIGHTS.length * i) / 20) + (i % 3));

describe("a download that is cut", () => {
  it.each(POINTS)("after %d bytes continues there the next time", async (point) => {
    faults({ cutAfter: point }, ...Array(5).fill(isDown));
    await expectRefusal(fetchWeights, "network", /localhost:\d+: expected an answer of the hub, got HTTP 503/);
    const { size: kept } = await stat(`${blob()}.incomplete`);
    // What was received and not yet read when the connection broke is lost.
    expect(kept).toBeLessThanOrEqual(point);
    expect(kept).toBeGreaterThanOrEqual(point - 2 ** 17);
    expect(await missingBytes(calls, NAME, COMMIT, weights)).toBe(WEIGHTS.length - kept);
    hub.seen.length = 0;
    faults();
    await fetchWeights();
    expect(sha256(await readFile(blob()))).toBe(sha256(WEIGHTS));
    expect(hub.seen.map(({ range }) => range).at(-1)).toBe(kept === 0 ? undefined : `bytes=${kept}-`);
    expect(await readdir(at("blobs"))).toEqual([sha256(WEIGHTS)]);
  });

  it("again and again continues by itself, as long as something comes each time", async () => {
    faults(...POINTS.map(() => ({ cutAfter: 20_000 })));
    const done: number[] = [];
    await fetchFile(calls, NAME, COMMIT, weights, (bytes) => done.push(bytes));
    expect(sha256(await readFile(blob()))).toBe(sha256(WEIGHTS));
    expect(hub.seen.filter(({ host }) => host === "cdn")).toHaveLength(21);
    expect(done.at(-1)).toBe(WEIGHTS.length);
    expect(done).toEqual(done.toSorted((a, b) => a - b));
  });

  it("by its caller keeps what has come", async () => {
    faults({ stallAfter: 100_000 });
    const controller = new AbortController();
    const work = fetchFile({ ...calls, signal: controller.signal }, NAME, COMMIT, weights, (done) => {
      if (done === 100_000) controller.abort();
    });
    await expect(work).rejects.toMatchObject({ kind: "aborted" });
    expect((await stat(`${blob()}.incomplete`)).size).toBe(100_000);
  });

  it("begins anew where the server knows no parts", async () => {
    faults({ cutAfter: 1000 }, { ignoreRange: true });
    await fetchWeights();
    expect(sha256(await readFile(blob()))).toBe(sha256(WEIGHTS));
  });

  it("begins anew where what is there is spoilt, longer, or of no such range", async () => {
    const spoilt = [Buffer.alloc(1000, 1), Buffer.alloc(WEIGHTS.length + 1), Buffer.alloc(WEIGHTS.length)];
    for (const bytes of spoilt) {
      await rm(blob(), { force: true });
      await rm(snapshot("model.safetensors"), { force: true });
      await mkdir(at("blobs"), { recursive: true });
      await writeFile(`${blob()}.incomplete`, bytes);
      await fetchWeights();
      expect(sha256(await readFile(blob()))).toBe(sha256(WEIGHTS));
    }
  });

  it("keeps what has come where the token is refused", async () => {
    await mkdir(at("blobs"), { recursive: true });
    await writeFile(`${blob()}.incomplete`, WEIGHTS.subarray(0, 1000));
    hub.fault = () => ({ status: 403, headers: { "x-error-code": "GatedRepo" } });
    await expectRefusal(fetchWeights, "usage", /accept its licence/);
    expect((await stat(`${blob()}.incomplete`)).size).toBe(1000);
  });
});

describe("a content that is not the file's", () => {
  const other = Buffer.from(WEIGHTS);
  other[5000]! ^= 1;

  it.each([
    ["of the same length", other],
    ["that is longer", Buffer.concat([WEIGHTS, Buffer.alloc(70_000)])],
  ])("%s gets no name", async (_, body) => {
    faults({ body }, { body });
    await expectRefusal(
      fetchWeights,
      "format",
      /owner\/model: model\.safetensors: expected a content with the hash [0-9a-f]{12}, got /,
    );
    expect(await readdir(at("blobs"))).toEqual(expect.not.arrayContaining([sha256(WEIGHTS)]));
    await expect(stat(snapshot("model.safetensors"))).rejects.toThrow("ENOENT");
    faults();
    await fetchWeights();
    expect(sha256(await readFile(blob()))).toBe(sha256(WEIGHTS));
  });

  it("that is shorter is asked for again, and refused when it stays so", async () => {
    hub.fault = ({ host }) => (host === "cdn" ? { body: WEIGHTS.subarray(0, 1000) } : undefined);
    await expectRefusal(fetchWeights, "network", /got 1000 of the 524288 bytes of model\.safetensors/);
  });

  it("is refused in a small file that is read alone", async () => {
    hub.fault = ({ path }) => (path.includes("/resolve/") ? { body: Buffer.from('{"hidden_size": 65}') } : undefined);
    const config = file("config.json", CONFIG);
    await expectRefusal(() => readSmallFile(calls, NAME, COMMIT, config), "format", /config\.json: expected a content/);
  });
});

describe("a server that is slow", () => {
  it("is waited for as long as something comes", async () => {
    calls = { settings: { ...settings, timeoutMs: 150 } };
    faults({ pieces: 2 ** 16, pauseMs: 50 });
    await fetchWeights();
    expect(sha256(await readFile(blob()))).toBe(sha256(WEIGHTS));
  });

  it("is given up when nothing comes, and asked for the rest", async () => {
    calls = { settings: { ...settings, timeoutMs: 100 } };
    faults({ stallAfter: 70_000 });
    await fetchWeights();
    expect(hub.seen.map(({ range }) => range).at(-1)).toBe("bytes=70000-");
    faults();
  });

  it("is named when it stays silent", async () => {
    calls = { settings: { ...settings, timeoutMs: 40 } };
    faults(...Array(9).fill({ stallAfter: 0 }));
    await expectRefusal(fetchWeights, "network", /got nothing for 0\.04 s; check the connection/);
  });
});

describe("a refusal", () => {
  const waits: number[] = [];
  const refusal = (fault: Fault, kind: "usage" | "network", message: RegExp) => {
    hub.fault = () => fault;
    const onWait = (seconds: number) => waits.push(seconds);
    return expectRefusal(() => resolveCommit({ ...calls, onWait }, NAME), kind, message);
  };

  it("of a repository that is not there, or not for this token", async () => {
    const nothing = { repository: "owner/nothing" };
    await expectRefusal(
      () => resolveCommit(calls, nothing),
      "usage",
      /owner\/nothing: expected a model of the hub, got none/,
    );
    const { token: _, ...withoutToken } = settings;
    await expectRefusal(
      () => resolveCommit({ settings: withoutToken }, nothing),
      "usage",
      /HTTP 401\); check the name; if it is gated or private, accept its licence at http.*\/owner\/nothing, then set HF_TOKEN$/,
    );
  });

  it("of a revision that is not there", async () => {
    const name = { repository: "owner/model", revision: "v9" };
    await expectRefusal(
      () => resolveCommit(calls, name),
      "usage",
      /owner\/model@v9: expected a revision .* got none named v9/,
    );
  });

  it("of a gated model says what to do", async () => {
    hub.repositories["owner/model"]!.gatedBy = "hf_right";
    await expectRefusal(
      fetchWeights,
      "usage",
      /owner\/model: expected a model that you may download, got a gated one \(HTTP 403\); accept its licence at http.*\/owner\/model, then set HF_TOKEN/,
    );
    calls = { settings: { ...settings, token: "hf_right" } };
    await fetchWeights();
    expect(sha256(await readFile(blob()))).toBe(sha256(WEIGHTS));
  });

  it("of the token itself", async () => {
    const headers = { "x-error-message": "Invalid credentials in Authorization header" };
    await refusal({ status: 401, headers }, "usage", /a token that the hub knows/);
  });

  it("that passes is waited for, as long as the hub says", async () => {
    waits.length = 0;
    const answers: Fault[] = [
      { status: 429, headers: { "retry-after": "0" } },
      { status: 500 },
      { status: 429, headers: { ratelimit: '"api";r=0;t=0' } },
      { status: 502, headers: { "retry-after": new Date(Date.now() - 1000).toUTCString() } },
    ];
    hub.fault = () => answers.shift();
    const onWait = (seconds: number) => waits.push(seconds);
    expect(await resolveCommit({ ...calls, onWait }, NAME)).toBe(COMMIT);
    expect(waits).toEqual([0, 0.002, 0, 0]);
  });

  it("that does not pass is repeated four times, each time after twice as long", async () => {
    waits.length = 0;
    await refusal({ status: 503 }, "network", /got HTTP 503/);
    expect(waits).toEqual([0.001, 0.002, 0.004, 0.008]);
    expect(hub.seen).toHaveLength(5);
  });

  it("for longer than anyone waits says for how long", async () => {
    await refusal({ status: 429, headers: { "retry-after": "3600" } }, "network", /got HTTP 429; run again in 3600 s/);
    expect(hub.seen).toHaveLength(1);
  });

  it("of any other kind has its number", async () => {
    await refusal({ status: 418 }, "network", /got HTTP 418/);
  });

  it("where nobody answers names the cause", async () => {
    await hub.close();
    await expectRefusal(() => resolveCommit(calls, NAME), "network", /got ECONNREFUSED/);
    hub = await startHub();
  });

  it("by the user: HF_HUB_OFFLINE allows no request", async () => {
    calls = { settings: { ...settings, offline: true } };
    await expectRefusal(() => resolveCommit(calls, NAME), "network", /got HF_HUB_OFFLINE, which forbids it; unset it/);
    expect(hub.seen).toEqual([]);
  });
});

describe("a redirect", () => {
  const redirect = (location: string): Fault => ({ status: 307, headers: { location } });

  it("to another host gets no token; the hub itself does", async () => {
    await fetchWeights();
    const tokens = (host: Seen["host"]) =>
      hub.seen.filter((seen) => seen.host === host).map((seen) => seen.authorization);
    expect(tokens("hub")).toEqual(["Bearer hf_secret"]);
    expect(tokens("cdn")).toEqual([undefined]);
  });

  it("within the hub is followed with the token", async () => {
    hub.repositories["owner/renamed"] = hub.repositories["owner/model"]!;
    hub.fault = ({ path }) =>
      path.startsWith("/api/models/owner/model/") ? redirect("/api/models/owner/renamed/revision/main") : undefined;
    expect(await resolveCommit(calls, NAME)).toBe(COMMIT);
    expect(hub.seen.map(({ authorization }) => authorization)).toEqual(["Bearer hf_secret", "Bearer hf_secret"]);
  });

  it.each(["file:///etc/passwd", "ftp://127.0.0.1/x", "http://user:password@127.0.0.1/", "http://", ""])(
    "to %j is not followed",
    async (location) => {
      hub.fault = () => redirect(location);
      await expectRefusal(
        () => resolveCommit(calls, NAME),
        "network",
        /got a redirect to no address of the web|more than 10/,
      );
    },
  );

  it("without end is given up", async () => {
    hub.fault = () => redirect("/again");
    await expectRefusal(() => resolveCommit(calls, NAME), "network", /got more than 10 redirects/);
    expect(hub.seen).toHaveLength(11);
  });
});

describe("the list of files", () => {
  it("is read over all its pages, folders left out, by the hub's own host whatever it names", async () => {
    const many = Object.fromEntries(Array.from({ length: 25 }, (_, i) => [`part${i}/file.txt`, Buffer.from(`${i}`)]));
    hub.repositories["owner/model"] = repository(many as Record<string, Uint8Array>);
    hub.pageSize = 7;
    const files = await listFiles(calls, NAME, COMMIT);
    expect(files.map(({ path }) => path).sort()).toEqual(Object.keys(many).sort());
    expect(hub.seen).toHaveLength(8);
  });

  it("without end is refused", async () => {
    hub.fault = ({ path }) => ({
      status: 200,
      headers: { link: `<${path}&cursor=1>; rel="next"` },
      body: path.includes("cursor") ? "[]" : '[{"type":"directory"}]',
    });
    await expectRefusal(() => listFiles(calls, NAME, COMMIT), "network", /goes on behind its 1 entries/);
  });
});
