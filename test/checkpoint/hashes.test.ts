/** The hash of a base is that of the files that its weights are read from, and of no other. */
import { cp, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { baseSha256 } from "../../src/checkpoint/hashes.js";
import { openSafetensorsFolder, writeSafetensors } from "../../src/formats/index.js";

const pocket = fileURLToPath(new URL("../../pocket", import.meta.url));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-hash-"));
});
afterEach(() => rm(folder, { recursive: true }));

const write = (name: string, tensor: string, value: number) =>
  writeSafetensors(
    join(folder, name),
    new Map([[tensor, { dtype: "F32", shape: [1], data: Float32Array.of(value) } as const]]),
  );
const index = (shards: Record<string, string>) =>
  writeFile(join(folder, "model.safetensors.index.json"), JSON.stringify({ weight_map: shards }));

describe("baseSha256", () => {
  it("is that of the pocket model's facts", async () => {
    const { base_sha256 } = JSON.parse(await readFile(join(pocket, "bigvae.json"), "utf8"));
    expect(await baseSha256(join(pocket, "base"))).toBe(base_sha256);
  });

  it("follows the index: files that are not read do not count, shards of any name do", async () => {
    await write("model.safetensors", "a", 1);
    const single = await baseSha256(folder);
    await write("model-of-before.safetensors", "a", 7);
    expect(await baseSha256(folder)).toBe(single);

    await write("weights-1.safetensors", "a", 1);
    await write("weights-2.safetensors", "b", 2);
    await index({ a: "weights-1.safetensors", b: "weights-2.safetensors" });
    const sharded = await baseSha256(folder);
    expect(sharded).not.toBe(single);
    await write("weights-2.safetensors", "b", 3);
    const other = await baseSha256(folder);
    expect(other).not.toBe(sharded);
    const source = await openSafetensorsFolder(folder);
    expect(await source.readFloat32("b")).toEqual(Float32Array.of(3));
    await source.close();
  });

  it("is the same for the same files elsewhere", async () => {
    await write("model.safetensors", "a", 1);
    const moved = `${folder}-moved`;
    await cp(folder, `${folder}-copy`, { recursive: true });
    await rename(`${folder}-copy`, moved);
    expect(await baseSha256(moved)).toBe(await baseSha256(folder));
    await rm(moved, { recursive: true });
  });
});
