/** Rows that are written and scored by experts of their own: as each would be alone, and as a model would that has the expert as its router. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readVae } from "../../src/checkpoint/vae.js";
import type { Adapter, VaeAdapters } from "../../src/engine/adapters.js";
import { Engine, type WriteRow } from "../../src/engine/engine.js";
import { Experts } from "../../src/engine/experts.js";
import { ROW_ADAPTER_BYTES } from "../../src/engine/rowAdapters.js";
import { Rng } from "../../src/rng.js";
import { float32 } from "../../src/runtime/runtime.js";
import { loadTinyBase, runtime, tinyFolder } from "../parity/reference.js";

const rng = Rng.fromSeed("experts");
const HOW = { writer: "router", context: [7, 8, 9, 10, 11], nTokens: 12, tau: 0.9 } as const;

/** The adapter with its matrices shifted by noise. */
function shifted({ tensors, ...adapter }: Adapter, seed: string): Adapter {
  const moved = Object.entries(tensors).map(([name, { data, shape }]) => {
    const noise = rng.fork(seed, name).normals(data.length);
    return [
      name,
      float32(
        (data as Float32Array).map((value, i) => value + 0.1 * noise[i]!),
        ...shape,
      ),
    ];
  });
  return { ...adapter, tensors: Object.fromEntries(moved) };
}

/** The same adapter with zeros up to a rank of which two rows reach the limit of those that are laid out together. */
function padded({ shape, tensors, ...adapter }: Adapter): Adapter {
  const values = Object.values(tensors).reduce((sum, { data }) => sum + data.length, 0) / shape.rank;
  const rank = Math.ceil(ROW_ADAPTER_BYTES / (2.5 * 4 * values));
  const wider = Object.entries(tensors).map(
    ([
      name,
      {
        data,
        shape: [rows, columns],
      },
    ]) => {
      const isA = name.endsWith("lora_A");
      const wide = new Float32Array(isA ? rank * columns! : rows! * rank);
      if (isA) wide.set(data as Float32Array);
      else
        for (let row = 0; row < rows!; row++)
          wide.set((data as Float32Array).subarray(row * columns!, (row + 1) * columns!), row * rank);
      return [name, float32(wide, ...(isA ? [rank, columns!] : [rows!, rank]))];
    },
  );
  const scale = (shape.alpha * rank) / shape.rank;
  return { ...adapter, shape: { ...shape, rank, alpha: scale }, tensors: Object.fromEntries(wider) };
}

let vae: VaeAdapters;
let engine: Engine;
const experts: Record<string, Adapter> = {};
const loads: string[] = [];
const load = async (folder: string) => {
  loads.push(folder);
  return experts[folder]!;
};
const engineOf = async (form: "merged" | "unmerged", own = vae) =>
  new Engine({ runtime, base: await loadTinyBase(), vae: own, form, loadExpert: load });

beforeAll(async () => {
  vae = await readVae(`${tinyFolder}/adapters`, await loadTinyBase());
  for (const name of ["a", "b", "c"]) experts[name] = shifted(vae.adapters.router, name);
  experts.plain = vae.adapters.router;
  experts.decoder = vae.adapters.decoder;
  engine = await engineOf("merged");
});
afterAll(() => engine.close());

const rowOf = (i: number, ...shares: [string, number][]): WriteRow => ({
  z: rng.fork("z", i).normals(48),
  rngKey: rng.fork("row", i).key,
  ...(shares.length > 0 ? { experts: shares.map(([folder, weight]) => ({ folder, weight })) } : {}),
});

describe("rows with experts", () => {
  const rows = [
    rowOf(0, ["a", 1]),
    rowOf(1, ["b", 1]),
    rowOf(2),
    rowOf(3, ["a", 0.7], ["c", 0.3]),
    rowOf(4, ["a", 1]),
    rowOf(5, ["c", 1]),
  ];

  it("are written together as each is alone, with and without guidance, whatever ends first", async () => {
    for (const how of [HOW, { ...HOW, cfgScale: 1.4 }, { ...HOW, context: [] }]) {
      const limited = rows.map((row, i) => ({ ...row, nTokens: 4 + 2 * (i % 4) }));
      const together = await engine.write(limited, how);
      for (const [i, row] of limited.entries()) expect(await engine.write([row], how)).toEqual([together[i]]);
    }
  });

  it("are written as each is alone where their adapters do not go together", async () => {
    const wide = (folder: string) => padded(experts[folder]!);
    for (const folder of ["a", "b", "c"]) experts[`wide ${folder}`] = wide(folder);
    const own = rows.map((row) => ({
      ...row,
      ...(row.experts ? { experts: row.experts.map((share) => ({ ...share, folder: `wide ${share.folder}` })) } : {}),
    }));
    const together = await engine.write(own, HOW);
    for (const [i, row] of rows.entries()) expect(await engine.write([row], HOW)).toEqual([together[i]]);
  });

  it("are written as by a model whose router the expert is", async () => {
    const alone = await engineOf("merged", { ...vae, adapters: { ...vae.adapters, router: experts.b! } });
    const { experts: _, ...plain } = rows[1]!;
    expect(await alone.write([plain], HOW)).toEqual(await engine.write([rows[1]!], HOW));
    await alone.close();
  });

  it("read as by the router where the expert is the router, and where halves of it are mixed", async () => {
    const target = [20, 21, 22, 23, 24];
    const { z } = rowOf(9);
    const score = async (...shares: [string, number][]) => {
      const { rngKey: _, ...row } = rowOf(9, ...shares);
      return (await engine.score([{ ...row, z: z!, target }], "router", HOW.context))[0]!.logProbabilities;
    };
    const plain = await score();
    for (const other of [await score(["plain", 1]), await score(["plain", 0.5], ["plain", 0.5])])
      for (const [t, value] of other.entries()) expect(Math.abs(value - plain[t]!)).toBeLessThan(1e-5);
  });

  it("are scored together as each is alone, in either form", async () => {
    const other = await engineOf("unmerged");
    const scored = rows.map(({ rngKey: _, ...row }, i) => ({
      ...row,
      target: [20, 30 + i, 25, 26].slice(0, 2 + (i % 3)),
    }));
    const together = await engine.score(scored, "router", HOW.context);
    const beside = await other.score(scored, "router", HOW.context);
    for (const [i, row] of scored.entries()) {
      const [alone] = await engine.score([row], "router", HOW.context);
      for (const [t, value] of alone!.logProbabilities.entries()) {
        expect(Math.abs(value - together[i]!.logProbabilities[t]!)).toBeLessThan(1e-5);
        expect(Math.abs(value - beside[i]!.logProbabilities[t]!)).toBeLessThan(1e-4);
      }
    }
    await other.close();
  });

  it("keep a context that one expert read from another's", async () => {
    const context = Array.from({ length: 40 }, (_, i) => 30 + i);
    const how = { ...HOW, context };
    const fresh = await engineOf("merged");
    await engine.write([rowOf(0, ["a", 1])], how);
    expect(await engine.write([rowOf(0, ["b", 1])], how)).toEqual(await fresh.write([rowOf(0, ["b", 1])], how));
    await fresh.close();
  });

  it("are refused where an expert has another role, where there are none, and by an engine that reads none", async () => {
    await expect(engine.write([rowOf(0, ["decoder", 1])], HOW)).rejects.toMatchObject({ kind: "usage" });
    await expect(engine.write([{ ...rowOf(0), experts: [] }], HOW)).rejects.toMatchObject({ kind: "usage" });
    await expect(engine.write([rowOf(0, ["a", Number.NaN])], HOW)).rejects.toMatchObject({ kind: "usage" });
    await expect(engine.write([rowOf(0, ["a", 1])], { ...HOW, writer: "base" })).rejects.toMatchObject({
      kind: "usage",
    });
    const none = new Engine({ runtime, base: await loadTinyBase(), vae });
    await expect(none.write([rowOf(0, ["a", 1])], HOW)).rejects.toThrow(/reads experts/);
    await none.close();
  });
});

describe("experts in memory", () => {
  const bytes = () => Object.values(experts.a!.tensors).reduce((sum, { data }) => sum + data.byteLength, 0);
  const ask = (kept: Experts, ...folders: string[]) =>
    kept.groups(
      folders.map((folder) => ({ experts: [{ folder, weight: 1 }] })),
      "router",
    );

  it("are read once, and dropped in the order in which they were used last", async () => {
    const kept = new Experts(load, 2 * bytes());
    loads.length = 0;
    await ask(kept, "a", "b", "a");
    expect(kept.folders).toEqual(["b", "a"]);
    await ask(kept, "c");
    expect(kept.folders).toEqual(["a", "c"]);
    await ask(kept, "a", "b");
    expect(loads).toEqual(["a", "b", "c", "b"]);
  });

  it("stay with a limit that none fits, and are asked for again after an error", async () => {
    const kept = new Experts(load, 1);
    await ask(kept, "a", "b");
    expect(kept.folders).toEqual(["b"]);
    let fails = true;
    const failing = new Experts(async (folder) => {
      if (fails) throw new Error("no disk");
      return load(folder);
    });
    await expect(ask(failing, "a")).rejects.toThrow("no disk");
    fails = false;
    expect(await ask(failing, "a")).toHaveLength(1);
  });
});
