/** Experts for the reference model, or another: its router, shifted by noise, with keys of given directions. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeExpert } from "../../src/expert/index.js";
import { readLora, writeLora } from "../../src/formats/index.js";
import { hashModel } from "../../src/host/modelFiles.js";
import { spaceOf } from "../../src/latent/index.js";
import { Rng } from "../../src/rng.js";
import { tinyFolder } from "../parity/reference.js";

export const PATHS = { base: `${tinyFolder}/base`, adapters: `${tinyFolder}/adapters` };
const TINY = { paths: PATHS, shape: { zDim: 48, slots: 1, span: 64 } };
const pocket = fileURLToPath(new URL("../../pocket", import.meta.url));
/** The pocket model, to make experts of. */
export const POCKET = {
  paths: { base: join(pocket, "base"), adapters: pocket },
  shape: { zDim: 1024, slots: 32, span: 64 },
};

/** Writes experts/NAME for each name, below `root`; the key of the i-th is the i-th axis. Returns the folder of experts. */
export async function writeExperts(
  root: string,
  names: readonly string[],
  shift = 0.2,
  { paths, shape } = TINY,
): Promise<string> {
  const router = await readLora(join(paths.adapters, "router"));
  const space = spaceOf(await hashModel(paths), shape);
  for (const [i, name] of names.entries()) {
    const moved = (values: Float32Array, seed: string) => {
      const noise = Rng.fromSeed(name).fork(seed).normals(values.length);
      return values.map((value, d) => value + shift * noise[d]!);
    };
    const tensors = Array.from(router.tensors, ([path, pair]) => {
      const moves = { a: moved(pair.a, `${path} a`), b: moved(pair.b, `${path} b`) };
      return [path, { ...pair, ...moves }] as const;
    });
    const adapter = join(root, "adapters", name);
    await writeLora(adapter, { ...router, tensors: new Map(tensors) });
    const facts = { name, space, role: "router" as const, texts: 3, spans: 9, steps: 5, rowsPerStep: 2 };
    const keys = [Float32Array.from({ length: shape.zDim / shape.slots }, (_, d) => (d === i ? 1 : 0))];
    await writeExpert(
      join(root, "experts", name),
      { ...facts, trained: "2026-11-28T00:00:00.000Z" },
      { adapter, keys },
    );
  }
  return join(root, "experts");
}
