/** Experts over HTTP: which write is told with each span, and a server without any says so. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Server } from "../../src/server/serve.js";
import { PATHS, writeExperts } from "../expert/make.js";
import { eventsOf, type Failed, post, startServer } from "./server.js";

let root: string;
let server: Server;
const model = { model: PATHS.base, load: { adapters: PATHS.adapters, threads: 1 } };
const RUN = { sampler: "guide", prompt: "The river ran.", nSteps: 2, span: 8, seed: 4 };

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "bigvae-expert-server-"));
  server = await startServer({ ...model, experts: await writeExperts(root, ["fables", "letters"]) });
});
afterAll(async () => {
  await server.close();
  await rm(root, { recursive: true });
});

it("writes by as many as are asked for, in one answer and as a stream, and by the router otherwise", async () => {
  const whole = await post(`${server.url}/latent/generate`, { ...RUN, experts: 2 });
  expect(whole.status).toBe(200);
  for (const { experts } of whole.body.spans)
    expect(experts.map(({ name }: { name: string }) => name).sort()).toEqual(["fables", "letters"]);
  const streamed = eventsOf(
    (await post<string>(`${server.url}/latent/generate`, { ...RUN, experts: 2, stream: true })).body,
  );
  const spans = streamed.filter(({ event }) => event === "span").map(({ data }) => JSON.parse(data));
  expect(spans.map(({ experts }) => experts)).toEqual(
    whole.body.spans.map(({ experts }: { experts: unknown }) => experts),
  );
  const plain = await post(`${server.url}/latent/generate`, RUN);
  expect(plain.body.spans[0]).not.toHaveProperty("experts");
  expect(plain.body.text).not.toBe(whole.body.text);
  const traced = await post(`${server.url}/latent/trace`, { ...RUN, experts: 1 });
  const line = traced.body.trace.find(({ kind }: { kind: string }) => kind === "span");
  expect(line.written.experts).toEqual([{ weight: 1, name: expect.stringMatching(/^(fables|letters)$/) }]);
});

it("refuses the field where there are none, and a folder without any at its start", async () => {
  const bare = await startServer(model);
  const refused = await post<Failed>(`${bare.url}/latent/generate`, { ...RUN, experts: 1 });
  await bare.close();
  expect(refused.status).toBe(400);
  expect(refused.body.error.message).toMatch(/expected a server with experts, got one without/);
  await expect(startServer({ ...model, experts: join(root, "none") })).rejects.toThrow(/expected a folder of experts/);
});
