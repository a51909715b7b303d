/** Every route of the real server: its example, its schema, its errors, its limits. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Validator } from "@seriousme/openapi-schema-validator";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import type { Server } from "../../src/server/serve.js";
import { eventsOf, type Failed, post, startServer, until } from "./server.js";

let server: Server;
let memory: string;
beforeAll(async () => {
  memory = await mkdtemp(join(tmpdir(), "bigvae-served-memory-"));
  server = await startServer({ memory, strategies: join(memory, "strategies") });
});
afterAll(async () => {
  await server.close();
  await rm(memory, { recursive: true });
});

interface Operation {
  requestBody?: {
    content: { "application/json": { schema: { properties: object }; example?: Record<string, unknown> } };
  };
  responses: { 200: { content: Record<string, { schema: object }> } };
}
type Document = { paths: Record<string, Record<string, Operation>> };
const openApi = async () => (await (await fetch(`${server.url}/openapi.json`)).json()) as Document;
const PATHS = {
  get: [
    "/engine",
    "/engine/hashes",
    "/engine/tokenizer",
    "/healthz",
    "/memory",
    "/metrics",
    "/openapi.json",
    "/readyz",
    "/strategy",
    "/v1/models",
  ],
  post: ["/check-tokens", "/generate", "/vae-guided", "/v1/embeddings", "/v1/completions"].concat(
    "encode decode reconstruct interpolate mix generate plan trace".split(" ").map((name) => `/latent/${name}`),
    "encode embed write score".split(" ").map((name) => `/engine/${name}`),
    "add search calibrate delete".split(" ").map((name) => `/memory/${name}`),
    "make edit merge show".split(" ").map((name) => `/plan/${name}`),
    "save show remove merge".split(" ").map((name) => `/strategy/${name}`),
  ),
};

describe("the OpenAPI document", () => {
  it("is valid, and has every route", async () => {
    const document = await openApi();
    const { valid, errors } = await new Validator().validate(document as never);
    expect(errors ?? []).toEqual([]);
    expect(valid).toBe(true);
    const paths = (method: string) => Object.keys(document.paths).filter((path) => document.paths[path]![method]);
    expect(paths("get").sort()).toEqual([...PATHS.get].sort());
    expect(paths("post").sort()).toEqual([...PATHS.post].sort());
  });

  it.each([...PATHS.get.map((path) => ["get", path]), ...PATHS.post.map((path) => ["post", path])])(
    "has an example that runs, and its answer as the schema says: %s %s",
    async (method, path) => {
      const { requestBody, responses } = (await openApi()).paths[path!]![method!]!;
      let example = requestBody?.content["application/json"].example;
      if (path === "/latent/decode") {
        const encoded = await post(`${server.url}/latent/encode`, { texts: ["The fox found a lamp."] });
        example = { zs: [encoded.body.latents[0].mean] };
      }
      if (path === "/memory/calibrate") example = { texts: ["The fox found a lamp by the river. ".repeat(8)], nAvg: 1 };
      if (path === "/memory/delete") {
        const added = await post(`${server.url}/memory/add`, { records: [{ text: "It rained." }] });
        example = { ids: added.body.ids };
      }
      if (/^\/strategy\/(show|remove|merge)$/.test(path!)) {
        await post(`${server.url}/strategy/save`, { name: "kind", plan: [{ text: "They all danced." }] });
        example = path === "/strategy/merge" ? { name: "kinder", names: ["kind", "kind"] } : { name: "kind" };
      }
      const url = `${server.url}${path}`;
      const { status, body, headers } =
        method === "post"
          ? await post(url, example)
          : await fetch(url).then(async (response) => ({
              status: response.status,
              headers: response.headers,
              body: path === "/metrics" ? await response.text() : await response.json(),
            }));
      expect(status, JSON.stringify(body)).toBe(200);
      expect(headers.get("x-request-id")).toMatch(/^[\w-]+$/);
      const json = responses[200].content["application/json"];
      if (!json) expect(body).toMatch(/^# HELP bigvae_http_requests_total/m);
      else z.fromJSONSchema(json.schema as never).parse(body);
    },
  );
});

it("a plan is followed where no sampler is named", async () => {
  const body = {
    plan: [{ text: "A storm came up." }],
    context: "The owl slept.",
    nSteps: 1,
    nAvg: 1,
    span: 8,
    seed: 1,
  };
  for (const path of ["generate", "plan"]) {
    const { status, body: answer } = await post(`${server.url}/latent/${path}`, body);
    expect(status, JSON.stringify(answer)).toBe(200);
    expect(answer.spans[0].plan).toMatchObject({ waypoint: 1, waypoints: 1 });
  }
});

describe("strategies", () => {
  const ask = (path: string, body: object) => post(`${server.url}${path}`, body);

  it("are written by where a request names one, moved to where its text stands", async () => {
    const sources = {
      examples: ["The bear was brave."],
      plan: [{ text: "They came home." }],
      origin: "They were away.",
    };
    await ask("/strategy/save", { name: "brave", examples: sources.examples });
    await ask("/strategy/save", { name: "home", plan: sources.plan, origin: sources.origin });
    const run = { context: "The owl slept.", nSteps: 1, nAvg: 1, span: 8, seed: 1 };
    const { body: moved } = await ask("/latent/plan", { ...run, strategy: "home" });
    const { nAvg: _, ...alone } = run;
    const { body: task } = await ask("/latent/generate", { ...alone, strategy: "brave", prompt: "The owl slept." });
    expect(moved.spans[0].plan).toMatchObject({ waypoint: 1, waypoints: 1 });
    expect(task.warnings).toEqual([]);
    const given = { ...alone, sampler: "task", prompt: "The owl slept.", task: sources.examples };
    expect(task.text).toBe((await ask("/latent/generate", given)).body.text);
    const other = {
      ...run,
      sampler: "avg",
      prompt: ["The owl slept.", "It rained."],
      start: "A fox.",
      strategy: "home",
    };
    expect((await ask("/latent/generate", other)).body.warnings).toEqual([
      "the sampler avg ignores start, the plan of the strategy, prompt after the first",
    ]);
    const twice = await ask("/latent/plan", { ...run, strategy: "home", plan: sources.plan });
    expect(twice.status).toBe(400);
    expect(twice.body.error.message).toMatch(/^plan: expected one plan, got another one of the strategy home/);
  });

  it("that are saved at the same time get a version each", async () => {
    const saves = [1, 2, 3].map(() => ask("/strategy/save", { name: "many", examples: ["It rained."] }));
    const answers = await Promise.all(saves);
    expect(answers.map(({ body }) => body.version).sort()).toEqual([1, 2, 3]);
  });

  it("that are damaged hide no other", async () => {
    await ask("/strategy/save", { name: "sound", examples: ["It rained."] });
    await ask("/strategy/save", { name: "spoilt", examples: ["It rained."] });
    await writeFile(join(memory, "strategies", "spoilt", "1.json"), "{");
    const { strategies } = await fetch(`${server.url}/strategy`).then((answer) => answer.json());
    const of = (name: string) => strategies.find((each: { name: string }) => each.name === name);
    expect(of("sound")).toEqual({ name: "sound", versions: [1], examples: 1, waypoints: 0 });
    expect(of("spoilt")).toEqual({ name: "spoilt", versions: [1], problem: expect.stringMatching(/1\.json/) });
    await ask("/strategy/remove", { name: "spoilt" });
  });
});

it("a search that nobody waits for any more ends", async () => {
  const search = { by: "search", sources: ["They danced."], steps: 64, nAvg: 8, beam: 8, stream: true };
  const controller = new AbortController();
  const response = await fetch(`${server.url}/plan/make`, {
    ...{ method: "POST", signal: controller.signal, body: JSON.stringify(search) },
    headers: { "content-type": "application/json" },
  });
  const { value } = await response.body!.getReader().read();
  expect(new TextDecoder().decode(value)).toMatch(/^event: step\ndata: \{"step":1,"steps":63,"text":"/);
  controller.abort();
  const active = async () =>
    /^bigvae_requests_active (\d+)$/m.exec(await (await fetch(`${server.url}/metrics`)).text())![1];
  expect(await until(async () => (await active()) === "0", 5000)).toBe(true);
});

describe("what writes can stream", () => {
  const stream = async (path: string, body: object) => {
    const { status, body: text, headers } = await post<string>(`${server.url}${path}`, { ...body, stream: true });
    expect(status, text).toBe(200);
    expect(headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    const events = eventsOf(text);
    const last = JSON.parse(events.at(-1)!.data);
    expect(events.at(-1)!.event).toBe("result");
    return { events, last, whole: (await post(`${server.url}${path}`, body)).body };
  };
  const pieces = (events: { event: string; data: string }[]) =>
    events
      .filter(({ event }) => event === "token")
      .map(({ data }) => JSON.parse(data) as { index?: number; text: string });

  it.each([
    ["/latent/generate", { sampler: "guide", prompt: "The owl lost a button.", nSteps: 2, seed: 3 }],
    ["/latent/plan", { start: "The owl lost a button.", terminal: "They danced.", nSteps: 1, nAvg: 2, seed: 3 }],
  ])("%s: token by token and span by span", async (path, body) => {
    const { events, last, whole } = await stream(path, body);
    expect(last).toEqual(whole);
    expect(
      pieces(events)
        .map(({ text }) => text)
        .join(""),
    ).toBe(whole.text);
    const spans = events.filter(({ event }) => event === "span").map(({ data }) => JSON.parse(data));
    expect(spans).toEqual(whole.spans.map((span: object, i: number) => ({ span: i + 1, ...span })));
    expect(pieces(events).length).toBeGreaterThan(4);
  });

  interface Whole {
    text: string;
    texts: { text: string }[];
    reconstructions: { reconstruction: string }[];
  }
  const TEXTS = ["The fox found a lamp.", "It rained on the village."];
  it.each<[string, object, (whole: Whole) => string[]]>([
    [
      "/latent/reconstruct",
      { texts: TEXTS, seed: 3 },
      (whole) => whole.reconstructions.map((each) => each.reconstruction),
    ],
    [
      "/latent/interpolate",
      { from: TEXTS[0], to: TEXTS[1], steps: 3, seed: 3 },
      (whole) => whole.texts.map((each) => each.text),
    ],
    ["/latent/mix", { parts: TEXTS.map((source) => ({ weight: 0.5, source })), seed: 3 }, (whole) => [whole.text]],
  ])("%s: the pieces of each text", async (path, body, texts) => {
    const { events, last, whole } = await stream(path, body);
    expect(last).toEqual(whole);
    const joined = texts(whole).map(() => "");
    for (const { index, text } of pieces(events)) joined[index!] += text;
    expect(joined).toEqual(texts(whole));
  });
});

describe("what is refused", () => {
  const COMPLETE = { model: "pocket", prompt: "The owl" };
  const REFUSED: [string, string, unknown, number, RegExp, string | null][] = [
    ["no body", "/latent/encode", "", 400, /JSON/, null],
    ["malformed JSON", "/latent/encode", "{", 400, /body: expected JSON/, null],
    ["bad UTF-8", "/latent/encode", new Uint8Array([0x22, 0xff, 0x22]), 400, /UTF-8/, null],
    ["a list", "/latent/encode", [], 400, /expected object/, null],
    ["a body over the limit", "/latent/encode", { texts: ["x".repeat(2 ** 21)] }, 413, /too large/i, null],
    ["too many texts", "/latent/encode", { texts: Array(513).fill("x") }, 400, /texts: .*512/, "texts"],
    ["an empty text", "/latent/encode", { texts: [""] }, 400, /text 0: expected some text/, null],
    ["a text over the window", "/latent/encode", { texts: ["owl ".repeat(9000)] }, 400, /the model's window/, null],
    ["an unknown field", "/latent/encode", { texts: ["x"], magic: 1 }, 400, /magic/, "magic"],
    ["a latent of another width", "/latent/decode", { zs: [[1, 2, 3]] }, 400, /1025.*got 3/, null],
    ["a latent with a number that is none", "/latent/decode", '{"zs":[[1e999]]}', 400, /zs\.0\.0/, "zs.0.0"],
    ["a negative temperature", "/latent/decode", { zs: [[1]], tau: -1 }, 400, /tau: .*>=0/, "tau"],
    ["too many steps", "/latent/generate", { prompt: "x", nSteps: 1e6 }, 400, /nSteps: .*256/, "nSteps"],
    ["a sampler that is none", "/latent/generate", { sampler: "magic" }, 400, /sampler/, "sampler"],
    ["a sampler without its text", "/latent/generate", { sampler: "guide" }, 400, /give prompt/, null],
    ["a latent of another width at an end", "/latent/interpolate", { from: [0], to: [0] }, 400, /1025/, null],
    ["another model", "/v1/embeddings", { model: "gpt", input: "x" }, 404, /model: expected pocket/, "model"],
    [
      "too many branches",
      "/generate",
      { prompt: "x", weave_beam_width: 3e6 },
      400,
      /weave_beam_width: .*128/,
      "weave_beam_width",
    ],
    ["an unknown token", "/v1/embeddings", { model: "pocket", input: [1e6] }, 400, /token ids/, null],
    ["an empty input", "/v1/embeddings", { model: "pocket", input: "" }, 400, /at least one token/, null],
    [
      "too many dimensions",
      "/v1/embeddings",
      { model: "pocket", input: "x", dimensions: 9999 },
      400,
      /1025/,
      "dimensions",
    ],
    [
      "a prompt over the window",
      "/v1/completions",
      { ...COMPLETE, prompt: "owl ".repeat(9000) },
      400,
      /prompt: expected at most/,
      "prompt",
    ],
    ["too many tokens", "/v1/completions", { ...COMPLETE, max_tokens: 1e6 }, 400, /still fit/, "prompt"],
    ["too many choices", "/v1/completions", { ...COMPLETE, n: 1000 }, 400, /n: .*128/, "n"],
    ["too many choices of all prompts", "/v1/completions", { ...COMPLETE, prompt: ["a", "b"], n: 65 }, 400, /128/, "n"],
    ["a top_p, which is not computed", "/v1/completions", { ...COMPLETE, top_p: 0.5 }, 400, /top_p/, "top_p"],
    ["two writers", "/v1/completions", { ...COMPLETE, z: [1], sampler: "avg" }, 400, /one of z, mix/, "sampler"],
    ["no prompt", "/check-tokens", {}, 400, /text/, "text"],
    ["a line of one text", "/plan/make", { by: "line", sources: ["x"] }, 400, /plan by line: .*two texts, got 1/, null],
    [
      "steps of a plan of texts",
      "/plan/make",
      { sources: ["x"], steps: 3 },
      400,
      /takes it, got one by texts/,
      "steps",
    ],
    [
      "a latent of another width in a plan",
      "/plan/show",
      { plan: [{ z: [1] }] },
      400,
      /waypoint 1: .*1025.*got 1/,
      null,
    ],
    ["an end of another width", "/plan/make", { by: "search", sources: [[1]] }, 400, /1025/, null],
    [
      "a waypoint that is none",
      "/plan/edit",
      { plan: [{ text: "x" }], number: 2, tolerance: 1 },
      400,
      /from 1 to 1/,
      null,
    ],
    ["an edit of nothing", "/plan/edit", { plan: [{ text: "x" }], number: 1 }, 400, /a change of the waypoint/, null],
    [
      "a plan of nothing",
      "/plan/edit",
      { plan: [{ text: "x" }], number: 1, remove: true },
      400,
      /at least two waypoints to take one out of/,
      null,
    ],
    [
      "weights of plans that are not mixed",
      "/plan/merge",
      { plans: [[{ text: "x" }], [{ text: "y" }]], weights: [1, 2], append: true },
      400,
      /weights: expected plans that are mixed, got append/,
      "weights",
    ],
    [
      "an origin of no plan",
      "/strategy/save",
      { name: "a", examples: ["x"], origin: "y" },
      400,
      /a plan that begins there/,
      "origin",
    ],
    [
      "an unknown weight",
      "/plan/make",
      { by: "search", sources: ["x"], steps: 2, weights: { x: 1 } },
      400,
      /likelihood, nearness, coherence, got x = 1/,
      null,
    ],
    ["a version of one's own", "/strategy/save", { name: "a@3", examples: ["x"] }, 400, /a name alone/, null],
    [
      "a line of more waypoints than a plan has",
      "/plan/make",
      { by: "line", sources: ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"], steps: 64 },
      400,
      /at most 512 waypoints, got 576/,
      null,
    ],
    [
      "a strategy beyond its folder",
      "/strategy/save",
      { name: "../up", examples: ["x"] },
      400,
      /a name of letters/,
      null,
    ],
    ["a strategy of a path", "/strategy/remove", { name: "a/b" }, 400, /a name of letters/, null],
    ["a folder's parent as a strategy", "/strategy/show", { name: ".." }, 400, /a name of letters/, null],
    ["an old version beyond its folder", "/latent/generate", { strategy: "..@1" }, 400, /a name of letters/, null],
    ["a strategy that is none", "/latent/generate", { strategy: "gone" }, 400, /got none of this name/, null],
    ["an empty strategy", "/strategy/save", { name: "empty" }, 400, /examples, a plan, or both, got neither/, null],
  ];
  it.each(REFUSED)("%s", async (_, path, body, status, message, param) => {
    const answer = await post<Failed>(`${server.url}${path}`, body);
    expect(answer.body.error.message).toMatch(message);
    expect(answer.body.error.message).not.toContain("`");
    expect(answer.status).toBe(status);
    expect(answer.body.error).toMatchObject({ type: "invalid_request_error", param });
  });

  it("a route that is none, and a method that a route does not have", async () => {
    for (const [method, path] of [
      ["POST", "/v2/models"],
      ["POST", "/v1/models"],
      ["GET", "/latent/encode"],
    ]) {
      const response = await fetch(`${server.url}${path}`, { method: method! });
      expect([400, 404, 405, 415]).toContain(response.status);
      expect(((await response.json()) as Failed).error.message).not.toBe("");
    }
  });

  it("another content type: a page of any origin can send it without asking", async () => {
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]) {
      const { status } = await post(`${server.url}/check-tokens`, '{"text":"x"}', {
        headers: { "content-type": type },
      });
      expect(status, type).toBe(415);
    }
  });

  it("whatever else comes: no answer is the server's own mistake", async () => {
    const paths = PATHS.post;
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), fc.jsonValue({ maxDepth: 5 }), async (path, value) => {
        const { status } = await post(`${server.url}${path}`, JSON.stringify(value));
        expect(status).toBeGreaterThanOrEqual(400);
        expect(status).toBeLessThan(500);
      }),
      { numRuns: 200, seed: 5 },
    );
    const nested = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    for (const body of [nested, `{"texts":${nested}}`, '{"__proto__":{"x":1},"texts":["a"]}', '{"constructor":1}'])
      expect((await post(`${server.url}/latent/encode`, body)).status).toBe(400);
    expect(({} as { x?: number }).x).toBeUndefined();
  }, 30_000);
});
