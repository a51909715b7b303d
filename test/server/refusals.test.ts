/** What the real server refuses: the status, the sentence and the field of each error. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PATHS } from "./paths.js";
import { type Failed, post, startServerWithMemory } from "./server.js";

const started = startServerWithMemory();

describe("what is refused", () => {
  const COMPLETE = { model: "pocket", prompt: "The owl" };
  const REFUSED: [string, string, unknown, number, RegExp, string | null][] = [
    ["no body", "/latent/encode", "", 400, /JSON/, null],
    ["malformed JSON", "/latent/encode", "{", 400, /body: expected JSON/, null],
    ["bad UTF-8", "/latent/encode", new Uint8Array([0x22, 0xff, 0x22]), 400, /UTF-8/, null],
    ["a list", "/latent/encode", [], 400, /expected object/, null],
    ["a body over the limit", "/latent/encode", { texts: ["x".repeat(2 ** 21)] }, 413, /too large/i, null],
    ["too many texts", "/latent/encode", { texts: Array(513).fill("x") }, 400, /texts: .*512/, "texts"],
    ["an empty text", "/latent/encode", { texts: [""] }, 400, /text 1: expected some text/, null],
    ["a text over the window", "/latent/encode", { texts: ["owl ".repeat(9000)] }, 400, /the model's window/, null],
    ["an unknown field", "/latent/encode", { texts: ["x"], magic: 1 }, 400, /magic/, "magic"],
    ["a latent of another width", "/latent/decode", { zs: [[1, 2, 3]] }, 400, /1025.*got 3/, null],
    ["a latent with a number that is none", "/latent/decode", '{"zs":[[1e999]]}', 400, /zs\.0\.0/, "zs.0.0"],
    ["a negative temperature", "/latent/decode", { zs: [[1]], tau: -1 }, 400, /tau: .*>=0/, "tau"],
    [
      "a number for a text",
      "/latent/generate",
      { prompt: 5 },
      400,
      /^prompt: expected string or array, got number; see /,
      "prompt",
    ],
    [
      "a number among texts",
      "/latent/generate",
      { prompt: ["a", 5] },
      400,
      /^prompt\.1: expected string or array, got number; see /,
      "prompt.1",
    ],
    [
      "too many topics",
      "/latent/generate",
      { prompt: Array(513).fill("a") },
      400,
      /^prompt: expected array to have <=512 items, got another value; see /,
      "prompt",
    ],
    [
      "an example that is none",
      "/latent/generate",
      { sampler: "task", prompt: "a", task: [true] },
      400,
      /^task\.0: expected string or array or object, got boolean; see /,
      "task.0",
    ],
    [
      "half an example",
      "/latent/generate",
      { sampler: "task", prompt: "a", task: [{ z: [1] }] },
      400,
      /^task\.0\.examples: expected number, got undefined; see /,
      "task.0.examples",
    ],
    [
      "an input of true",
      "/v1/embeddings",
      { model: "pocket", input: true },
      400,
      /^input: expected string or array, got boolean; /,
      "input",
    ],
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
    const answer = await post<Failed>(`${started.server.url}${path}`, body);
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
      const response = await fetch(`${started.server.url}${path}`, { method: method! });
      expect([400, 404, 405, 415]).toContain(response.status);
      expect(((await response.json()) as Failed).error.message).not.toBe("");
    }
  });

  it("another content type: a page of any origin can send it without asking", async () => {
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]) {
      const { status } = await post(`${started.server.url}/check-tokens`, '{"text":"x"}', {
        headers: { "content-type": type },
      });
      expect(status, type).toBe(415);
    }
  });

  it("whatever else comes: no answer is the server's own mistake", async () => {
    const paths = PATHS.post;
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), fc.jsonValue({ maxDepth: 5 }), async (path, value) => {
        const { status } = await post(`${started.server.url}${path}`, JSON.stringify(value));
        expect(status).toBeGreaterThanOrEqual(400);
        expect(status).toBeLessThan(500);
      }),
      { numRuns: 200, seed: 5 },
    );
    const nested = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    for (const body of [nested, `{"texts":${nested}}`, '{"__proto__":{"x":1},"texts":["a"]}', '{"constructor":1}'])
      expect((await post(`${started.server.url}/latent/encode`, body)).status).toBe(400);
    expect(({} as { x?: number }).x).toBeUndefined();
  }, 30_000);
});
