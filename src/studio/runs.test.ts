import { appendFile, mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Runs } from "./runs.js";

let folder: string;
let runs: Runs;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "runs-"));
  runs = new Runs(folder);
});
afterEach(() => rm(folder, { recursive: true }));

const logOf = (name: string) => join(folder, name, "log.jsonl");
const losses = async () => (await runs.list(["run"]))[0]!.curves!.loss;

async function begin(name: string, log = ""): Promise<void> {
  await mkdir(join(folder, name));
  await writeFile(join(folder, name, "run.json"), JSON.stringify({ command: "vae", flags: {} }));
  await writeFile(logOf(name), log);
}

function lines(from: number, to: number, loss: number): string {
  const steps = Array.from({ length: to - from + 1 }, (_, i) => ({ step: from + i, loss }));
  return steps.map((step) => `${JSON.stringify(step)}\n`).join("");
}

const points = (from: number, to: number, loss: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => [from + i, loss]);

it("reads each line once, however many pages ask at the same time", async () => {
  await begin("run", lines(1, 50, 3));
  expect((await Promise.all([losses(), losses(), losses()])).at(-1)).toEqual(points(1, 50, 3));
  await appendFile(logOf("run"), lines(51, 100, 2));
  await Promise.all([losses(), losses(), losses()]);
  expect(await losses()).toEqual([...points(1, 50, 3), ...points(51, 100, 2)]);
});

it("reads a log anew that was cut, also where it has grown past its old end", async () => {
  await begin("run", lines(1, 100, 3));
  expect(await losses()).toHaveLength(100);
  for (const end of [80, 100, 150]) {
    await writeFile(logOf("run"), lines(1, 60, 3) + lines(61, end, 2));
    expect(await losses()).toEqual([...points(1, 60, 3), ...points(61, end, 2)]);
  }
  await rm(logOf("run"));
  expect(await runs.list(["run"])).toMatchObject([{ step: 0, curves: {} }]);
});

it("forgets a run that was deleted", async () => {
  await begin("run", lines(1, 10, 3) + lines(11, 200, 2));
  expect(await losses()).toHaveLength(200);
  await rm(join(folder, "run"), { recursive: true });
  expect(await runs.list([])).toEqual([]);
  // Its end is that of the old one.
  await begin("run", lines(1, 10, 1) + lines(11, 200, 2));
  expect((await losses())!.slice(0, 10)).toEqual(points(1, 10, 1));
});

it("lists the fifty that were written last, and reads no others", async () => {
  for (let i = 0; i < 52; i++) {
    await begin(`run ${i}`, lines(1, i + 1, 3));
    await utimes(logOf(`run ${i}`), 1000 + i, 1000 + i);
  }
  const names = () => runs.list([]).then((found) => found.map(({ name }) => name));
  const newest = Array.from({ length: 50 }, (_, i) => `run ${51 - i}`);
  expect(await names()).toEqual(newest);
  // One that could not be read is not touched.
  await rm(logOf("run 0"));
  await mkdir(logOf("run 0"));
  await utimes(logOf("run 0"), 1, 1);
  expect(await names()).toEqual(newest);
});
