/** `bigvae studio` as a command, and its server, on the pocket model. */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, it } from "vitest";
import { exportProject, Project } from "../../src/project/index.js";
import { bigvae, MAIN } from "../cli/run.js";
import { tinyFolder } from "../parity/reference.js";
import { post, startServer } from "../server/server.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "studio-"));
});
afterEach(() => rm(folder, { recursive: true }));

const COMMAND = ["studio", "--port", "0", "--no-open", "--threads", "1", "--json"];

it("draws the same seeds again for the same --seed; a second studio on its project ends at once", async () => {
  const seeds = await Promise.all(
    ["a", "b"].map(async (name) => {
      const project = join(folder, name);
      const child = spawn(process.execPath, [MAIN, ...COMMAND, "--project", project, "--seed", "7"]);
      const ended = new Promise((resolve) => child.once("close", resolve));
      const [line] = await new Promise<string[]>((resolve) =>
        createInterface({ input: child.stdout }).once("line", (...args) => resolve(args)),
      );
      const { url } = JSON.parse(line!) as { url: string };
      const { id: parent } = (await post(`${url}/studio/type`, { text: "It rained." })).body;
      for (let i = 0; i < 2; i++) {
        const begun = await post(`${url}/studio/write`, {
          parent,
          sampler: "generate",
          options: { nSteps: 1, span: 2 },
        });
        expect(begun).toMatchObject({ status: 200 });
      }
      const { nodes } = (await (await fetch(`${url}/studio/state`)).json()) as { nodes: { settings: object }[] };
      if (name === "b") {
        const start = performance.now();
        const second = await bigvae([...COMMAND, "--project", project]);
        expect(second).toMatchObject({ code: 8, stdout: "", stderr: expect.stringContaining(String(child.pid)) });
        expect(performance.now() - start).toBeLessThan(10_000);
      }
      child.kill("SIGTERM");
      await ended;
      return nodes.map(({ settings }) => settings);
    }),
  );
  expect(seeds[0]).toHaveLength(3);
  expect(seeds[0]).toEqual(seeds[1]);
}, 60_000);

it("refuses a project with latents of another model, and lets go of it", async () => {
  const project = await Project.open(folder);
  project.addFacts({ model: "large", latents_sha256: "c".repeat(64) });
  await project.close();
  await expect(startServer({ project: folder, load: { threads: 1 } })).rejects.toThrow(
    /latents of large .* got those of pocket/,
  );
});

it("refuses a base alone, and names what to give", async () => {
  await expect(startServer({ project: folder, load: { threads: 1 }, model: `${tinyFolder}/base` })).rejects.toThrow(
    /^model base: expected adapters, .*; name their folder as `adapters`, or leave out `model` for the pocket model$/,
  );
});

it("answers 503 while the model is loaded, and events only then", async () => {
  const { serve } = (await import(
    /* @vite-ignore */ new URL("../../dist/server/serve.js", import.meta.url).href
  )) as typeof import("../../src/server/serve.js");
  const server = await serve({ port: 0, project: folder, seed: 1, version: "0.0.0", load: { threads: 1 } });
  try {
    for (const path of ["state", "events"]) expect((await fetch(`${server.url}/studio/${path}`)).status).toBe(503);
    await server.loaded;
    const stop = new AbortController();
    const events = await fetch(`${server.url}/studio/events`, { signal: stop.signal });
    expect(events.status).toBe(200);
    stop.abort();
    const typed = await post(`${server.url}/studio/type`, { text: "It rained." });
    expect(typed.status).toBe(200);
    const file = await (await fetch(`${server.url}/studio/export`)).json();
    expect((await post(`${server.url}/studio/import`, file)).body).toEqual({ nodes: 1 });
    const all = await (await fetch(`${server.url}/studio/state`)).json();
    expect(all).toMatchObject({ nodes: [{ id: 1 }, { id: 2 }] });
    const map = await (await fetch(`${server.url}/studio/map`)).json();
    expect(map).toMatchObject({ layout: "pca", points: [{ node: 1 }, { node: 2 }] });
  } finally {
    await server.close();
  }
  const project = await Project.open(folder);
  expect(exportProject(project).facts).toMatchObject({ model: "pocket" });
  await project.close();
}, 60_000);
