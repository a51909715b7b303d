import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BigVaeError } from "../errors.js";
import { parseStrictJson, parseStrictJsonBytes, toPlain } from "./strictJson.js";

describe("parseStrictJson", () => {
  it("agrees with JSON.parse on every JSON text", () => {
    const property = fc.property(fc.json(), fc.nat(3), (json, indent) => {
      const text = JSON.stringify(JSON.parse(json), null, indent);
      expect(toPlain(parseStrictJson(text, "x"))).toEqual(JSON.parse(text));
    });
    fc.assert(property, { numRuns: 2000 });
  });

  it("agrees with JSON.parse on what is not JSON", () => {
    const property = fc.property(fc.json(), fc.nat(), fc.string({ maxLength: 2 }), (json, at, insert) => {
      const text = json.slice(0, at % (json.length + 1)) + insert + json.slice((at % (json.length + 1)) + 1);
      let expected: unknown;
      try {
        expected = JSON.parse(text);
      } catch {
        expect(() => parseStrictJson(text, "x")).toThrow(BigVaeError);
        return;
      }
      try {
        expect(toPlain(parseStrictJson(text, "x"))).toEqual(expected);
      } catch (error) {
        expect(String(error)).toMatch(/each key once, got .* twice/);
      }
    });
    fc.assert(property, { numRuns: 3000 });
  });

  it.each<[string, string, RegExp]>([
    [
      "a key twice",
      '{"a":1,"\\u0061":2}',
      /The header, character 15: expected each key once, got "a" twice; get the file again$/,
    ],
    ["depth", "[".repeat(1_000_000), /at most 64 levels of nesting, got more/],
    ["a lone surrogate's half escape", '"\\u12"', /a string as JSON writes it, got another one/],
    ["a control character in a text", '"a\nb"', /a string as JSON writes it, got another one/],
    ["a number with a leading zero", "01", /expected the end of the text, got "1"/],
    ["nothing", "", /expected a value, got the end of the text/],
    ["a missing colon", '{"a" 1}', /expected a colon, got "1"/],
  ])("refuses %s within 100 ms", (_, text, message) => {
    const start = process.cpuUsage();
    expect(() => parseStrictJson(text, "The header")).toThrow(message);
    expect(process.cpuUsage(start).user / 1000).toBeLessThan(100);
  });

  it("keeps __proto__ as a key like any other", () => {
    const plain = toPlain(parseStrictJson('{"__proto__":{"polluted":1}}', "x")) as Record<string, unknown>;
    expect(Object.keys(plain)).toEqual(["__proto__"]);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it("refuses bytes that are not UTF-8", () => {
    expect(() => parseStrictJsonBytes(Uint8Array.of(0x22, 0xff, 0x22), "x")).toThrow(
      /x: expected UTF-8, got other bytes/,
    );
  });
});
