/** Reading the weights of a base: what a file packs is checked as what is rounded. */
import { expect, it } from "vitest";
import { checkFinite } from "../engine/baseModel.js";
import { WeightStore } from "./store.js";
import { type PackedWeight, packWeight, type Quant } from "./weight.js";

const [OUT, IN] = [4, 32];
const NAME = "matrix";
const values = Float32Array.from({ length: OUT * IN }, (_, i) => Math.sin(i));

/** A store of one matrix that its file packs in 4-bit blocks. */
function openStore(quant: Quant, packed: PackedWeight) {
  const source = {
    names: [NAME],
    info: () => ({ shape: [OUT, IN] }),
    readFloat32: async () => values,
    packedFormat: () => packed.format,
    readPacked: async () => packed,
  };
  const names = { embedding: "embedding", head: "head" };
  return WeightStore.open({ source, shapes: new Map([[NAME, [OUT, IN]]]), ...names, quant, check: checkFinite });
}

const packedValues = () => packWeight(values, [OUT, IN], { kind: "blocks", bits: 4, block: 32 });

it.each(["int8", "int4"] as const)("of %s keeps a matrix as its file packs it", async (quant) => {
  const packed = packedValues();
  expect(await (await openStore(quant, packed)).read(NAME)).toBe(packed);
});

it.each([
  ["int8", Number.NaN],
  ["int4", Number.POSITIVE_INFINITY],
] as const)("of %s refuses a scale of %d in the file", async (quant, scale) => {
  const packed = packedValues();
  (packed.parts.scales!.data as Float32Array)[2] = scale;
  const store = await openStore(quant, packed);
  await expect(store.read(NAME)).rejects.toMatchObject({
    kind: "nonFinite",
    message: expect.stringMatching(`finite values in ${NAME}, got ${scale} at 2`),
  });
});
