/**
 * The README is true: every command in it runs on the pocket model, its example compiles and runs, its lists are complete.
 * A command that stands in it and is neither run nor named in EXCEPTED, with the reason, fails the test.
 */
import { existsSync, readFileSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stories } from "../../src/corpus/stories/index.js";
import { EXIT_CODES } from "../../src/errors.js";
import { allHelps } from "../cli/helps.js";
import { type HubMock, repository, startHub } from "../hub/hubMock.js";
import { environment, filesOf } from "../hub/models.js";
import { type Ended, output, run } from "../process.js";
import { type CodeBlock, codeBlocks, inlineCode, shellCommands, shellWords } from "./markdown.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const readme = readFileSync(join(root, "README.md"), "utf8");
const scripts: Record<string, string> = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).scripts;
/** A machine that does other work takes many times what an idle one takes. */
const PATIENCE = { timeout: 600_000 };

/** Commands that are not run here, each with the reason. */
const EXCEPTED: Record<string, string> = {
  "git clone <this repository> bigvae": "this test runs in the clone",
  "cd bigvae": "this test runs in the clone",
  "npm ci": "was run before any test can be",
  "npm install bigvae --ignore-scripts": "test/package installs the packed package so",
  "npm test": "this test is a part of it",
  "bigvae serve": "test/server runs it",
  "npx bigvae studio": "test/studio runs it, in a browser",
  "bigvae studio": "the same",
  "bigvae memory add|search|calibrate|show|rm|compact|verify|repair|export|import": "test/memory/documents runs each",
  "bigvae expert train|list|show|rm": "test/expert/documents runs each",
  "npm run docs": "typedoc; test/publicNames reads the same names",
  "npm run bench": "measures for minutes; `npm test` checks its types",
};

/** Commands with placeholders or dots, and what is run for each. */
const INSTANCES: Record<string, string[]> = {
  "bigvae demo": ["demo"],
  "bigvae encode TEXT...": ['encode "The fox found a lamp." "It rained."'],
  "bigvae encode --file lines.txt --output z.npy": ["encode --file lines.txt --output z.npy"],
  "bigvae decode FILE": ["decode latents.jsonl"],
  "bigvae similar TEXT --file F": ['similar "The fox found a lamp." --file lines.txt'],
  "bigvae reconstruct TEXT...": ['reconstruct "The fox found a lamp." "It rained."'],
  "bigvae interpolate A B": ['interpolate "The fox found a lamp." "The baker lost a key."'],
  "bigvae mix W:TEXT...": ['mix "0.7:The fox found a lamp." "0.3:It rained." "-0.2:It snowed."'],
  "bigvae generate --sampler NAME": ['generate --sampler guide --prompt "The owl lost a button." --steps 2'],
  "bigvae plan --start A --terminal B": ['plan --start "The owl lost a button." --terminal "They danced." --steps 2'],
  "bigvae plan make|show|edit|merge": [
    'plan make plan.json "A storm came up." "They all came home."',
    "plan show plan.json",
  ],
  "bigvae generate --plan FILE": ['generate --plan plan.json --context "The owl lost a button." --steps 2'],
  "bigvae strategy save|list|show|rm|merge": [
    'strategy save brave "The bear was brave." "The fox was brave."',
    "strategy list",
  ],
  "bigvae generate --strategy NAME": ['generate --strategy brave --prompt "The owl lost a button." --steps 1'],
  "bigvae task-vector TEXT...": ['task-vector "The fox found a lamp." "The baker lost a key."'],
  "bigvae data stories|sentences|tokenizer|prepare": [
    "data sentences --count 20 --seed 3",
    "data stories --count 20 --seed 3",
    "data tokenizer my-texts --vocab-size 300 --output tokenizer.json",
    "data prepare my-texts --tokenizer tokenizer.json --output other-rows",
  ],
  "bigvae train base|vae|router": [
    "train base --preprocessed other-rows --tokenizer tokenizer.json --hidden-size 32 --intermediate-size 48 --layers 1 --heads 2 --kv-heads 1 --context-length 32 --dry-run",
  ],
  "bigvae eval --data FILE": ["eval --data my-texts --count 2 --measure sentences"],
  "bigvae pack --model B --adapters A": ["pack --model SmolLM2-135M --adapters my-vae --output packed"],
  "bigvae pull NAME": ["pull owner/small"],
  "bigvae list": ["list"],
  "bigvae show NAME": ["show pocket"],
  "bigvae rm NAME": ["pull owner/small@main", "rm owner/small --yes"],
  "bigvae doctor": ["doctor"],
  "bigvae doctor --model M --adapters A": ["doctor --model SmolLM2-135M --adapters my-vae"],
  "bigvae generate --replay FOLDER": [
    'generate --prompt "The owl lost a button." --steps 1 --quiet --trace trace',
    "generate --replay trace",
  ],
  "bigvae generate --help": ["generate --help"],
};

/** Names of commands and no more. */
const NAMES = ["bigvae train"];

let folder: string;
let hub: HubMock;
const inFolder = () => ({ cwd: folder, env: environment(hub, join(folder, "hugging-face")) });
const main = join(root, "dist", "cli", "main.js");

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-readme-"));
  await mkdir(join(folder, "my-texts"));
  const texts = Array.from(stories(1, 60, 0), ({ text }) => text);
  await writeFile(join(folder, "my-texts", "stories.txt"), texts.join("\n\n"));
  await writeFile(join(folder, "my-texts", "more.jsonl"), texts.map((text) => JSON.stringify({ text })).join("\n"));
  await writeFile(join(folder, "lines.txt"), "A bear ate honey.\nThe fox saw a light.\nRain fell.\n");
  await writeFile(join(folder, "examples.json"), JSON.stringify(["The bear was brave.", "The fox was brave."]));
  await writeStandIns();
  hub = await startHub(standInsOfTheHub());
  const { stdout } = await run(process.execPath, [main, "encode", "The fox found a lamp.", "--json"], inFolder());
  await writeFile(join(folder, "latents.jsonl"), stdout);
  await mkdir(join(folder, "node_modules"));
  await symlink(root, join(folder, "node_modules", "bigvae"), "junction");
});
afterAll(async () => {
  await hub.close();
  await rm(folder, { recursive: true, force: true });
});

/** The pocket's parts under the names of the models that the README speaks of. */
async function writeStandIns(): Promise<void> {
  const pocket = join(root, "pocket");
  await cp(join(pocket, "base"), join(folder, "SmolLM2-135M"), { recursive: true });
  for (const name of ["my-vae", "vae_64_overlap_mistral"]) {
    await cp(pocket, join(folder, name), { recursive: true, filter: (path) => path !== join(pocket, "base") });
  }
  const mistral = join(folder, "Mistral-7B-v0.1");
  await cp(join(pocket, "base"), mistral, { recursive: true });
  const edit = async (name: string, change: Record<string, unknown>) => {
    const json = JSON.parse(await readFile(join(mistral, name), "utf8"));
    await writeFile(join(mistral, name), JSON.stringify({ ...json, ...change }));
  };
  await edit("config.json", { max_position_embeddings: 4096 });
  // Another tokenizer by its hash, as the real two are.
  await edit("tokenizer.json", { version: "another" });
}

/** The pocket's parts as the models of the hub that the README speaks of. */
function standInsOfTheHub() {
  const pocket = filesOf(join(root, "pocket"));
  const part = (isBase: boolean) => Object.entries(pocket).filter(([path]) => path.startsWith("base/") === isBase);
  const base = repository(Object.fromEntries(part(true).map(([path, bytes]) => [path.slice("base/".length), bytes])));
  return {
    "jdpressman/BigVAE-Mistral-7B-v0.1": repository(Object.fromEntries(part(false))),
    "mistralai/Mistral-7B-v0.1": base,
    "owner/small": base,
  };
}

const PROGRAMS = ["bigvae", "npx", "npm", "git", "cd", "node"];
const isCommand = (line: string) => PROGRAMS.includes(line.trim().split(/\s+/)[0]!);
/** What a command prints may show commands. */
const isShell = ({ language, lines }: CodeBlock) => language !== "text" && lines.some(isCommand);
const shellBlocks = codeBlocks(readme).filter(isShell);
const otherBlocks = codeBlocks(readme).filter((block) => !isShell(block));
const inBlocks = shellBlocks.flatMap(({ lines }) => shellCommands(lines));
const inText = inlineCode(readme).filter((code) => /^(bigvae|npx|npm) /.test(code));

/** "npx bigvae doctor", "npm start" -> what the command line is given; undefined where it is none of ours. */
function wordsOf(command: string): string[] | undefined {
  const [program, ...words] = shellWords(command.replace(/^npx /, ""));
  if (program === "bigvae") return words;
  if (command !== "npm start") return undefined;
  expect(scripts.start).toMatch(/^npm run --silent build && node dist\/cli\/main\.js \w+$/);
  return [shellWords(scripts.start!).at(-1)!];
}

const ended = new Map<string, Promise<Ended>>();

/** Runs a command, once; training only says what it would do. Something must come of it: lines, or what --output names. */
async function works(words: readonly string[]): Promise<Ended> {
  const all = words[0] === "train" && !words.includes("--dry-run") ? [...words, "--dry-run"] : words;
  const line = `bigvae ${all.join(" ")}`;
  if (!ended.has(line)) ended.set(line, run(process.execPath, [main, ...all], inFolder()));
  const { code, stdout, stderr } = await ended.get(line)!;
  expect(code, `${line}\n${stderr}`).toBe(0);
  const written = all[all.indexOf("--output") + 1];
  const output = all.includes("--output") ? existsSync(join(folder, written!)) : false;
  expect(output || stdout.trim() !== "", `${line}: something comes of it`).toBe(true);
  return { code, stdout, stderr };
}

const literal = [...new Set(inBlocks)].filter((command) => !(command in EXCEPTED));

describe("the README's commands", () => {
  it("are all run here, or excepted by name", () => {
    const known = new Set([...Object.keys(EXCEPTED), ...Object.keys(INSTANCES), ...NAMES, ...literal]);
    for (const { lines } of shellBlocks)
      expect(lines.filter((line) => line.trim() !== "" && !/^\s*#/.test(line) && !isCommand(line))).toEqual([]);
    expect(literal.filter((command) => !wordsOf(command))).toEqual([]);
    expect(inText.filter((code) => !known.has(code))).toEqual([]);
    const standing = new Set([...inBlocks, ...inText]);
    expect(
      [...Object.keys(EXCEPTED), ...Object.keys(INSTANCES), ...NAMES].filter((code) => !standing.has(code)),
    ).toEqual([]);
    expect(literal.length).toBeGreaterThan(4);
  });

  it.each(literal)("%s", PATIENCE, async (command) => {
    await works(wordsOf(command)!);
  });

  it.each(Object.entries(INSTANCES))("%s", PATIENCE, async (synopsis, instances) => {
    const commands = instances.map((instance) => shellWords(instance));
    const fixed = shellWords(synopsis).filter((word) => /^[a-z-]+$/.test(word) && word !== "bigvae");
    for (const word of fixed) expect(commands.flat(), `an instance of ${synopsis}`).toContain(word);
    for (const words of commands) await works(words);
  });

  it("give what the README shows of them", PATIENCE, async () => {
    const shown = otherBlocks.filter(({ language }) => language === "");
    const lines = shown.flatMap((block) => block.lines).filter((line) => line !== "");
    expect(lines.length).toBeGreaterThan(5);
    const { stdout } = await works(["demo"]);
    expect(stdout.split("\n")).toEqual(expect.arrayContaining(lines));
    // What is sampled may differ on a machine whose sums differ in the last bit: its frame and its length do not.
    const [sampled] = otherBlocks.filter(({ language }) => language === "text");
    const frame = (line: string) => /^( {2}(\(Written from|\(To the model|npx bigvae)|\d\. |Go on)/.exec(line)?.[0];
    const frames = (all: readonly string[]) => all.map(frame).filter((found) => found !== undefined);
    expect(frames(sampled!.lines).length).toBeGreaterThan(5);
    expect(frames(stdout.slice(stdout.indexOf("\n3. ")).split("\n"))).toEqual(frames(sampled!.lines));
  });

  it("are all that there are, and their flags stand in their help", PATIENCE, async () => {
    const table = inText.filter((code) => readme.includes(`| \`${code.replaceAll("|", "\\|")}\` |`));
    const names = table.flatMap((code) => {
      const [, name, kinds] = shellWords(code);
      return kinds?.includes("|") ? kinds.split("|").map((kind) => [name!, kind]) : [[name!]];
    });
    const helps = await allHelps();
    const usage = helps[""]!.split("Commands:")[1]!;
    const listed = Array.from(usage.matchAll(/^ {2}([a-z-]+)/gm), (match) => match[1]!).filter(
      (name) => name !== "help",
    );
    expect([...new Set(names.map(([name]) => name))].sort()).toEqual(listed.sort());
    const ofTable = names.map((name) => helps[name.join(" ")]);
    expect(names.filter((_, i) => ofTable[i] === undefined)).toEqual([]);
    const flags = inlineCode(readme).flatMap((code) => code.match(/(?<!\S)--[a-z][a-z-]+/g) ?? []);
    expect(flags.filter((flag) => !new RegExp(`^\\s+(-\\w, )?${flag}\\b`, "m").test(ofTable.join("\n")))).toEqual([]);
  });
});

describe("the README's example", () => {
  const [example, ...others] = otherBlocks.filter(({ language }) => language !== "" && language !== "text");
  const code = example!.lines.join("\n");

  it("is the only one, and sound in its types", PATIENCE, async () => {
    expect([example!.language, ...others]).toEqual(["ts"]);
    const compilerOptions = {
      target: "es2023",
      module: "nodenext",
      strict: true,
      noEmit: true,
      typeRoots: [join(root, "node_modules", "@types")],
      types: ["node"],
    };
    await writeFile(join(folder, "package.json"), '{ "type": "module" }');
    await writeFile(join(folder, "example.ts"), code);
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["example.ts"] }));
    const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
    expect(await run(process.execPath, [tsc, "-p", "."], inFolder())).toMatchObject({ code: 0, stdout: "" });
  });

  it("runs, and prints a line for each thing that it logs", PATIENCE, async () => {
    const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 };
    await writeFile(join(folder, "example.mjs"), ts.transpileModule(code, { compilerOptions }).outputText);
    const printed = await output(process.execPath, ["example.mjs"], inFolder());
    expect(printed.split("\n").length).toBeGreaterThan(code.match(/console\.log/g)!.length);
  });
});

it("the README's exit codes are those of the library", () => {
  const [, list] = /^Exit codes: ([\s\S]*?)\n\n/m.exec(readme)!;
  const codes = Array.from(list!.matchAll(/(?:^|; |;\n)(\d+) /g), (match) => Number(match[1]));
  expect(codes).toEqual([0, ...Object.values(EXIT_CODES)].sort((a, b) => a - b));
});
