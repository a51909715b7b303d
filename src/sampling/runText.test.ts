import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { sentencePieceJson } from "../../test/sentencePiece.js";
import { loadTokenizer, type Tokenizer } from "../tokenizer/index.js";
import type { Sampler, Span, Written } from "./model.js";
import { RunText, type SpelledSpan, spelled } from "./runText.js";

const folder = "test/fixtures/reference/tiny-mistral/base";
const json = (name: string) => JSON.parse(readFileSync(`${folder}/${name}`, "utf8"));
const TOKENIZERS: [string, Tokenizer][] = [
  ["SentencePiece", loadTokenizer(sentencePieceJson())],
  ["byte level", loadTokenizer(json("tokenizer.json"), json("tokenizer_config.json"))],
];

/** Writes the spans, and tells `text` of each token; then fails, where that is asked for. */
async function* sampler(spans: readonly (readonly number[])[], text: RunText, error?: Error): Sampler {
  for (const ids of spans) {
    for (const id of ids) text.push(id);
    yield { ids } as Span;
  }
  if (error) throw error;
  return { ids: spans.flat() };
}

async function spell(tokenizer: Tokenizer, spans: readonly (readonly number[])[], continues = false, error?: Error) {
  const pieces: string[] = [];
  const text = new RunText(tokenizer.stream({ skipSpecial: true, continues }), (piece) => pieces.push(piece));
  const found: SpelledSpan[] = [];
  const run = spelled(sampler(spans, text, error), text);
  let failed: unknown;
  for (;;) {
    const next: IteratorResult<SpelledSpan, Written> | undefined = await run.next().catch((thrown) => {
      failed = thrown;
      return undefined;
    });
    if (!next || next.done) return { streamed: pieces.join(""), spans: found.map((span) => span.text), failed };
    found.push(next.value);
  }
}

/** Every two-part cut of the ids, and each id a span of its own. */
const cuts = (ids: readonly number[]) => [
  ...ids.map((_, at) => [ids.slice(0, at), ids.slice(at)]),
  ids.map((id) => [id]),
];

describe.each(TOKENIZERS)("%s: spans joined are what was streamed and what the tokens say", (_, tokenizer) => {
  it.each([" ab ab . a", "ab é日本🎉 a", "a 🎉", "ab n't 's, a"])("%j", async (text) => {
    const ids = tokenizer.encode(text);
    // The last character is cut in the middle too.
    for (const all of [ids, ids.slice(0, -1)]) {
      for (const continues of [false, true]) {
        const whole = tokenizer.decode(all, { skipSpecial: true, continues });
        for (const spans of cuts(all)) {
          const { streamed, spans: texts } = await spell(tokenizer, spans, continues);
          expect(texts).toHaveLength(spans.length);
          expect(texts.join("")).toBe(whole);
          expect(streamed).toBe(whole);
        }
      }
    }
  });
});

describe("SentencePiece", () => {
  const [[, tokenizer]] = TOKENIZERS as [[string, Tokenizer]];
  const words = ["▁ab", "▁a"].map(
    (token) =>
      Array.from({ length: tokenizer.vocabSize }, (_, id) => id).find((id) => tokenizer.tokenText(id) === token)!,
  );

  it("keeps the space before a later span, and before the first one where a context is continued", async () => {
    const spans = words.map((id) => [id]);
    expect((await spell(tokenizer, spans)).spans).toEqual(["ab", " a"]);
    expect((await spell(tokenizer, spans, true)).spans).toEqual([" ab", " a"]);
  });
});

it("a span that was kept is given before the error of the next", async () => {
  const [, [, tokenizer]] = TOKENIZERS as [unknown, [string, Tokenizer]];
  const ids = tokenizer.encode("a é");
  const error = new Error("stopped");
  const found = await spell(tokenizer, [ids.slice(0, -1)], false, error);
  expect(found).toMatchObject({ spans: ["a "], failed: error });
});
