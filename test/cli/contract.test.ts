/** What other programs rely on: names in JSON, exit codes, one sentence on standard error, nothing else on standard output. */
import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EXIT_CODES } from "../../src/errors.js";
import { type SamplerEntry, type SamplerName, samplers as table } from "../../src/sampling/samplers.js";
import { maxDifference, openCases, readJson, tinyFolder } from "../parity/reference.js";
import { allHelps } from "./helps.js";
import { bigvae, type Finished, jsonLines, MAIN, TINY } from "./run.js";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-cli-"));
});

afterAll(() => rm(folder, { recursive: true }));

interface Encoded {
  text: string;
  ids: number[];
  mean: number[];
  poolWeights: number[];
}

describe("encode", () => {
  it("gives text, ids, mean and poolWeights, a line for each text", async () => {
    const finished = await bigvae(["encode", ...TINY, "--no-confidence", "--json", "The river ran.", "A mill"]);
    expect(finished.stderr).toBe("");
    const lines = jsonLines<Encoded>(finished);
    expect(lines.map(({ text }) => text)).toEqual(["The river ran.", "A mill"]);
    for (const { ids, mean, poolWeights } of lines) {
      expect(mean).toHaveLength(48);
      expect(poolWeights).toHaveLength(ids.length);
      expect(poolWeights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 5);
    }
  });

  it("reads lines of standard input", async () => {
    const lines = jsonLines<Encoded>(await bigvae(["encode", ...TINY, "--json"], "one\ntwo\n"));
    expect(lines.map(({ text }) => text)).toEqual(["one", "two"]);
  });

  it("takes tokens with their mask, equal to the reference", async () => {
    const cases = await openCases();
    const ids = await cases.rows("encode.left.input_ids");
    const masks = await cases.rows("encode.left.attention_mask");
    const input = ids.map((row, i) => JSON.stringify({ ids: row, mask: masks[i] })).join("\n");
    const lines = jsonLines<Encoded>(await bigvae(["encode", ...TINY, "--json", "--ids"], input));
    expect(
      maxDifference(
        lines.flatMap(({ mean }) => mean),
        await cases.floats("encode.left.mean"),
      ),
    ).toBeLessThan(1e-4);
    await cases.close();
  });
});

describe("generate", () => {
  interface Reference {
    task_samples: string[];
    samplers: Record<string, { inputs: Record<string, unknown>; ids: number[]; text: string; next_ids?: number[] }>;
  }
  interface Tokens {
    text: string;
    ids: number[];
  }
  interface Generated extends Tokens {
    original: Tokens;
    next?: Tokens;
    longerThanSpan: boolean;
  }
  interface GeneratedSpan extends Tokens {
    span: number;
    z: number[];
  }
  /** The line of each span, and the last, of the whole. */
  const generated = (finished: Finished) => {
    const lines = jsonLines<GeneratedSpan | Generated>(finished);
    return { spans: lines.slice(0, -1) as GeneratedSpan[], whole: lines.at(-1) as Generated };
  };
  const COMMANDS: Record<string, string[]> = {
    generate: ["generate"],
    guide: ["guide"],
    prose: ["prose"],
    task: ["task"],
    paragraph: ["paragraph"],
    paragraph_topic: ["paragraph-topic"],
    avg_repository: ["avg", "--preset", "repository"],
    avg_card: ["avg", "--preset", "card"],
    user_avg: ["user-avg"],
    plan_2: ["plan-2"],
  };

  it.each(Object.keys(COMMANDS))("%s gives the original's tokens with the noise off", async (name) => {
    const reference = (await readJson(join(tinyFolder, "samplers.json"))) as Reference;
    const { inputs, ids, text, next_ids } = reference.samplers[name]!;
    const task = join(folder, `${name}.json`);
    await writeFile(task, JSON.stringify(reference.task_samples));
    const prompts = (inputs.prompts ??
      [inputs.prompt ?? inputs.topic].filter((prompt) => prompt !== undefined)) as string[];
    const options: [string, unknown][] = [
      ["--context", inputs.context],
      ["--start", inputs.start],
      ["--terminal", inputs.terminal],
      ["--steps", inputs.n_steps],
      ["--n-avg", inputs.n_avg],
      ["--cfg", inputs.cfg_scale],
      ["--task", inputs.task && `@${task}`],
    ];
    const given = options.filter(([, value]) => value !== undefined).flatMap(([flag, value]) => [flag, `${value}`]);
    const finished = await bigvae([
      "generate",
      ...TINY,
      "--json",
      "--tau",
      "0",
      ...((table[COMMANDS[name]![0] as SamplerName] as SamplerEntry).takes.includes("noise") ? ["--noise", "0"] : []),
      "--sampler",
      ...COMMANDS[name]!,
      ...prompts.flatMap((prompt) => ["--prompt", prompt]),
      ...given,
    ]);
    // The reference's prompts and tasks may be longer than a span.
    expect(finished.stderr).toMatch(/^(bigvae: .* (more|longer) than the span.*\n)*$/);
    const { spans, whole } = generated(finished);
    expect(whole.original).toEqual({ text, ids });
    expect(whole.next?.ids).toEqual(next_ids);
    expect(whole.text).toBe(spans.map((span) => span.text).join(""));
    expect(whole.ids).toEqual(spans.flatMap((span) => span.ids));
    expect(spans.map(({ span }) => span)).toEqual(spans.map((_, i) => i + 1));
    for (const span of spans) expect(span.z).toHaveLength(48);
  });

  const GUIDE = ["generate", ...TINY, "--json", "--tau", "0", "--sampler", "guide", "--prompt", "The river ran."];

  it("names what a sampler has no use for, and goes on", async () => {
    const finished = await bigvae([...GUIDE, "--span", "8", "--steps", "1", "--n-avg", "2", "--terminal", "A mill"]);
    expect(finished.stderr).toBe("bigvae: the sampler guide ignores --terminal, --n-avg\n");
    expect(generated(finished).spans).toHaveLength(1);
  });

  it("goes on where the window is full, with the newest of its context, and says so", {
    timeout: 180_000,
  }, async () => {
    const sentence = "The river ran past the mill. ";
    const [one] = jsonLines<Encoded>(await bigvae(["encode", ...TINY, "--json", sentence]));
    const config = await readJson(join(tinyFolder, "base/config.json"));
    const { max_position_embeddings: window } = config as { max_position_embeddings: number };
    const full = sentence.repeat(Math.ceil((1.2 * window) / one!.ids.length));
    const finished = await bigvae([...GUIDE, "--context", full, "--steps", "2", "--ignore-eos"]);
    expect(finished).toMatchObject({ code: 0 });
    expect(finished.stderr).toMatch(
      /^bigvae: the window of \d+ tokens is full; from here on it holds the newest \d+ .*\n$/,
    );
    expect(generated(finished).spans.map(({ ids }) => ids.length)).toEqual(Array(2).fill(128));
  });

  it("refuses a span that the window does not hold, before it writes", async () => {
    const finished = await bigvae([...GUIDE, "--span", "100000"]);
    expect(finished.stderr).toMatch(
      /^bigvae: --span: expected .* got 100000, which makes it 200000 long; give \d+ or fewer\n$/,
    );
    expect(finished).toMatchObject({ code: 2, stdout: "" });
    const fewer = /give (\d+) or fewer/.exec(finished.stderr)![1]!;
    expect(Number(fewer)).toBeGreaterThan(8);
  });
});

it("a mix takes a negative weight as it is", async () => {
  const finished = await bigvae(["mix", ...TINY, "--json", "1:The river ran.", "-0.5:A mill"]);
  expect(jsonLines<{ parts: { weight: number }[] }>(finished)[0]!.parts.map(({ weight }) => weight)).toEqual([1, -0.5]);
});

describe("standard output that ends early", () => {
  const lines = "The river ran.\n".repeat(300);

  it("is no mistake: whoever read it has enough", async () => {
    const child = spawn(process.execPath, [MAIN, "encode", ...TINY, "--no-confidence", "--json"], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    let stderr = "";
    child.stderr.on("data", (text) => (stderr += text));
    child.stdin.on("error", () => {});
    child.stdout.once("data", () => child.stdout.destroy());
    child.stdin.end(lines);
    expect(await new Promise((resolve) => child.on("close", resolve))).toBe(0);
    expect(stderr).toBe("");
  });

  it.runIf(existsSync("/dev/full"))("is a full disk where nothing can be written", async () => {
    const full = openSync("/dev/full", "w");
    const child = spawn(process.execPath, [MAIN, "encode", ...TINY, "--no-confidence", "--json", "x"], {
      stdio: ["pipe", full, "pipe"],
    });
    let stderr = "";
    child.stderr!.on("data", (text) => (stderr += text));
    child.stdin!.end();
    expect(await new Promise((resolve) => child.on("close", resolve))).toBe(EXIT_CODES.disk);
    closeSync(full);
    expect(stderr).toMatch(/^bigvae: standard output: expected room for more, got a full disk \(ENOSPC\); [^\n]*\n$/);
  });
});

const MODEL_COMMANDS = [
  ..."demo encode decode similar reconstruct interpolate mix generate task-vector eval serve studio".split(" "),
  ...["plan write", "plan make", "plan edit", "strategy save"],
];

const LAST = [
  "--model",
  "--adapters",
  "--quant",
  "--compute",
  "--device",
  "--threads",
  "--seed",
  "--json",
  "--quiet",
  "--help",
];

describe("every command", () => {
  it("has an example, --json and --quiet; with a model, its folder and a seed too", async () => {
    const helps = Object.values(await allHelps()).filter((help) => !/^Commands:$/m.test(help));
    expect(helps).toHaveLength(49);
    const withModel = helps.filter((help) => MODEL_COMMANDS.includes(/^Usage: bigvae ([a-z -]*[a-z])/.exec(help)![1]!));
    expect(withModel).toHaveLength(MODEL_COMMANDS.length);
    const has = (help: string, flag: string) => expect(help).toMatch(new RegExp(`^ {2}${flag}\\b`, "m"));
    for (const help of helps) {
      expect(help).not.toMatch(/default: (false|""|\[\])/);
      expect(help).toMatch(/^Examples?:\n {2}bigvae /m);
      for (const flag of ["--json", "--quiet"]) has(help, flag);
    }
    for (const help of withModel) {
      for (const flag of ["--model", "--adapters", "--seed", "--threads"]) has(help, flag);
      expect(Array.from(help.matchAll(/^ {2}(?:-., )?(--[a-z-]+)/gm), ([, flag]) => flag).slice(-LAST.length)).toEqual(
        LAST,
      );
    }
  });
});

it("generate and plan say what they take where an option is left out", async () => {
  const helps = await allHelps();
  for (const words of ["generate", "plan write"]) {
    const help = helps[words]!.replaceAll(/\s+/g, " ");
    const said = {
      steps: "default: 4, 5 for paragraph",
      "n-avg": "default: 4",
      "n-starts": "default: 4",
      span: "default: the model's",
      cfg: "default: 1 for a text's own latent, less for mixes if latents have slots, 1.25 for paragraph-topic",
      tau: "default: 0.9, 1 for user-avg",
      noise: "default: 1",
    };
    for (const [flag, text] of Object.entries(said)) {
      const [, of] = new RegExp(` --${flag} <.>(.*?) --[a-z]`).exec(help)!;
      expect(of, flag).toContain(text);
    }
  }
});

it("the tour gives a line of JSON for each of its steps", async () => {
  const lines = jsonLines<{ step: string; text?: string; spans?: { text: string }[] }>(
    await bigvae(["demo", ...TINY, "--json"]),
  );
  expect(lines.map(({ step }) => step)).toEqual([
    "reconstruct",
    "reconstruct",
    "reconstruct",
    "interpolate",
    "generate",
    "plan",
    "memory",
  ]);
  const { text, spans } = lines[4]!;
  expect(spans).toHaveLength(2);
  expect(text).toBe(spans!.map((span) => span.text).join(""));
});

it("the tour says what to do where there is no folder for temporary files", async () => {
  const { code, stderr } = await bigvae(["demo", ...TINY, "--json"], "", { TMPDIR: "/nowhere/at/all" });
  expect(stderr).toBe(
    "bigvae: /nowhere/at/all: expected a folder for temporary files, got ENOENT; set TMPDIR to a folder that can be written\n",
  );
  expect(code).toBe(EXIT_CODES.disk);
});

describe("errors: one sentence, a documented exit code, nothing on standard output", () => {
  const cases: [string, string[], number, RegExp][] = [
    ["an empty text", ["encode", ...TINY, ""], 2, /expected some text/],
    [
      "a mix of nothing",
      ["mix", ...TINY, "0.1:It rained.", "0.2:It rained.", "-0.3:It rained."],
      2,
      /mix: .*got parts that cancel/,
    ],
    [
      "a weight twice",
      ["generate", ...TINY, "--prompt", "x", "--weights", "draftPull=1,draftPull=2"],
      2,
      /draftPull twice/,
    ],
    ["no such model", ["encode", "--model", "nowhere/at/all", "x"], 2, /--model nowhere\/at\/all: expected/],
    ["no such adapters", ["encode", "--adapters", "nowhere", "x"], 2, /--adapters nowhere: .*got nothing there/],
    ["no such data", ["eval", ...TINY, "--data", "nowhere"], 2, /--data nowhere: .*got nothing there/],
    ["no such text", ["data", "tokenizer", "nowhere", "--output", "x"], 2, /nowhere: .*got nothing there/],
    [
      "no such tokenizer",
      ["data", "prepare", "README.md", "--tokenizer", "nowhere", "--output", "x"],
      2,
      /--tokenizer nowhere: .*got nothing there/,
    ],
    [
      "no such rows",
      ["train", "vae", "--model", "pocket", "--preprocessed", "nowhere", "--output", "x"],
      2,
      /--preprocessed .*nowhere: .*got nothing there/,
    ],
    ["adapters as a model", ["encode", "--model", `${tinyFolder}/adapters`, "x"], 2, /this one as --adapters$/m],
    ["an unknown option", ["encode", "--modell", "x"], 2, /^bigvae: .*--modell/],
    ["an unknown sampler", ["generate", ...TINY, "--sampler", "magic", "--prompt", "x"], 2, /magic/],
    ["a sampler without its prompt", ["generate", ...TINY, "--sampler", "guide"], 2, /--prompt/],
    ["a plan without an end", ["plan", ...TINY, "--start", "x"], 2, /--terminal/],
    [
      "a task file that is none",
      ["generate", ...TINY, "--sampler", "task", "--prompt", "x", "--task", "@none.json"],
      2,
      /JSON array/,
    ],
    ["a task file that is no JSON", ["task-vector", ...TINY, "@package-lock.json#1"], 2, /got a JSON object/],
    [
      "texts given twice",
      ["encode", ...TINY, "x", "--file", "README.md"],
      2,
      /texts: expected arguments or --file, got both;/,
    ],
    [
      "a file that is not there",
      ["similar", ...TINY, "x", "--file", "none.txt"],
      2,
      /--file none.txt: .*got nothing there/,
    ],
    ["a part that is an option", ["mix", "--modell", "x", "1:x"], 2, /--modell/],
    ["a mix without weights", ["mix", ...TINY, "no weight"], 2, /WEIGHT:TEXT/],
    ["a negative temperature", ["reconstruct", ...TINY, "--tau", "-1", "x"], 2, /a number of at least 0, got/],
    ["a negative number of steps", ["interpolate", ...TINY, "a", "b", "--steps", "1"], 2, /at least 2/],
    ["tokens outside the vocabulary", ["encode", ...TINY, "--ids", "--json"], 2, /0 to 511/],
  ];

  it.each(cases)("%s", async (_, args, code, message) => {
    const finished = await bigvae(args, '{"ids": [5, 99999]}\n');
    expect(finished.stderr).toMatch(message);
    expect(finished.stderr).not.toMatch(/\n {4}at /);
    expect(finished.code).toBe(code);
    expect(finished.stdout).toBe("");
  });
});
