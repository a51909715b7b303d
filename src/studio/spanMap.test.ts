import { expect, it, vi } from "vitest";
import type { LatentSpace } from "../latent/index.js";
import { principalLayout } from "./layout.js";
import { SpanMap } from "./spanMap.js";
import { umapLayout } from "./umap.js";

vi.mock("./umap.js");

it("lays nothing by UMAP where that was called off while its thread ended", async () => {
  const space = { width: 2, key: (z: Float32Array) => z } as unknown as LatentSpace;
  const spans = Array.from({ length: 10 }, (_, i) => ({
    ...{ id: i + 1, node: 1, place: i, text: `${i}`, z: Float32Array.of(i, i % 3) },
  }));
  const map = new SpanMap(space, spans);
  const before = map.points();
  const abort = new AbortController();
  vi.mocked(umapLayout).mockImplementation(async (keys) => {
    abort.abort();
    return { layout: { ...principalLayout(keys), name: "umap" }, places: new Float32Array(2 * keys.length) };
  });
  await expect(map.layByUmap(() => undefined, abort.signal)).rejects.toBe(abort.signal.reason);
  expect([map.layout, map.points()]).toEqual(["pca", before]);
});
