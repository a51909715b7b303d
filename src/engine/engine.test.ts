/** More rows than are written at a time give what each gives alone. */
import { expect, it } from "vitest";
import { loadTinyAdapters, loadTinyBase, runtime } from "../../test/parity/reference.js";
import { Rng } from "../rng.js";
import { Engine } from "./engine.js";

it("writes 130 rows as it writes each of them, and names the row of each token", async () => {
  const base = await loadTinyBase();
  const vae = await loadTinyAdapters(base.config);
  const engine = new Engine({ runtime, base, vae, form: "unmerged" });
  const rng = Rng.fromSeed("many rows");
  const rows = Array.from({ length: 130 }, (_, i) => ({
    z: rng.fork("z", i).normals(vae.zDim),
    rngKey: rng.fork("row", i).key,
  }));
  const options = { writer: "router" as const, context: [5, 6], nTokens: 4, tau: 0.9 };
  const streamed: number[][] = rows.map(() => []);
  const written = await engine.write(rows, { ...options, onToken: (row, id) => void streamed[row]!.push(id) });
  expect(streamed).toEqual(written);
  for (const i of [0, 127, 128, 129]) expect(await engine.write([rows[i]!], options)).toEqual([written[i]]);
  expect(await engine.write([], options)).toEqual([]);
  await engine.close();
});
