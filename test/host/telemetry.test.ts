/** A model at work leaves nothing behind: ONNX Runtime keeps a device id and a database of events where its telemetry is on. */
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { tinyFolder } from "../parity/reference.js";
import { output } from "../process.js";

const BUILT = new URL("../../dist/", import.meta.url);

/** Encodes a text with the engine where `isolation` says. */
const program = (isolation: string) => `
  import { BigVae } from ${JSON.stringify(new URL("index.js", BUILT).href)};
  const vae = await BigVae.load(${JSON.stringify(`${tinyFolder}/base`)}, {
    adapters: ${JSON.stringify(`${tinyFolder}/adapters`)}, threads: 1, isolation: "${isolation}"
  });
  console.log((await vae.encode(["one"])).length);
  await vae.close();`;

/** As a training does, in the caller's thread. */
const DIRECT = `
  import { onnxNodeRuntime } from ${JSON.stringify(new URL("runtime/onnxNode.js", BUILT).href)};
  import { input } from ${JSON.stringify(new URL("graph/index.js", BUILT).href)};
  const session = await onnxNodeRuntime({ threads: 1 }).createSession({ y: input("x", [1]) });
  await session.release();
  console.log(1);`;

it.each([
  ["in a thread", program("thread")],
  ["in a process", program("process")],
  ["in the caller's thread", DIRECT],
])("%s", { timeout: 60_000 }, async (_, code) => {
  const home = await mkdtemp(join(tmpdir(), "bigvae-telemetry-"));
  try {
    const places = { HOME: home, XDG_CACHE_HOME: join(home, "cache"), TMPDIR: join(home, "tmp") };
    await mkdir(places.TMPDIR);
    const printed = await output(process.execPath, ["--input-type=module", "-e", code], {
      cwd: home,
      env: { ...places, ORT_DISABLE_TELEMETRY: undefined },
    });
    expect(printed).toBe("1\n");
    expect(await readdir(home, { recursive: true })).toEqual(["tmp"]);
  } finally {
    await rm(home, { recursive: true });
  }
});
