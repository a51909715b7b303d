import { readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { it } from "vitest";
import { loadTokenizer } from "../tokenizer/tokenizer.js";
import { trainBpe } from "../tokenizer/trainBpe.js";
import { prepare } from "./prepare.js";

it("bench", async () => {
  const dir = "/work/shared/corpus";
  const texts = readdirSync(dir)
    .filter((f) => f.endsWith(".gz"))
    .flatMap((f) =>
      gunzipSync(readFileSync(`${dir}/${f}`))
        .toString()
        .trim()
        .split("\n")
        .map((l) => JSON.parse(l).text),
    );
  let t = performance.now();
  const json = trainBpe([...texts, ...texts], { vocabSize: 4096, specialTokens: ["<s>", "</s>"] });
  console.log("train MB", (2 * texts.reduce((a, b) => a + b.length, 0)) / 1e6, performance.now() - t);
  t = performance.now();
  const s = await prepare({ inputs: [dir], tokenizer: loadTokenizer(json), output: `/tmp/prep-${process.pid}` });
  console.log("prepare", performance.now() - t, JSON.stringify(s));
}, 400000);
