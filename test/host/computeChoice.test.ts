/** What `compute` "auto" becomes: measured once on this machine, and kept. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type ComputeChoice, settleCompute } from "../../src/host/computeChoice.js";
import { onnxNodeRuntime } from "../../src/runtime/onnxNode.js";
import type { Runtime } from "../../src/runtime/runtime.js";
import { saturatesInInt8 } from "../../src/weights/index.js";
import { MID_SIZE } from "./randomModel.js";

let folder: string;
let sessions = 0;
const machine = onnxNodeRuntime({ threads: 1 });
const counting: Runtime = {
  device: "cpu",
  createSession(outputs, options) {
    sessions++;
    return machine.createSession(outputs, options);
  },
};
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-compute-"));
  sessions = 0;
});
afterEach(() => rm(folder, { recursive: true }));

const settle = (choice: ComputeChoice, fits = true, quant: "none" | "int4" = "none") =>
  settleCompute(choice, quant, MID_SIZE, { runtime: counting, threads: 1, fits, folder });
const file = () => join(folder, "int8Speed.json");
const kept = async () => Object.entries(JSON.parse(await readFile(file(), "utf8")) as Record<string, number>);

it("measures nothing where there is no choice", async () => {
  expect(await settle("fp32")).toBe("fp32");
  expect(await settle("int8")).toBe("int8");
  expect(await settle("auto", true, "int4")).toBe("fp32");
  expect(await settle("auto", false)).toBe("fp32");
  expect(sessions).toBe(0);
});

it("measures once, and goes by what was measured", async () => {
  const choice = await settle("auto");
  const [[key, gain] = ["", Number.NaN]] = await kept();
  expect(choice).toBe(gain >= 1.3 ? "int8" : "fp32");
  if (await saturatesInInt8(machine)) expect(gain).toBe(0);
  else expect(gain).toBeGreaterThan(0.1);
  const measured = sessions;
  for (const [value, expected] of [
    [1.2, "fp32"],
    [1.4, "int8"],
  ] as const) {
    await writeFile(file(), JSON.stringify({ [key]: value, "another machine": 9 }));
    expect(await settle("auto")).toBe(expected);
  }
  expect(sessions).toBe(measured);
});

it("measures anew where the file is spoilt, and keeps what is known of others", async () => {
  await writeFile(file(), '{"cut');
  await settle("auto");
  expect(sessions).toBeGreaterThan(0);
  const [[key] = [""]] = await kept();
  await writeFile(file(), JSON.stringify({ "another machine": 9, [key]: "fast" }));
  await settle("auto");
  expect(Object.fromEntries(await kept())).toMatchObject({ "another machine": 9, [key]: expect.any(Number) });
});

it("computes in fp32 where sums are cut off", async () => {
  const cutting: Runtime = {
    device: "cpu",
    createSession: async () => ({
      run: async () => ({ y: { type: "float32", shape: [1, 64], data: new Float32Array(64).fill(40) } }) as never,
      release: async () => undefined,
    }),
  };
  expect(await settleCompute("auto", "none", MID_SIZE, { runtime: cutting, folder })).toBe("fp32");
  expect((await kept())[0]![1]).toBe(0);
});
