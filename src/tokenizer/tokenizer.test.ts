import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sentencePieceJson } from "../../test/sentencePiece.js";
import { BigVaeError } from "../errors.js";
import { characterOfByte } from "./byteLevel.js";
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

  it("gives a text back whatever tokenizer_config.json says of cleaning its spaces", () => {
    const text = "It 's here , and do n't go ' away . Why ?";
    expect(config.clean_up_tokenization_spaces).toBe(true);
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
    const stream = tokenizer.stream();
    expect(stream.push(...tokenizer.encode(text)) + stream.end()).toBe(text);
  });

  it("refuses ids outside the vocabulary", () => {
    for (const id of [-1, 512, 1.5, Number.NaN])
      expect(() => tokenizer.decode([id])).toThrow(/token ids: expected whole numbers from 0 to 511, .*, got/);
  });

  it("returns every text exactly, byte-level and SentencePiece", () => {
    const text = fc.string({ unit: "binary", maxLength: 60 });
    const pieces = loadTokenizer(sentencePieceJson());
    const property = fc.property(text, (t) => {
      if (/<s>|<\/s>|<unk>/.test(t)) return;
      expect(tokenizer.decode(tokenizer.encode(t))).toBe(t);
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
    expect([...emitted, stream.end()].filter((piece) => piece !== "")).toEqual(["日", "本", " ", "x"]);
  });
});

describe("added tokens", () => {
  /** A tokenizer of the letters a and b, and of these. */
  const withAdded = (contents: readonly string[], flags: object = {}) =>
    loadTokenizer({
      ...{ normalizer: null, post_processor: null, pre_tokenizer: tokenizerJson.pre_tokenizer },
      added_tokens: contents.map((content, i) => ({ id: 2 + i, content, special: true, normalized: false, ...flags })),
      decoder: { type: "ByteLevel" },
      model: { type: "BPE", vocab: { a: 0, b: 1 }, merges: [] },
    });
  const MARKS = "-^$.*+?()[]{}|/\\&#~=!<>@,;:%'\"`_ \n";

  it.each([{}, { lstrip: true }])("are found whatever characters they are made of, with the rules %j", (rules) => {
    expect(withAdded(["<e-t>"], rules).encode("aa<e-t>a")).toEqual([0, 0, 2, 0]);
    for (const mark of MARKS) expect(withAdded([`<${mark}>`], rules).encode(`a<${mark}>b`), mark).toEqual([0, 2, 1]);
  });

  it("are the longest of those that begin at a place, the first place first", () => {
    const { encode } = withAdded(["ab", "aba", "", "baab", "😀"]);
    expect(encode("aba")).toEqual([3]);
    expect(encode("abaab")).toEqual([3, 2]);
    expect(encode("babaabb")).toEqual([1, 3, 2, 1]);
    expect(encode("")).toEqual([]);
    expect(encode("😀a😀")).toEqual([6, 0, 6]);
  });
});

describe("digits", () => {
  /** Nd, Nl and No of Unicode. */
  const NUMBERS = ["7", "²", "½", "Ⅷ", "٣", "१"];
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false };
  /** Merges the bytes of each number, then two of them, and an x before one, where Digits lets them. */
  const withDigits = (individual_digits: boolean) => {
    const merges = NUMBERS.flatMap((number) => {
      const bytes = Array.from(new TextEncoder().encode(number), (byte) => characterOfByte[byte]!);
      const whole = bytes.join("");
      const ofBytes = bytes.slice(1).map((byte, i) => [bytes.slice(0, i + 1).join(""), byte]);
      return [...ofBytes, [whole, whole], ["x", whole]];
    });
    const tokens = new Set(merges.flatMap(([left, right]) => [left!, right!, `${left}${right}`]));
    return loadTokenizer({
      ...{ added_tokens: [], normalizer: null, post_processor: null, decoder: { type: "ByteLevel" } },
      pre_tokenizer: { type: "Sequence", pretokenizers: [{ type: "Digits", individual_digits }, byteLevel] },
      model: { type: "BPE", vocab: Object.fromEntries(Array.from(tokens, (token, id) => [token, id])), merges },
    });
  };

  it.each(NUMBERS)("are Unicode's numbers, as upstream: %s", (number) => {
    for (const individual of [true, false]) expect(withDigits(individual).encode(`x${number}`)).toHaveLength(2);
    expect(withDigits(true).encode(`${number}${number}`)).toHaveLength(2);
    expect(withDigits(false).encode(`${number}${number}`)).toHaveLength(1);
  });
});

describe("loadTokenizer", () => {
  const broken: [string, unknown, RegExp][] = [
    ["a list", [], /tokenizer\.json: expected a JSON object/],
    ["no model", { ...tokenizerJson, model: undefined }, /model of tokenizer\.json: expected a JSON object/],
    ["a foreign model", { ...tokenizerJson, model: { type: "WordPiece" } }, /a BPE model with merges, got "WordPiece"/],
    ["a foreign decoder", { ...tokenizerJson, decoder: { type: "CTC" } }, /a decoder of ByteLevel, .*, got CTC/],
    [
      "an id twice",
      { ...tokenizerJson, model: { ...tokenizerJson.model, vocab: { a: 5, b: 5 } } },
      /one token with the id 5, got "a" and "b"/,
    ],
    [
      "a giant id",
      { ...tokenizerJson, model: { ...tokenizerJson.model, vocab: { a: 1e15 } } },
      /ids from 0 to 16777215, got "a" with the id 1000000000000000/,
    ],
    [
      "a foreign pre-tokenizer",
      { ...tokenizerJson, pre_tokenizer: { type: "Magic" } },
      /supported parts alone, got .*Magic/,
    ],
    ["no decoder", { ...tokenizerJson, decoder: null }, /a decoder, got none/],
    [
      "merges of nothing",
      { ...tokenizerJson, model: { ...tokenizerJson.model, merges: [7] } },
      /parts as Hugging Face writes them, got/,
    ],
  ];
  it.each(broken)("refuses %s", (_, value, message) => {
    expect(() => loadTokenizer(value)).toThrow(BigVaeError);
    expect(() => loadTokenizer(value)).toThrow(message);
  });

  it("refuses a named special token that the vocabulary lacks, and encodeWithBos without one", () => {
    expect(() => loadTokenizer(tokenizerJson, { bos_token: "<start>" })).toThrow(
      /bos_token to be a token of tokenizer\.json, got "<start>"/,
    );
    expect(() => loadTokenizer(tokenizerJson, { bos_token: null }).encodeWithBos("a")).toThrow(
      /a beginning token \(bos_token\), got none/,
    );
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
    expect(() => few.encode("ab, b")).toThrow(
      /a token for each character, or an unknown token, got none for ","; leave it out/,
    );
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
    for (const unit of units) {
      const run = (length: number) => {
        const text = unit.repeat(length / unit.length);
        // The processor's time: the clock's depends on who else is on the machine.
        const start = process.cpuUsage();
        const back = tokenizer.decode(tokenizer.encode(text));
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
