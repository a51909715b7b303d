/** `doctor` names the adapters of a model, and what each does. */
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { tinyFolder } from "../parity/reference.js";
import { bigvae, jsonLines } from "./run.js";

it("shows the names and roles of all adapters", async () => {
  const folder = await mkdtemp(join(tmpdir(), "bigvae-doctor-"));
  await cp(join(tinyFolder, "adapters"), folder, { recursive: true });
  for (const [from, to] of [
    [join(tinyFolder, "base"), "base"],
    [join(folder, "router"), "expert-a"],
  ] as const)
    await cp(from, join(folder, to), { recursive: true });
  const adapters = { "expert-a": { role: "router", folder: "expert-a" } };
  await writeFile(join(folder, "bigvae.json"), JSON.stringify({ adapters }));
  const checks = jsonLines<{ name: string }>(await bigvae(["doctor", "--model", folder, "--json"]));
  expect(checks.find(({ name }) => name === "model")).toMatchObject({
    ok: true,
    adapters: { encoder: "encoder", decoder: "decoder", router: "router", "expert-a": "router" },
  });
  await rm(folder, { recursive: true });
});
