/** A memory in object storage: what goes wrong between a process and a storage, and with which words it is refused. The suite of all forms is in memory.test.ts. */
import { afterEach, describe, expect, it } from "vitest";
import { type Memory, openMemory } from "../../src/memory/index.js";
import { output, run } from "../process.js";
import { hasLance, idsOf, recordOf, recordsOf, SPACE } from "./make.js";
import { storage } from "./objectStorage.js";
import { KEY, S3Server } from "./s3Server.js";

afterEach(() => {
  storage.gate = async () => {};
  storage.loses = () => false;
});

/** Holds the first request that fits until it is let go. */
function held(fits: (request: string) => boolean): { reached: Promise<void>; letGo: () => void } {
  const { promise: reached, resolve: reach } = deferred();
  const { promise: free, resolve: letGo } = deferred();
  let isFirst = true;
  storage.gate = async (request) => {
    if (!isFirst || !fits(request)) return;
    isFirst = false;
    reach();
    await free;
  };
  return { reached, letGo };
}

function deferred() {
  let resolve!: () => void;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

describe.skipIf(!hasLance)("a memory in object storage", () => {
  it.each([
    ["records", "_transactions"],
    ["records", "_versions"],
    ["deleted", "_versions"],
    ["facts", "data"],
    ["facts", "_versions"],
    ["memory", "_transactions"],
    ["memory", "_versions"],
  ])("begun by two processes is one memory, where one of them is held at its write of %s, %s", async (table, part) => {
    const place = S3Server.place(`begun/${table}/${part}`);
    const { reached, letGo } = held(
      (request) => request.startsWith(`PUT begun/${table}/${part}/${table}`) && request.includes(`/${part}/`),
    );
    const late = openMemory(place, SPACE);
    await reached;
    const early = await openMemory(place, SPACE);
    expect(await early.add(recordsOf(3))).toEqual([1, 2, 3]);
    await early.delete([2]);
    await early.setNote("limits", "7");
    letGo();
    const both: Memory[] = [early, await late];
    expect(await both[1]!.add(recordsOf(2, 50))).toEqual([4, 5]);
    for (const memory of both) {
      expect(await memory.ids()).toEqual([1, 3, 4, 5]);
      expect(await memory.note("limits")).toBe("7");
      expect((await memory.record(5)).text).toBe(recordOf(51).text);
      expect(await memory.verify()).toEqual({ records: 4, problems: [] });
      await memory.close();
    }
    // What the one that lost the race had made is gone again.
    const keys = Array.from(storage.objects.keys()).filter((key) => key.startsWith(`begun/${table}/${part}/`));
    const tables = new Set(keys.flatMap((key) => /\w+-[\w-]+(?=\.lance\/)/.exec(key)?.[0] ?? []));
    expect(tables.size).toBe(3);
  });

  it("keeps records once where the answer to their commit gets lost", async () => {
    const memory = await openMemory(S3Server.place("lost"), SPACE);
    await memory.add(recordsOf(2));
    const lost = new Set<string>();
    storage.loses = (request) => {
      const [, table] = /^PUT lost\/(records|facts)-.*_versions/.exec(request) ?? [];
      if (table === undefined || lost.has(table)) return false;
      lost.add(table);
      return true;
    };
    expect(await memory.add(recordsOf(3, 10))).toHaveLength(3);
    await memory.setNote("limits", "7");
    expect(lost.size).toBe(2);
    expect(await memory.note("limits")).toBe("7");
    expect(await memory.count()).toBe(5);
    expect(idsOf(await memory.search({ z: recordOf(11).z, count: 1 }))).toEqual([(await memory.ids())[3]]);
    expect(await memory.verify()).toEqual({ records: 5, problems: [] });
    await memory.close();
  });

  it.each(["records", "deleted", "facts", "memory"])(
    "is begun once where the answer to the commit of its table %s gets lost",
    async (table) => {
      const place = S3Server.place(`begun/lost/${table}`);
      let losses = 0;
      storage.loses = (request) =>
        new RegExp(`^PUT begun/lost/${table}/${table}[\\w-]*\\.lance/_versions/`).test(request) && losses++ === 0;
      const memory = await openMemory(place, SPACE);
      expect(losses).toBeGreaterThan(0);
      expect(await memory.add(recordsOf(2))).toEqual([1, 2]);
      await memory.close();
      const again = await openMemory(place);
      expect(await again.verify()).toEqual({ records: 2, problems: [] });
      await again.close();
    },
  );

  it.each([0, 1, 2, 3, 4, 5])("keeps all records where the answer to commit %i of compacting gets lost", async (at) => {
    const memory = await openMemory(S3Server.place(`compacted/${at}`), SPACE);
    for (let batch = 0; batch < 3; batch++) await memory.add(recordsOf(4, 4 * batch));
    await memory.delete([3]);
    await memory.setNote("limits", "7");
    const commits = new Set<string>();
    storage.loses = (request) => {
      if (!/^PUT compacted\/.*\/_versions\//.test(request) || commits.has(request)) return false;
      return commits.add(request).size === at + 1;
    };
    await memory.compact();
    expect(commits.size).toBeGreaterThan(at);
    expect(await memory.verify()).toEqual({ records: 11, problems: [] });
    expect(await memory.note("limits")).toBe("7");
    expect(idsOf(await memory.search({ text: "number5" }))).toEqual([6]);
    await memory.close();
  });

  it("is listed page by page, compacted and sent in parts", async () => {
    const memory = await openMemory(S3Server.place("long"), SPACE);
    for (let batch = 0; batch < 30; batch++) await memory.add(recordsOf(3, 3 * batch));
    const long = { ...recordOf(100), ids: Array.from({ length: 3_000_000 }, (_, i) => i) };
    await memory.add([long]);
    await memory.compact();
    expect(await memory.record(91)).toEqual({ ...long, id: 91 });
    expect(idsOf(await memory.search({ z: recordOf(40).z, count: 1 }))).toEqual([41]);
    expect(idsOf(await memory.search({ text: "number40" }))).toEqual([41]);
    expect((await memory.verify()).problems).toEqual([]);
    expect(Array.from(storage.counts.keys())).toEqual(
      expect.arrayContaining(["PUT if-none-match", "GET range", "PUT partNumber"]),
    );
    await memory.close();
  });

  it("refuses in one sentence, with nothing of LanceDB's beside it", { timeout: 120_000 }, async () => {
    await (await openMemory(S3Server.place("there"), SPACE)).close();
    const program = `
      const { openMemory } = await import("./dist/memory/index.js");
      await openMemory(process.argv[1], ${JSON.stringify(SPACE)}).then(
        () => console.log("opened"),
        ({ kind, message }) => console.log(kind + ": " + message),
      );`;
    const said = async (place: string, changes: Record<string, string | undefined>) => {
      const env = { AWS_EC2_METADATA_DISABLED: "true", ...changes };
      const { stdout, stderr } = await run(process.execPath, ["--input-type=module", "-e", program, place], {
        cwd: ".",
        env,
      });
      return stderr + stdout;
    };
    const place = S3Server.place("there");
    const noKey = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
    const keys = "see that AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are right\n";
    const address = "AWS_ENDPOINT is its address, and AWS_ALLOW_HTTP=true allows one without TLS\n";
    const expected: [string, Record<string, string | undefined>, string][] = [
      [place, {}, "opened\n"],
      [place, { AWS_REGION: undefined }, "opened\n"],
      [
        S3Server.place("x", "none"),
        {},
        "usage: memory s3://none/x: expected a bucket that is there, got NoSuchBucket; make it, or name another\n",
      ],
      [
        place,
        { AWS_ACCESS_KEY_ID: "other" },
        `usage: memory ${place}: expected credentials that the storage takes, got InvalidAccessKeyId; ${keys}`,
      ],
      [
        place,
        { AWS_SECRET_ACCESS_KEY: `${KEY.secret}x` },
        `usage: memory ${place}: expected credentials that the storage takes, got SignatureDoesNotMatch; ${keys}`,
      ],
      [place, noKey, `usage: memory ${place}: expected credentials that the storage takes, got none; ${keys}`],
      [
        place,
        { AWS_ALLOW_HTTP: undefined },
        `usage: memory ${place}: expected an address with https://, got one with http://; ${address}`,
      ],
      [
        place,
        { AWS_ENDPOINT: "http://127.0.0.1:1" },
        `network: memory ${place}: expected an answer of the object storage, got Connection refused (os error 111); see that it runs; ${address}`,
      ],
    ];
    const all = await Promise.all(expected.map(([place, env]) => said(place, env)));
    expect(all).toEqual(expected.map(([, , text]) => text));
  });

  it("is kept by the command line", async () => {
    const bigvae = (...args: string[]) =>
      output(process.execPath, ["dist/cli/main.js", "memory", ...args], { cwd: "." });
    const place = S3Server.place("by/hand");
    await bigvae("add", place, "The fox found a lamp.", "The baker lost a key.", "--tag", "fable");
    expect(await bigvae("search", place, "--text", "baker")).toMatch(/ 2 {2}The baker lost a key\.\n/);
    expect(await bigvae("search", place, "A fox with a light", "--count", "1")).toMatch(
      / 1 {2}The fox found a lamp\.\n/,
    );
  });
});
