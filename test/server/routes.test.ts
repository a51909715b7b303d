/** Every route of the real server: its example, its schema, its stream. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { PATHS } from "./paths.js";
import { eventsOf, post, startServerWithMemory, until } from "./server.js";

const started = startServerWithMemory();

interface Operation {
  requestBody?: {
    content: { "application/json": { schema: { properties: object }; example?: Record<string, unknown> } };
  };
  responses: { 200: { content: Record<string, { schema: object }> } };
}
type Document = { paths: Record<string, Record<string, Operation>> };
const openApi = async () => (await (await fetch(`${started.server.url}/openapi.json`)).json()) as Document;
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
        const encoded = await post(`${started.server.url}/latent/encode`, { texts: ["The fox found a lamp."] });
        example = { zs: [encoded.body.latents[0].mean] };
      }
      if (path === "/memory/calibrate") example = { texts: ["The fox found a lamp by the river. ".repeat(8)], nAvg: 1 };
      if (path === "/memory/delete") {
        const added = await post(`${started.server.url}/memory/add`, { records: [{ text: "It rained." }] });
        example = { ids: added.body.ids };
      }
      if (/^\/strategy\/(show|remove|merge)$/.test(path!)) {
        await post(`${started.server.url}/strategy/save`, { name: "kind", plan: [{ text: "They all danced." }] });
        example = path === "/strategy/merge" ? { name: "kinder", names: ["kind", "kind"] } : { name: "kind" };
      }
      const url = `${started.server.url}${path}`;
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
    const { status, body: answer } = await post(`${started.server.url}/latent/${path}`, body);
    expect(status, JSON.stringify(answer)).toBe(200);
    expect(answer.spans[0].plan).toMatchObject({ waypoint: 1, waypoints: 1 });
  }
});

describe("strategies", () => {
  const ask = (path: string, body: object) => post(`${started.server.url}${path}`, body);

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
    await writeFile(join(started.folder, "strategies", "spoilt", "1.json"), "{");
    const { strategies } = await fetch(`${started.server.url}/strategy`).then((answer) => answer.json());
    const of = (name: string) => strategies.find((each: { name: string }) => each.name === name);
    expect(of("sound")).toEqual({ name: "sound", versions: [1], examples: 1, waypoints: 0 });
    expect(of("spoilt")).toEqual({ name: "spoilt", versions: [1], problem: expect.stringMatching(/1\.json/) });
    await ask("/strategy/remove", { name: "spoilt" });
  });
});

it("a search that nobody waits for any more ends", async () => {
  const search = { by: "search", sources: ["They danced."], steps: 64, nAvg: 8, beam: 8, stream: true };
  const controller = new AbortController();
  const response = await fetch(`${started.server.url}/plan/make`, {
    ...{ method: "POST", signal: controller.signal, body: JSON.stringify(search) },
    headers: { "content-type": "application/json" },
  });
  const { value } = await response.body!.getReader().read();
  expect(new TextDecoder().decode(value)).toMatch(/^event: step\ndata: \{"step":1,"steps":63,"text":"/);
  controller.abort();
  const active = async () =>
    /^bigvae_requests_active (\d+)$/m.exec(await (await fetch(`${started.server.url}/metrics`)).text())![1];
  expect(await until(async () => (await active()) === "0", 5000)).toBe(true);
});

describe("what writes can stream", () => {
  const stream = async (path: string, body: object) => {
    const {
      status,
      body: text,
      headers,
    } = await post<string>(`${started.server.url}${path}`, { ...body, stream: true });
    expect(status, text).toBe(200);
    expect(headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    const events = eventsOf(text);
    const last = JSON.parse(events.at(-1)!.data);
    expect(events.at(-1)!.event).toBe("result");
    return { events, last, whole: (await post(`${started.server.url}${path}`, body)).body };
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
