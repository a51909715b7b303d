/** What `train router` writes beside its router: the VAE that it was trained on, with all that it has. */
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { tinyBase, tinyRouterRun, tinyTokenizer, tinyVaeRun, writeTinyData } from "../../../test/train/tiny.js";
import { readVae } from "../../checkpoint/vae.js";
import { trainRouter } from "./trainRouter.js";
import { trainVae } from "./trainVae.js";

const base = tinyBase(tinyTokenizer().vocabSize);
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-router-"));
  await writeTinyData(folder);
});
afterAll(() => rm(folder, { recursive: true }));

it("keeps further adapters of the checkpoint, by name, role and values", async () => {
  const [start, output] = [join(folder, "vae"), join(folder, "router")];
  expect(await trainVae({ ...tinyVaeRun(folder, start), steps: 1 })).toBe(true);
  await cp(join(start, "decoder"), join(start, "expert-a"), { recursive: true });
  const facts = JSON.parse(await readFile(join(start, "bigvae.json"), "utf8"));
  const adapters = { "expert-a": { role: "decoder", folder: "expert-a" } };
  await writeFile(join(start, "bigvae.json"), JSON.stringify({ ...facts, adapters }));
  expect(await trainRouter({ ...tinyRouterRun(folder, output, start), steps: 1 })).toBe(true);
  const [was, is] = [await readVae(start, base), await readVae(output, base)];
  expect(is.facts.adapters).toEqual(adapters);
  expect(is.adapters["expert-a"]).toEqual(was.adapters["expert-a"]);
  expect(is.adapters.decoder).toEqual(was.adapters.decoder);
  expect(is.adapters.router!.tensors).not.toEqual(was.adapters.router!.tensors);
});
