/** Counts the demo's paragraphs that read as text: every span has words, every word is one of the corpus, and no four words come twice. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { wordsOf } from "../dist/eval/words.js";

const STORIES = "data/stories";
const GRAM = 4;

/** @returns {{ sound: number, runs: number }} of the files demo-SEED.jsonl in the folder, whose generated.jsonl gives the words. */
export function soundParagraphs(folder) {
  const known = knownWords(folder);
  const files = readdirSync(folder).filter((name) => /^demo-\d+\.jsonl$/.test(name));
  const paragraphs = files.map((name) => {
    const steps = records(readFileSync(join(folder, name), "utf8"));
    return steps.find(({ step }) => step === "generate").spans.map(({ text }) => text);
  });
  return { sound: paragraphs.filter((spans) => isSound(spans, known)).length, runs: files.length };
}

function isSound(spans, known) {
  const words = spans.map(wordsOf);
  // A span may end within a word, which the next one goes on with.
  const whole = wordsOf(spans.join(""));
  const grams = whole.slice(GRAM - 1).map((_, i) => whole.slice(i, i + GRAM).join(" "));
  const unknown = whole.slice(0, -1).filter((word) => !known.has(word));
  return words.every((list) => list.length > 0) && unknown.length === 0 && new Set(grams).size === grams.length;
}

function knownWords(folder) {
  const natural = readdirSync(STORIES).filter((name) => name.endsWith(".jsonl.gz"));
  const texts = [
    readFileSync(join(folder, "generated.jsonl"), "utf8"),
    ...natural.map((name) => gunzipSync(readFileSync(join(STORIES, name))).toString("utf8")),
  ];
  return new Set(texts.flatMap(records).flatMap(({ text }) => wordsOf(text)));
}

function records(lines) {
  return lines
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}
