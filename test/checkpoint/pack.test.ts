/** `pack` rounds to float16 and refuses what float16 does not hold. */
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { packModel } from "../../src/checkpoint/pack.js";
import { openSafetensors, type StoredTensor, widenFloat16, writeSafetensors } from "../../src/formats/index.js";
import { copyModel, expectRefusal, type ModelCopy } from "../badInput/folder.js";

let model: ModelCopy;
beforeEach(async () => {
  model = await copyModel();
});
afterEach(() => model.remove());

const NORM = "model.norm.weight";

async function tensorsOf(path: string): Promise<Map<string, StoredTensor>> {
  const file = await openSafetensors(path);
  const tensors = new Map(await Promise.all(file.names.map(async (key) => [key, await file.readRaw(key)] as const)));
  await file.close();
  return tensors;
}

/** Puts `value` at place 3 of the final norm and packs. */
async function packWith(value: number) {
  const path = model.at("base/model.safetensors");
  const tensors = await tensorsOf(path);
  const data = (tensors.get(NORM)!.data as Float32Array).slice();
  data[3] = value;
  tensors.set(NORM, { dtype: "F32", shape: [data.length], data });
  await writeSafetensors(path, tensors);
  return packModel(model.base, model.adapters, model.at("packed"));
}

describe("pack", () => {
  it("keeps the largest number of float16, and what rounds to it", async () => {
    const { worst } = await packWith(65519);
    expect(worst).toBe(15);
    const packed = (await tensorsOf(join(model.at("packed"), "base/model.safetensors"))).get(NORM)!;
    expect(widenFloat16(packed.data as Uint16Array)[3]).toBe(65504);
  });

  it.each([70_000, -65_520])("refuses the weight %d, which would become infinite", async (value) => {
    const message = new RegExp(`got ${value} at 3 of ${NORM.replaceAll(".", "\\.")}; use the model unpacked`);
    await expectRefusal(() => packWith(value), "unsupported", message);
  });

  it("refuses a weight that is no number", async () => {
    await expectRefusal(() => packWith(Number.NaN), "nonFinite", /got NaN at 3 of model\.norm\.weight/);
  });
});
