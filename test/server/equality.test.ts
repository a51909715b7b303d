/** The command line and the routes are the same code: the same bytes for the same seed. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readPlan } from "../../src/plans/index.js";
import { type SamplerEntry, type SamplerName, samplers } from "../../src/sampling/samplers.js";
import type { Server } from "../../src/server/serve.js";
import { bigvae, jsonLines } from "../cli/run.js";
import { post, startServer } from "./server.js";

const WAYPOINTS = ["The owl flew home.", "They all danced."];

let server: Server;
let folder: string;
/** A plan of the waypoints. */
let plan: string;
beforeAll(async () => {
  server = await startServer();
  folder = await mkdtemp(join(tmpdir(), "bigvae-equality-"));
  plan = join(folder, "plan.json");
  expect((await bigvae(["plan", "make", plan, ...WAYPOINTS, "--threads", "1"])).code).toBe(0);
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

const TEXTS = {
  prompt: "The owl lost a button.",
  start: "The owl lost a button.",
  terminal: "They all danced.",
  task: "A mouse sang.",
};

/** The command's lines of JSON, and the answer of the route. */
async function both(args: readonly string[], path: string, body: object) {
  const [finished, { body: answer, status }] = await Promise.all([
    bigvae([...args, "--json", "--quiet", "--threads", "1"]),
    post(`${server.url}${path}`, body),
  ]);
  expect(finished.stderr).toBe("");
  expect(status, JSON.stringify(answer)).toBe(200);
  // biome-ignore lint/suspicious/noExplicitAny: lines of every shape
  return { lines: jsonLines<any>(finished), answer };
}

describe("a sampler writes the same by both", () => {
  it.each(Object.keys(samplers) as SamplerName[])("%s", async (sampler) => {
    const { needs: all, takes } = samplers[sampler] as SamplerEntry;
    const needs = all.filter((name) => name !== "plan");
    const isPlanned = needs.length < all.length;
    const numbers = { nSteps: 2, nAvg: 2, nStarts: 1 } as const;
    const flags = { nSteps: "--steps", nAvg: "--n-avg", nStarts: "--n-starts" } as const;
    const own = (Object.keys(numbers) as (keyof typeof numbers)[]).filter((name) => takes.includes(name));
    const args = [
      ...needs.flatMap((name) => [`--${name}`, TEXTS[name]]),
      ...(isPlanned ? ["--plan", plan] : []),
      ...own.flatMap((name) => [flags[name], `${numbers[name]}`]),
    ];
    const body = {
      ...Object.fromEntries(needs.map((name) => [name, name === "task" ? [TEXTS.task] : TEXTS[name]])),
      ...Object.fromEntries(own.map((name) => [name, numbers[name]])),
      ...(isPlanned ? { plan: WAYPOINTS.map((text) => ({ text })) } : {}),
    };
    const { lines, answer } = await both(
      ["generate", "--sampler", sampler, "--seed", "5", "--span", "16", ...args],
      "/latent/generate",
      {
        ...{ sampler, seed: 5, span: 16 },
        ...body,
      },
    );
    const { longerThanSpan: _, ...whole } = lines.at(-1);
    const { spans, warnings, seed, ...written } = answer;
    expect(written).toEqual(whole);
    expect({ warnings, seed }).toEqual({ warnings: [], seed: 5 });
    expect(spans.map((span: object, i: number) => ({ span: i + 1, ...span }))).toEqual(lines.slice(0, -1));
  });
});

describe("texts and latents give the same by both", () => {
  it("plan", async () => {
    const { lines, answer } = await both(
      ["plan", "--start", TEXTS.prompt, "--terminal", TEXTS.terminal, "--steps", "1", "--seed", "5"],
      "/latent/plan",
      { start: TEXTS.prompt, terminal: TEXTS.terminal, nSteps: 1, seed: 5 },
    );
    expect(answer.text).toBe(lines.at(-1).text);
    expect(answer.spans[0].z).toEqual(lines[0].z);
  });

  it("plans, by texts and by search, and merged", async () => {
    const waypoints = async (of: string) =>
      (await readPlan(of)).waypoints.map(({ z, ...rest }) => ({ ...rest, z: Array.from(z!) }));
    const ask = async (path: string, body: object) => (await post(`${server.url}${path}`, body)).body;
    expect((await ask("/plan/make", { sources: WAYPOINTS, seed: 5 })).plan).toEqual(await waypoints(plan));
    const [found, merged] = ["found.json", "merged.json"].map((name) => join(folder, name));
    const flags = ["--context", TEXTS.prompt, "--steps", "2", "--n-avg", "2", "--beam", "1", "--seed", "5"];
    const { answer } = await both(["plan", "make", found!, "--by", "search", TEXTS.terminal, ...flags], "/plan/make", {
      ...{ by: "search", sources: [TEXTS.terminal], context: TEXTS.prompt },
      ...{ steps: 2, nAvg: 2, beam: 1, seed: 5 },
    });
    expect(answer).toEqual({ plan: await waypoints(found!), seed: 5 });
    expect((await bigvae(["plan", "merge", merged!, plan, found!, "--weights", "2,1"])).code).toBe(0);
    const plans = [await waypoints(plan), answer.plan];
    expect(await ask("/plan/merge", { plans, weights: [2, 1] })).toEqual({ plan: await waypoints(merged!) });
  });

  it("encode, with confidences", async () => {
    const texts = [TEXTS.prompt, TEXTS.task];
    const { lines, answer } = await both(["encode", ...texts], "/latent/encode", { texts, confidence: true });
    expect(answer.latents).toEqual(lines.map(({ line: _, ...rest }) => rest));
  });

  it("reconstruct, with noise", async () => {
    const texts = [TEXTS.prompt, TEXTS.task];
    const { lines, answer } = await both(
      ["reconstruct", ...texts, "--noise", "0.5", "--tau", "0.7", "--seed", "5"],
      "/latent/reconstruct",
      { texts, noise: 0.5, tau: 0.7, seed: 5, confidence: true },
    );
    expect(answer.reconstructions).toEqual(lines.map(({ line: _, ...rest }) => rest));
  });

  it("interpolate, and decode of what it gives", async () => {
    const { lines, answer } = await both(
      ["interpolate", TEXTS.prompt, TEXTS.task, "--steps", "3", "--tau", "0.5", "--seed", "5"],
      "/latent/interpolate",
      { from: TEXTS.prompt, to: TEXTS.task, steps: 3, tau: 0.5, seed: 5 },
    );
    expect(answer.texts).toEqual(lines.map(({ t, text, z }) => ({ t, text, z })));
    const zs = lines.map(({ z }) => z);
    const input = zs.map((z) => `${JSON.stringify({ z })}\n`).join("");
    const decoded = await bigvae(["decode", "-", "--json", "--tau", "0.5", "--seed", "5", "--threads", "1"], input);
    const { body } = await post(`${server.url}/latent/decode`, { zs, tau: 0.5, seed: 5 });
    expect(body.texts).toEqual(jsonLines<{ text: string }>(decoded).map(({ text }) => text));
  });

  it("mix", async () => {
    const { lines, answer } = await both(
      ["mix", `0.7:${TEXTS.prompt}`, `-0.2:${TEXTS.task}`, "--seed", "5"],
      "/latent/mix",
      {
        parts: [
          { weight: 0.7, source: TEXTS.prompt },
          { weight: -0.2, source: TEXTS.task },
        ],
        seed: 5,
      },
    );
    expect({ text: answer.text, z: answer.z }).toEqual({ text: lines[0].text, z: lines[0].z });
  });

  it("generate by the base alone, and a completion", async () => {
    const { lines, answer } = await both(
      ["generate", "--base", "--prompt", "The owl lost", "--steps", "1", "--span", "20", "--tau", "1", "--seed", "5"],
      "/v1/completions",
      { model: "pocket", prompt: "The owl lost", max_tokens: 20, seed: 5 },
    );
    expect(answer.choices[0].text).toBe(lines.at(-1).text);
  });
});
