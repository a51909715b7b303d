/** Decoded texts as they come: the pieces joined are the texts. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { importBuilt } from "./built.js";

type Model = Awaited<ReturnType<Awaited<ReturnType<typeof importBuilt>>["BigVae"]["load"]>>;
let vae: Model;
beforeAll(async () => {
  vae = await (await importBuilt()).BigVae.load("pocket", { threads: 1 });
});
afterAll(() => vae.close());

it.each([
  ["to their stored lengths", {}],
  ["to a number of tokens", { nTokens: 7 }],
  ["at a temperature that ends some early", { tau: 1.5, seed: 3 }],
])("of latents written %s", async (_, options) => {
  const encoded = await vae.encode(["The owl lost her lamp.", "It rained — café ☂.", "A fox ran."]);
  const zs = [...encoded.map(({ mean }) => mean), vae.interpolate(encoded[0]!.mean, encoded[1]!.mean, 0.5)];
  const told = zs.map(() => [] as string[]);
  const texts = await vae.decodeAll(zs, { ...options, onText: (i, piece) => void told[i]!.push(piece) });
  expect(told.map((pieces) => pieces.join(""))).toEqual(texts);
  expect(Math.max(...told.map((pieces) => pieces.length))).toBeGreaterThan(3);
});

it("of a callback that throws end the call with its error", async () => {
  const [encoded] = await vae.encode(["The owl lost her lamp."]);
  const fail = () => {
    throw new RangeError("no room");
  };
  await expect(vae.decodeAll([encoded!.mean], { onText: fail })).rejects.toThrow("no room");
});
