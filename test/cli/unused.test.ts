/** A flag without effect beside others is refused, before a model is loaded. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { bigvae, jsonLines, TINY } from "./run.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-unused-"));
  await writeFile(join(folder, "lines.txt"), "one\ntwo\n");
  await writeFile(join(folder, "records.jsonl"), '{"text": "one"}\n{"text": "two"}\n');
});
afterAll(() => rm(folder, { recursive: true }));

const REPLAY = "--replay, which repeats one as it was saved";

it.each<[words: string, message: string]>([
  ["generate --replay saved --seed 3", `--seed: expected a new run, got ${REPLAY}; leave out --seed`],
  ["generate --replay saved --prompt x", `--prompt: expected a new run, got ${REPLAY}; leave out --prompt`],
  ["generate --replay saved --trace other", `--trace: expected a new run, got ${REPLAY}; leave out --trace`],
  ["encode x --output z.npy --no-confidence", "--no-confidence: expected confidences to skip, got none with --output"],
  ["encode --ids --no-confidence", "--no-confidence: expected confidences to skip, got none with --ids"],
  ["encode --ids --field body", "--field: expected texts to read, got --ids, lines of tokens"],
  ["encode x --whole", "--whole: expected texts of a file, got texts as arguments"],
  ["reconstruct x --field body", "--field: expected texts of a file, got texts as arguments"],
  ["encode --whole --field body", "--whole: expected plain text, got records, by --field"],
  ["encode --file FOLDER/records.jsonl --whole", "--whole: expected a .txt file, got FOLDER/records.jsonl"],
  [
    "similar x --file FOLDER/lines.txt --field body",
    "--field: expected a file of records (.jsonl, .jsonl.gz, .parquet)",
  ],
  [
    "data prepare FOLDER/records.jsonl --whole --tokenizer pocket/base --output FOLDER/rows",
    "--whole: expected a .txt file, got FOLDER/records.jsonl",
  ],
  ["data tokenizer FOLDER/lines.txt --field body --output FOLDER/t.json", "--field: expected a file of records"],
  ["data stories --count 2 --statistics --output s.jsonl", "--output: expected stories to write, got --statistics"],
  ["mix 1:a 1:b --kind medoid --cfg 0.5", "--cfg: expected a mix to guide, got --kind medoid"],
  ["eval --measure arithmetic --data FOLDER", "--data: expected a measure that takes it, got --measure arithmetic"],
  ["eval --measure sentences --data FOLDER --span 8", "--span: expected a measure that takes it, got --measure sen"],
  ["eval --data FOLDER --no-guidance", "--no-guidance: expected a measure that takes it, got --measure reconstruction"],
  ["eval --measure blends --unit sentence --data FOLDER --span 8", "--span: expected spans to blend, got --unit sen"],
  ["eval --data FOLDER/records.jsonl --whole", "--whole: expected a .txt file, got FOLDER/records.jsonl"],
  [
    "train vae --model pocket --preprocessed FOLDER --output FOLDER/run --epochs 2 --steps 9",
    "--steps: expected one way to say how long, got --epochs beside it",
  ],
  ["encode x --causal", "--causal: expected --pool mean, got latents, whose encoder sees all tokens"],
  ["encode x --pool mean --no-confidence", "--no-confidence: expected confidences to skip, got none with --pool"],
  ["generate --base --prompt x --sampler guide", "--sampler: expected a sampler with latents, got --base"],
  ["generate --base --prompt x --trace saved", "--trace: expected a sampler with latents, got --base"],
  ["generate --base --prompt @z.npy", '--prompt: expected a text, since a base has no latents, got "@z.npy"'],
  ["eval --base --measure prose --data FOLDER", "--measure: expected a measure of latents, got --base"],
  ["eval --base --quick --data FOLDER", "--quick: expected a measure that takes it, got --base"],
  ["eval --pool mean --data FOLDER", "--pool: expected a measure that takes it, got --measure reconstruction"],
])("%s", { timeout: 60_000 }, async (words, message) => {
  const [command, ...rest] = words.replaceAll("FOLDER", folder).split(" ");
  const hasModel = !["data", "train"].includes(command!);
  const finished = await bigvae([command!, ...rest, ...(hasModel ? TINY : [])], '{"ids": [5]}\n');
  expect(finished.stderr).toContain(`bigvae: ${message.replaceAll("FOLDER", folder)}`);
  expect(finished).toMatchObject({ code: 2, stdout: "" });
});

it("the statistics begin with the story that --start names", async () => {
  const of = async (...words: string[]) =>
    jsonLines(await bigvae(["data", "stories", "--count", "3", "--statistics", "--json", ...words]));
  expect(await of("--start", "0")).toEqual(await of());
  expect(await of("--start", "7")).not.toEqual(await of());
});

it.each([
  [["plan-2", "--terminal", "x"], "--noise"],
  [["guide", "--prompt", "x", "--prompt", "y"], "--prompt after the first"],
])("the sampler %j says that it ignores %s", { timeout: 60_000 }, async ([name, ...words], ignored) => {
  const short = ["--steps", "1", "--span", "8", "--noise", "0", "--json"];
  const { stderr, code } = await bigvae(["generate", ...TINY, "--sampler", name!, ...words, ...short]);
  expect({ stderr, code }).toEqual({ stderr: `bigvae: the sampler ${name} ignores ${ignored}\n`, code: 0 });
});
