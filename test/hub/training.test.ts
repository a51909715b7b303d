/** Training on models that go by a hub name. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, expect, it } from "vitest";
import { pullModel } from "../../src/host/pullModel.js";
import { trainBase, trainRouter, trainVae } from "../../src/train/index.js";
import { expectRefusal } from "../badInput/folder.js";
import { tinyBaseRun, tinyRouterRun, tinyVaeRun, writeTinyData } from "../train/tiny.js";
import { repository } from "./hubMock.js";
import { filesOf, useMachine } from "./models.js";

const BASE = "owner/tiny-base";
const VAE = "owner/tiny-vae";
const machine = useMachine();

let folder: string;
const output = (name: string) => join(folder, name);
const flagsOf = async (name: string) => JSON.parse(await readFile(join(output(name), "run.json"), "utf8")).flags;

async function publish(name: string, path: string) {
  machine.hub.repositories[name] = repository(filesOf(path));
  await pullModel(name);
}

beforeEach(async () => {
  folder = join(machine.home, "data");
  await writeTinyData(folder);
  await publish(BASE, join(folder, "base"));
});

it("opens base and adapters in the cache, and keeps their names for a run that is resumed", async () => {
  expect(await trainVae({ ...tinyVaeRun(folder, output("vae")), model: BASE, steps: 1 })).toBe(true);
  expect((await flagsOf("vae")).model).toBe(BASE);
  expect(await trainVae({ output: output("vae"), resume: true, steps: 2 })).toBe(true);
  await publish(VAE, output("vae"));
  const router = { ...tinyRouterRun(folder, output("router"), VAE), model: BASE, steps: 1 };
  expect(await trainRouter(router)).toBe(true);
  expect((await flagsOf("router")).startFrom).toBe(VAE);
  const again = { ...tinyVaeRun(folder, output("again")), model: BASE, startFrom: VAE, steps: 1 };
  expect(await trainVae(again)).toBe(true);
});

it("trains a base on from one in the cache, with its tokenizer", async () => {
  const { hiddenSize, intermediateSize, layers, heads, kvHeads, maxPositions, ...rest } = tinyBaseRun(
    folder,
    output("base-2"),
  );
  expect(await trainBase({ ...rest, tokenizer: BASE, startFrom: BASE, steps: 1 })).toBe(true);
  expect(await flagsOf("base-2")).toMatchObject({ tokenizer: BASE, startFrom: BASE });
});

it.each([
  ["model", () => ({ model: "owner/none" })],
  ["startFrom", () => ({ startFrom: "owner/none" })],
])("says how to get what `%s` names and the cache does not hold", async (option, given) => {
  const work = () => trainVae({ ...tinyVaeRun(folder, output("none")), ...given(), steps: 1 });
  await expectRefusal(work, "usage", new RegExp(`^\`${option}\` owner/none: .*\`bigvae pull owner/none\`$`));
});
