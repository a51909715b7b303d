import { describe, expect, it } from "vitest";
import { EOS, shortTexts } from "../../../test/train/shortTexts.js";
import { Rng } from "../../rng.js";

describe("short texts", () => {
  it("are those that end within their row, up to the longest", async () => {
    const { rows, read } = await shortTexts(9);
    const whole = rows.flatMap((row, i) => {
      const ended = row.join(" ").split(` ${EOS}`);
      return ended.slice(i === 0 ? 0 : 1, -1).map((text) => text.trim());
    });
    const expected = whole.filter((text) => text !== "" && text.split(" ").length <= 9);
    expect(Array.from({ length: read.count }, (_, i) => read.text(i).join(" "))).toEqual(expected);
  });

  it("are refused where there are none", async () => {
    await expect(shortTexts(0)).rejects.toThrow(/expected texts of at most 0 tokens/);
  });

  it("are drawn together by padded length, a length as often as it has texts", async () => {
    const { read } = await shortTexts(9);
    const rng = Rng.fromSeed("draws");
    const counts = new Map<number, number>();
    for (let i = 0; i < 400; i++) {
      const { length, texts } = read.draw(rng.fork(i), (tokens) => 48 / tokens);
      expect(texts).toHaveLength(48 / length);
      for (const text of texts) expect(Math.ceil((text.length + 1) / 8) * 8).toBe(length);
      counts.set(length, (counts.get(length) ?? 0) + 1);
    }
    const ofEight = Array.from({ length: read.count }, (_, i) => read.text(i)).filter((text) => text.length < 8);
    // A binomial lies within four standard deviations.
    expect(Math.abs(counts.get(8)! - (400 * ofEight.length) / read.count)).toBeLessThan(40);
  });
});
