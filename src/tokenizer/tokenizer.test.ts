import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sentencePieceJson } from "../../test/sentencePiece.js";
import { BigVaeError } from "../errors.js";
import { loadTokenizer } from "./tokenizer.js";

const folder = `${process.env.BIGVAE_REFERENCE ?? "test/fixtures/reference"}/tiny-mistral`;
const json = (name: string) => JSON.parse(readFileSync(`${folder}/${name}`, "utf8"));
const tokenizerJson = json("base/tokenizer.json");
const config = json("base/tokenizer_config.json");
const tokenizer = loadTokenizer(tokenizerJson, config);

describe("the reference tokenizer", () => {
  const { samplers, task_samples } = json("samplers.json");

  it.each(Object.keys(samplers))("decodes the ids of %s to upstream's text", (name) => {
    const { ids, text, next_ids, next_text } = samplers[name];
    expect(tokenizer.decode(ids, { skipSpecial: true })).toBe(text);
    if (next_ids) expect(tokenizer.decode(next_ids, { skipSpecial: true })).toBe(next_text);
  });

  it("encodes the context to the ids that upstream returned", () => {
    for (const { inputs, ids } of Object.values(samplers) as { inputs: { context: string }; ids: number[] }[]) {
      // Two of the samplers return only the start of the context.
      const start = ids[0] === tokenizer.bosId ? 1 : 0;
      const visible = Math.min(144, ids.length - 64);
      expect(ids.slice(start, start + visible)).toEqual(tokenizer.encode(inputs.context).slice(0, visible));
    }
  });

  it("gives prompts back unchanged", () => {
    for (const text of task_samples)
      expect(tokenizer.decode(tokenizer.encodeWithBos(text), { skipSpecial: true })).toBe(text);
  });

  it("knows its special tokens", () => {
    expect(tokenizer).toMatchObject({ vocabSize: 512, bosId: 1, eosId: 2, padId: 2 });
    expect(tokenizer.tokenText(1)).toBe("<s>");
    expect(tokenizer.encode("a</s>b")).toContain(2);
    expect(tokenizer.toJson()).toEqual(tokenizerJson);
  });
});

describe("decode", () => {
  it("gives an empty text for no ids and leaves special tokens in on demand", () => {
    expect(tokenizer.decode([])).toBe("");
    expect(tokenizer.decode([1, ...tokenizer.encode("Hi"), 2])).toBe("<s>Hi</s>");
  });

  it("cleans spaces only where tokenizer_config.json says so", () => {
    const ids = tokenizer.encode("It 's here , and do n't go ' away . Why ?");
    expect(tokenizer.decode(ids)).toBe("It's here, and don't go'away. Why?");
    expect(loadTokenizer(tokenizerJson).decode(ids)).toBe("It 's here , and do n't go ' away . Why ?");
  });

  it("refuses ids outside the vocabulary", () => {
    for (const id of [-1, 512, 1.5, Number.NaN])
      expect(() => tokenizer.decode([id])).toThrow(/outside the tokenizer's 512 ids/);
  });

  it("returns every text exactly, byte-level and SentencePiece", () => {
    const text = fc.string({ unit: "binary", maxLength: 60 });
    const exact = loadTokenizer(tokenizerJson, { ...config, clean_up_tokenization_spaces: false });
    const pieces = loadTokenizer(sentencePieceJson());
    const property = fc.property(text, (t) => {
      if (/<s>|<\/s>|<unk>/.test(t)) return;
      expect(exact.decode(exact.encode(t))).toBe(t);
      if (!t.includes("▁")) expect(pieces.decode(pieces.encode(t))).toBe(t);
    });
    fc.assert(property, { numRuns: 10_000, examples: [["\ufeffa"], ["\r\n\u0000"], ["👩‍👩‍👧 é 日本語"], [" ab ab"]] });
  });

  it("decodes SentencePiece tokens as upstream: spaces, bytes, one U+FFFD for each stray byte", () => {
    const pieces = loadTokenizer(sentencePieceJson());
    expect(pieces.encode("ab a.")).toEqual(
      ["▁ab", "▁a", "."].map((token) => pieces.encode(token).at(-1)).map((_, i) => [264, 262, 265][i]),
    );
    expect(pieces.decode([1, 264, 262, 265], { skipSpecial: true })).toBe("ab a.");
    expect(pieces.decode([1, 264])).toBe("<s> ab");
    expect(pieces.decode([3 + 0xe6, 3 + 0x97, 3 + 0xa5, 260])).toBe("日a");
    expect(pieces.decode([3 + 0xe6, 3 + 0x97, 260])).toBe("��a");
  });
});

describe("stream", () => {
  it("never splits a UTF-8 sequence and joins to what decode gives", () => {
    const pieces = loadTokenizer(sentencePieceJson());
    const property = fc.property(fc.array(fc.nat(511), { maxLength: 40 }), fc.boolean(), (ids, skipSpecial) => {
      for (const each of [tokenizer, pieces]) {
        const known = ids.map((id) => id % each.vocabSize);
        const stream = each.stream({ skipSpecial });
        const text = known.map((id) => stream.push(id)).join("") + stream.end();
        expect(text).toBe(each.decode(known, { skipSpecial }));
      }
    });
    fc.assert(property, { numRuns: 5_000 });
    const stream = tokenizer.stream();
    const emitted = tokenizer.encode("日本 x").map((id) => stream.push(id));
    expect([...emitted, stream.end()].filter((piece) => piece !== "")).toEqual(
      ["日", "本", "x"].map((c) => (c === "x" ? " x" : c)),
    );
  });
});

describe("loadTokenizer", () => {
  const broken: [string, unknown, RegExp][] = [
    ["a list", [], /tokenizer.json is not a JSON object/],
    ["no model", { ...tokenizerJson, model: undefined }, /model of tokenizer.json/],
    ["a foreign model", { ...tokenizerJson, model: { type: "WordPiece" } }, /WordPiece model/],
    ["a foreign decoder", { ...tokenizerJson, decoder: { type: "CTC" } }, /decoder CTC/],
    [
      "an id twice",
      { ...tokenizerJson, model: { ...tokenizerJson.model, vocab: { a: 5, b: 5 } } },
      /id 5 to "a" and "b"/,
    ],
    [
      "a giant id",
      { ...tokenizerJson, model: { ...tokenizerJson.model, vocab: { a: 1e15 } } },
      /the id 1000000000000000/,
    ],
    ["a foreign pre-tokenizer", { ...tokenizerJson, pre_tokenizer: { type: "Magic" } }, /not understood/],
    ["merges of nothing", { ...tokenizerJson, model: { ...tokenizerJson.model, merges: [7] } }, /not understood/],
  ];
  it.each(broken)("refuses %s", (_, value, message) => {
    expect(() => loadTokenizer(value)).toThrow(BigVaeError);
    expect(() => loadTokenizer(value)).toThrow(message);
  });

  it("refuses a named special token that the vocabulary lacks, and encodeWithBos without one", () => {
    expect(() => loadTokenizer(tokenizerJson, { bos_token: "<start>" })).toThrow(/bos_token "<start>"/);
    expect(() => loadTokenizer(tokenizerJson, { bos_token: null }).encodeWithBos("a")).toThrow(/no beginning token/);
  });

  it("takes special tokens from special_tokens_map.json or by their usual names", () => {
    expect(loadTokenizer(tokenizerJson, {}, { eos_token: { content: "<unk>" } }).eosId).toBe(0);
    expect(loadTokenizer(tokenizerJson)).toMatchObject({ bosId: 1, eosId: 2 });
  });

  it("names a character that it has no token for", () => {
    const vocab = Object.fromEntries(["<s>", "</s>", "a", "b", "ab"].map((token, id) => [token, id]));
    const model = { ...tokenizerJson.model, vocab, merges: ["a b"], unk_token: null, byte_fallback: false };
    const few = loadTokenizer({ ...tokenizerJson, added_tokens: [], model });
    expect(few.encode("abba")).toEqual([4, 3, 2]);
    expect(() => few.encode("ab, b")).toThrow(/no token for "," nor an unknown token; leave it out/);
  });

  it("treats __proto__ as a token like any other", () => {
    const model = JSON.parse(JSON.stringify(tokenizerJson.model).replace('"vocab":{', '"vocab":{"__proto__":512,'));
    expect(loadTokenizer({ ...tokenizerJson, model }).tokenText(512)).toBe("__proto__");
    expect(({} as Record<string, unknown>)[0]).toBeUndefined();
  });

  it("throws only BigVaeError on mutated files", () => {
    const text = JSON.stringify(tokenizerJson);
    const property = fc.property(
      fc.nat(text.length - 1),
      fc.string({ maxLength: 3 }),
      fc.nat(40),
      (at, insert, cut) => {
        let value: unknown;
        try {
          value = JSON.parse(text.slice(0, at) + insert + text.slice(at + cut));
        } catch {
          return;
        }
        try {
          loadTokenizer(value).encode("The river ran past 12 mills.");
        } catch (error) {
          expect(error).toBeInstanceOf(BigVaeError);
        }
      },
    );
    fc.assert(property, { numRuns: 3_000 });
  });
});

describe("pathological runs", () => {
  const characters = [
    ..."aA7' \n\t\r.-_/<>@#{\"\\",
    ..."éßжñ日本ａ½²٣अกक्",
    "\u0000",
    "\u0085",
    "\u00a0",
    "\u0301",
    "\u200d",
    "\ufeff",
    "😀",
  ];
  const units = [
    ...characters,
    "the",
    "aaab",
    "ab",
    "a ",
    " a",
    "\r\n",
    " \n",
    "\t ",
    "'s",
    "' ",
    "n't ",
    "<s>",
    "<s",
    "<s> ",
    "12 ",
    "👩‍🚀",
  ];

  it("take time linear in the length: 50 units, encoded and decoded", { retry: 3 }, () => {
    expect(units.length).toBeGreaterThanOrEqual(50);
    const exact = loadTokenizer(tokenizerJson);
    for (const unit of units) {
      const run = (length: number) => {
        const text = unit.repeat(length / unit.length);
        // The processor's time: the clock's depends on who else is on the machine.
        const start = process.cpuUsage();
        const back = exact.decode(exact.encode(text));
        const timeMs = process.cpuUsage(start).user / 1000;
        expect(back === text, JSON.stringify(unit)).toBe(true);
        return timeMs;
      };
      // Short runs drown in noise, so the best of four counts, and a slack of 30 ms.
      const [short, long] = [20_000, 40_000].map((length) =>
        Math.min(run(length), run(length), run(length), run(length)),
      );
      expect(long, JSON.stringify(unit)).toBeLessThan(2.5 * short! + 30);
    }
  });
});
