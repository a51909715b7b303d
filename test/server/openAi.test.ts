/** OpenAI's own client, with its defaults, on the real server. */
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Server } from "../../src/server/serve.js";
import { importBuilt } from "../host/built.js";
import { run as runProgram } from "../process.js";
import { post, startServer } from "./server.js";

let server: Server;
let openai: OpenAI;
let vae: Awaited<ReturnType<Awaited<ReturnType<typeof importBuilt>>["BigVae"]["load"]>>;
beforeAll(async () => {
  const { BigVae } = await importBuilt();
  [server, vae] = await Promise.all([startServer(), BigVae.load("pocket", { threads: 1 })]);
  openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "unused" });
});
afterAll(() => Promise.all([server.close(), vae.close()]));

const model = "pocket";
const TEXTS = ["The fox found a lamp.", "It rained."];

describe("models", () => {
  it("are listed", async () => {
    const ids: string[] = [];
    for await (const { id } of openai.models.list()) ids.push(id);
    expect(ids).toEqual(["pocket"]);
  });
});

describe("embeddings", () => {
  it("come as base64, which the client asks for, and are the encoder's means to the bit", async () => {
    const { data, usage } = await openai.embeddings.create({ model, input: TEXTS });
    const means = (await vae.encode(TEXTS)).map(({ mean }) => Array.from(mean));
    expect(data.map(({ embedding }) => embedding)).toEqual(means);
    expect(data.map(({ index }) => index)).toEqual([0, 1]);
    const tokens = TEXTS.flatMap((text) => vae.tokenizer.encode(text)).length;
    expect(usage).toEqual({ prompt_tokens: tokens, total_tokens: tokens });
  });

  it("are the same as floats, from one text, and from tokens", async () => {
    const create = async (input: OpenAI.EmbeddingCreateParams["input"]) =>
      (await openai.embeddings.create({ model, input, encoding_format: "float" })).data.map(
        ({ embedding }) => embedding,
      );
    const [fox] = await create(TEXTS[0]!);
    const ids = vae.tokenizer.encode(TEXTS[0]!);
    expect(await create(ids)).toEqual([fox]);
    expect(await create([ids, ids])).toEqual([fox, fox]);
    expect(fox).toHaveLength(vae.width);
  });

  it("have as many dimensions as are asked for, at length 1", async () => {
    const [whole, cut] = await Promise.all(
      [{}, { dimensions: 64 }].map((more) => openai.embeddings.create({ model, input: TEXTS[0]!, ...more })),
    );
    const [all, first] = [whole!.data[0]!.embedding, cut!.data[0]!.embedding];
    const norm = Math.hypot(...all.slice(0, 64));
    expect(first).toHaveLength(64);
    for (const [i, value] of first.entries()) expect(value).toBeCloseTo(all[i]! / norm, 6);
  });

  it("of another model are a NotFoundError", async () => {
    await expect(openai.embeddings.create({ model: "gpt", input: "x" })).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  });
});

describe("completions", () => {
  const ask = { model, prompt: "The owl lost", max_tokens: 24, seed: 3 };

  it("are what the base writes in the library, by the same seed", async () => {
    const run = vae.complete(ask.prompt, { nSteps: 1, span: 24, tau: 1, seed: 3 });
    const { value } = await run.next();
    await run.return(undefined as never);
    const { choices, usage } = await openai.completions.create(ask);
    expect(choices).toEqual([
      { text: (value as { text: string }).text, index: 0, logprobs: null, finish_reason: "length" },
    ]);
    expect(usage).toEqual({ prompt_tokens: 3, completion_tokens: 24, total_tokens: 27 });
  });

  it("stream the same text, with usage at the end", async () => {
    const { choices, usage: counted } = await openai.completions.create({ ...ask, n: 2 });
    const texts = ["", ""];
    const reasons: (string | null)[] = [];
    let usage: OpenAI.CompletionUsage | null | undefined;
    let chunks = 0;
    for await (const chunk of await openai.completions.create({
      ...ask,
      n: 2,
      stream: true,
      stream_options: { include_usage: true },
    })) {
      chunks++;
      usage = chunk.usage ?? usage;
      for (const { index, text, finish_reason } of chunk.choices) {
        texts[index] += text;
        if (finish_reason) reasons[index] = finish_reason;
      }
    }
    expect(texts).toEqual(choices.map(({ text }) => text));
    expect(texts[0]).not.toBe(texts[1]);
    expect(reasons).toEqual(choices.map(({ finish_reason }) => finish_reason));
    expect(usage).toEqual(counted);
    expect(chunks).toBeGreaterThan(20);
  });

  it("end ahead of a stop string, streamed or not", async () => {
    const { choices } = await openai.completions.create(ask);
    const whole = choices[0]!.text;
    // A string across tokens, and one that never comes.
    const stop = [whole.slice(11, 17), "\u2603"];
    const cut = await openai.completions.create({ ...ask, stop });
    expect(cut.choices[0]).toMatchObject({ text: whole.slice(0, whole.indexOf(stop[0]!)), finish_reason: "stop" });
    expect(cut.usage!.completion_tokens).toBeLessThan(24);
    let streamed = "";
    for await (const chunk of await openai.completions.create({ ...ask, stop, stream: true }))
      streamed += chunk.choices[0]?.text ?? "";
    expect(streamed).toBe(cut.choices[0]!.text);
  });

  it("of several prompts come in their order, each as it comes alone", async () => {
    const prompts = ["The owl lost", "It rained"];
    const together = await openai.completions.create({ ...ask, prompt: prompts, n: 2, temperature: 0 });
    expect(together.choices.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    for (const [i, prompt] of prompts.entries()) {
      const alone = await openai.completions.create({ ...ask, prompt, n: 2, temperature: 0 });
      expect(together.choices.slice(2 * i, 2 * i + 2).map(({ text }) => text)).toEqual(
        alone.choices.map(({ text }) => text),
      );
    }
  });

  it("with logprobs have those of the engine, and the likeliest tokens", async () => {
    const { choices } = await openai.completions.create({ ...ask, max_tokens: 8, logprobs: 1, temperature: 0 });
    const { text, logprobs } = choices[0]!;
    const ids = vae.tokenizer.encode(ask.prompt);
    const run = vae.complete(ask.prompt, { nSteps: 1, span: 8, tau: 0 });
    const { value } = await run.next();
    await run.return(undefined as never);
    const { beginId } = vae.tokenizer;
    const context = beginId === undefined ? ids : [beginId, ...ids];
    const [score] = await vae.engine.score([{ target: (value as { ids: readonly number[] }).ids }], "base", context);
    for (const [i, value] of score!.logProbabilities.entries())
      expect(logprobs!.token_logprobs![i]).toBeCloseTo(value, 4);
    expect(logprobs!.tokens!.join("")).toBe(text);
    // Greedy: the likeliest token is the one that was written.
    expect(logprobs!.top_logprobs!.map((top) => Object.keys(top))).toEqual(logprobs!.tokens!.map((token) => [token]));
    expect(logprobs!.text_offset).toEqual(
      logprobs!.tokens!.map((_, i) => logprobs!.tokens!.slice(0, i).join("").length),
    );
  });

  it("echo the prompt, and score it where nothing is written", async () => {
    const { choices } = await openai.completions.create({ ...ask, max_tokens: 0, echo: true, logprobs: 0 });
    const { text, logprobs, finish_reason } = choices[0]!;
    expect({ text, finish_reason }).toEqual({ text: "The owl lost", finish_reason: "length" });
    expect(logprobs!.tokens).toEqual(["The", " owl", " lost"]);
    expect(logprobs!.token_logprobs![0]).toBeNull();
    expect(logprobs!.token_logprobs!.slice(1).every((value) => (value as number) < 0)).toBe(true);
    expect(logprobs!.top_logprobs).toBeNull();
    const echoed = await openai.completions.create({ ...ask, echo: true });
    expect(echoed.choices[0]!.text).toBe(`The owl lost${(await openai.completions.create(ask)).choices[0]!.text}`);
  });

  it("from a latent are the router's, from a mix those of the mix", async () => {
    const [fox, rain] = await vae.encode(TEXTS);
    const asked = { ...ask, temperature: 0.9, max_tokens: 20 };
    const create = async (more: object) =>
      (await openai.completions.create({ ...asked, ...more } as OpenAI.CompletionCreateParamsNonStreaming)).choices[0]!
        .text;
    const z = Array.from(fox!.mean);
    const how = { context: ask.prompt, nTokens: 20, tau: 0.9, seed: 3 };
    expect(await create({ z })).toBe(await vae.continue(fox!.mean, how));
    const parts = [
      { weight: 0.5, source: TEXTS[0] },
      { weight: 0.5, source: Array.from(rain!.mean) },
    ];
    const mixed = vae.mix([fox!.mean, rain!.mean], [0.5, 0.5]);
    const cfgScale = vae.space.mixScale([0.5, 0.5]);
    expect(await create({ mix: parts })).toBe(await vae.continue(mixed, { ...how, cfgScale }));
  });

  it("by a sampler are its text, cut to the number of tokens", async () => {
    const { body } = await post(`${server.url}/latent/generate`, {
      ...{ sampler: "guide", prompt: "A storm came.", context: "The owl lost a button.", nSteps: 1, tau: 0.9, seed: 3 },
    });
    const asked = { ...ask, prompt: "The owl lost a button.", temperature: 0.9, guide: "A storm came." };
    const { choices, usage } = await openai.completions.create(asked);
    const ids = body.ids.slice(0, 24);
    expect(usage!.completion_tokens).toBe(ids.length);
    expect(choices[0]!.text).toBe(vae.tokenizer.decode(ids, { skipSpecial: true }));
  });

  it("differ from request to request where no seed is given, and say which one was drawn", async () => {
    const { seed: _, ...unseeded } = ask;
    const [a, b] = [await openai.completions.create(unseeded), await openai.completions.create(unseeded)];
    expect(a.choices[0]!.text).not.toBe(b.choices[0]!.text);
    const { seed } = a as unknown as { seed: number };
    expect((await openai.completions.create({ ...ask, seed })).choices[0]!.text).toBe(a.choices[0]!.text);
  });

  it("that are refused are a BadRequestError with the field", async () => {
    const error = await openai.completions.create({ ...ask, temperature: -1 }).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({ status: 400, param: "temperature", type: "invalid_request_error" });
  });
});

/** A venv's python with `pip install openai`; tried with 3.57.0. */
const python = process.env.BIGVAE_PYTHON;

describe.runIf(python)("Python's client", () => {
  it("takes embeddings, completions and streams with its defaults", async () => {
    const code = `
import json, sys
from openai import OpenAI
client = OpenAI(base_url=sys.argv[1] + "/v1", api_key="unused")
model = [each.id for each in client.models.list()][0]
vectors = client.embeddings.create(model=model, input=["The fox found a lamp.", "It rained."]).data
text = client.completions.create(model=model, prompt="The owl lost", max_tokens=24, seed=3).choices[0].text
chunks = client.completions.create(model=model, prompt="The owl lost", max_tokens=24, seed=3, stream=True)
streamed = "".join(chunk.choices[0].text for chunk in chunks)
print(json.dumps({"widths": [len(each.embedding) for each in vectors], "text": text, "streamed": streamed}))
`;
    const { stdout, stderr } = await runProgram(python!, ["-c", code, server.url], { cwd: "." });
    expect(stderr).toBe("");
    const { widths, text, streamed } = JSON.parse(stdout);
    expect(widths).toEqual([vae.width, vae.width]);
    expect(text).not.toBe("");
    expect(streamed).toBe(text);
  });
});
