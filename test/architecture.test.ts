/** The walls between folders: what each may import, who touches the machine, and how long a file may be. */
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { files, parsed, type SourceFile, TABLES, tests } from "./sources.js";

interface Wall {
  /** Folders, or single files of them, that it may import beside itself, errors.ts and rng.ts. */
  imports: readonly string[];
  /** It runs in Node alone: it may import node:* modules. */
  node?: true;
}

/** One line for each folder and each file beside them; a folder with walls within has a line for each part of it. */
const WALLS: Readonly<Record<string, Wall>> = {
  "errors.ts": { imports: [] },
  "rng.ts": { imports: [] },
  "nodeVersion.ts": { imports: [] },
  "oldNode.ts": { imports: ["nodeVersion.ts"] },
  tokenizer: { imports: [] },
  graph: { imports: [] },
  formats: { imports: ["weights"], node: true },
  latent: { imports: [] },
  runtime: { imports: ["graph"] },
  weights: { imports: ["graph", "runtime/runtime.ts"] },
  model: { imports: ["graph"] },
  vae: { imports: ["model", "graph"] },
  engine: { imports: ["vae", "model", "graph", "latent", "weights", "runtime/runtime.ts"] },
  sampling: { imports: ["latent"] },
  corpus: { imports: [] },
  data: { imports: ["tokenizer", "formats"], node: true },
  eval: { imports: ["engine", "corpus", "data", "latent", "tokenizer"] },
  hub: { imports: ["formats"], node: true },
  project: { imports: ["formats/database.ts", "formats/lock.ts"], node: true },
  memory: { imports: ["formats", "latent"], node: true },
  expert: { imports: ["engine/adapters.ts", "formats", "latent", "model/config.ts", "sampling/model.ts"], node: true },
  checkpoint: { imports: ["engine", "vae", "model", "formats", "hub/hubName.ts"], node: true },
  remote: { imports: ["graph/index.ts", "engine", "tokenizer", "vae/roles.ts", "weights"] },
  host: {
    imports: [
      "graph/index.ts",
      "remote",
      "checkpoint",
      "expert",
      "tokenizer",
      "latent",
      "graph",
      "model",
      "vae",
      "engine",
      "sampling",
      "weights",
      "runtime",
      "formats",
      "hub",
    ],
    node: true,
  },
  "train/loop": { imports: ["graph", "runtime/runtime.ts", "formats", "vae/loss.ts"], node: true },
  "train/objectives": {
    imports: ["train/loop", "vae", "engine", "model", "graph", "runtime/runtime.ts", "data"],
  },
  "train/run": {
    imports: [
      "train/objectives",
      "train/loop",
      "checkpoint",
      "expert",
      "host",
      "vae",
      "engine",
      "model",
      "latent",
      "tokenizer",
      "weights",
      "runtime",
      "graph/index.ts",
      "formats",
      "hub/hubName.ts",
      "data",
      "eval/confidence.ts",
      "eval/scoring.ts",
    ],
    node: true,
  },
  "train/index.ts": { imports: ["train/run", "train/loop"] },
  "bigVae.ts": {
    imports: [
      "data/pieces.ts",
      "eval/confidence.ts",
      "eval/scoring.ts",
      "host",
      "latent",
      "remote",
      "sampling",
      "tokenizer",
    ],
  },
  "server/schemas": { imports: ["latent", "memory/types.ts", "sampling"] },
  server: {
    imports: [
      "server/schemas",
      "bigVae.ts",
      "engine",
      "expert",
      "host",
      "latent",
      "memory",
      "operations",
      "plans",
      "project",
      "sampling",
      "studio",
      "tokenizer",
    ],
    node: true,
  },
  studio: {
    imports: [
      "project",
      "bigVae.ts",
      "data/texts.ts",
      "latent",
      "memory",
      "operations",
      "sampling",
      "train/run/runFile.ts",
    ],
    node: true,
  },
  client: { imports: ["remote/eventReader.ts", "server/schemas"] },
  plans: { imports: ["formats", "host", "latent", "sampling"], node: true },
  operations: { imports: ["bigVae.ts", "expert", "latent", "memory", "plans", "sampling"] },
  "browser.ts": { imports: ["bigVae.ts", "latent", "sampling"] },
  "index.ts": {
    imports: ["browser.ts", "expert", "host", "memory", "oldNode.ts", "operations", "plans", "sampling"],
  },
  cli: {
    imports: [
      "bigVae.ts",
      "checkpoint",
      "corpus",
      "data",
      "eval",
      "expert",
      "formats",
      "graph",
      "host",
      "latent",
      "memory",
      "nodeVersion.ts",
      "operations",
      "plans",
      "runtime",
      "sampling",
      "server",
      "tokenizer",
      "train",
      "vae/roles.ts",
      "weights",
    ],
    node: true,
  },
};

/** May be loaded in a browser: nothing that these reach, however far, is of Node. */
const PORTABLE = [
  "graph",
  "model",
  "vae",
  "latent",
  "sampling",
  "weights",
  "engine",
  "remote",
  "server/schemas",
  "client",
  "tokenizer",
];

const MAX_LINES = 400;
const MAX_MEDIAN_LINES = 150;

const byPath = new Map(files.map((file) => [file.path, file]));

const isWithin = (path: string, part: string) => path === part || path.startsWith(`${part}/`);
/** The line of the table that a path falls under; without one, the folder that lacks it. */
const folderOf = (path: string) => Object.keys(WALLS).find((line) => isWithin(path, line)) ?? path.split("/")[0]!;

/** Each cycle of a graph of names, as the way round. */
function cycles(edges: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (name: string, way: readonly string[]) => {
    if (way.includes(name)) found.push([...way.slice(way.indexOf(name)), name].join(" -> "));
    if (way.includes(name) || done.has(name)) return;
    for (const next of edges.get(name) ?? []) visit(next, [...way, name]);
    done.add(name);
  };
  for (const name of edges.keys()) visit(name, []);
  return found;
}

/** Everything that a file reaches. */
function reached(from: SourceFile): Set<SourceFile> {
  const all = new Set([from]);
  for (const file of all) for (const path of file.ours) all.add(byPath.get(path)!);
  return all;
}

describe("imports", () => {
  it("are read: every file has a line in the table, every line a file, every import a file", () => {
    const folders = new Set(files.map(({ path }) => folderOf(path)));
    expect([...folders].filter((folder) => !WALLS[folder])).toEqual([]);
    expect(Object.keys(WALLS).filter((folder) => !folders.has(folder))).toEqual([]);
    expect(files.flatMap(({ path, ours }) => ours.filter((to) => !byPath.has(to)).map((to) => [path, to]))).toEqual([]);
  });

  it.each(Object.entries(WALLS))("of %s stay within its wall", (folder, { imports }) => {
    const allowed = [folder, "errors.ts", "rng.ts", ...imports];
    const beyond = files
      .filter(({ path }) => folderOf(path) === folder)
      .flatMap(({ path, ours }) => ours.map((to) => ({ path, to })))
      .filter(({ to }) => !allowed.some((part) => isWithin(to, part)));
    expect(beyond.map(({ path, to }) => `${path} imports ${to}`)).toEqual([]);
  });

  it.each(Object.entries(WALLS))("of %s are all that its wall permits", (folder, { imports }) => {
    const used = files.filter(({ path }) => folderOf(path) === folder).flatMap(({ ours }) => ours);
    expect(imports.filter((part) => !used.some((to) => isWithin(to, part)))).toEqual([]);
  });

  it("make no cycle of files", () => {
    expect(cycles(new Map(files.map(({ path, ours }) => [path, new Set(ours)])))).toEqual([]);
  });

  it("make no cycle of folders", () => {
    const edges = new Map<string, Set<string>>();
    for (const { path, ours } of files) {
      const from = folderOf(path);
      const to = edges.get(from) ?? new Set();
      edges.set(from, to);
      for (const target of ours) if (folderOf(target) !== from) to.add(folderOf(target));
    }
    expect(cycles(edges)).toEqual([]);
  });
});

describe("the machine", () => {
  const isOnnxRuntime = (name: string) => name.startsWith("onnxruntime");
  const isNode = (name: string) => name.startsWith("node:");
  const uses = (matches: (name: string) => boolean) =>
    files.filter(({ packages }) => packages.some(matches)).map(({ path }) => path);

  it("computes through runtime/ alone", () => {
    expect(uses(isOnnxRuntime).filter((path) => folderOf(path) !== "runtime")).toEqual([]);
  });

  it("knows LanceDB in memory/lance alone", () => {
    const knowing = uses((name) => ["@lancedb/lancedb", "apache-arrow"].includes(name));
    expect(knowing.length).toBeGreaterThan(0);
    expect(knowing.filter((path) => !isWithin(path, "memory/lance"))).toEqual([]);
  });

  it("listens in server/ alone", () => {
    const listening = uses((name) => name === "fastify");
    expect(listening.length).toBeGreaterThan(0);
    expect(listening.filter((path) => folderOf(path) !== "server")).toEqual([]);
  });

  it("reaches the network in hub/, client/ and the link to a server alone", () => {
    const ofNet = /^node:(http2?|https|net|tls|dgram)$/;
    const isFetch = (node: ts.Node): boolean =>
      (ts.isIdentifier(node) && node.text === "fetch") ||
      (ts.forEachChild(node, (child) => isFetch(child) || undefined) ?? false);
    const fetching = files.map(({ path }) => path).filter((path) => isFetch(parsed(path)));
    const reaching = [...fetching, ...uses((name) => ofNet.test(name))];
    expect(reaching.length).toBeGreaterThan(0);
    const mayReach = (path: string) => ["hub", "client"].includes(folderOf(path)) || path === "remote/httpLink.ts";
    expect(reaching.filter((path) => !mayReach(path))).toEqual([]);
  });

  it("is touched in the folders that run in Node alone", () => {
    expect(uses(isNode).filter((path) => !WALLS[folderOf(path)]!.node)).toEqual([]);
  });

  it.each(PORTABLE)("is not reached from %s", (folder) => {
    const bound = files
      .filter(({ path }) => folderOf(path) === folder)
      .flatMap((file) => [...reached(file)].map((other) => ({ file, other })))
      .filter(({ other }) => other.packages.some((name) => isNode(name) || isOnnxRuntime(name)));
    expect(bound.map(({ file, other }) => `${file.path} reaches ${other.path}`)).toEqual([]);
  });
});

describe("files", () => {
  it(`have at most ${MAX_LINES} lines`, () => {
    const long = [...files, ...tests].filter(({ path, lines }) => lines > MAX_LINES && !TABLES.test(path));
    expect(long.map(({ path, lines }) => `${path}: ${lines}`)).toEqual([]);
  });

  it(`have a median of at most ${MAX_MEDIAN_LINES} lines`, () => {
    const lengths = files.map(({ lines }) => lines).sort((a, b) => a - b);
    expect(lengths[Math.floor(lengths.length / 2)]).toBeLessThanOrEqual(MAX_MEDIAN_LINES);
  });
});
