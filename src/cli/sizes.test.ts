import { describe, expect, it } from "vitest";
import { daysAgo, parameters, size, table } from "./sizes.js";

describe("sizes", () => {
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.00 kB"],
    [14_483_498_224, "14.5 GB"],
    [999_400, "999 kB"],
    [999_999, "1.00 MB"],
  ])("%d bytes are %s", (bytes, text) => {
    expect(size(bytes)).toBe(text);
  });

  it.each([
    [71_680, "71680"],
    [5_177_344, "5.18 M"],
    [7_241_732_096, "7.24 B"],
  ])("%d parameters are %s", (count, text) => {
    expect(parameters(count)).toBe(text);
  });

  it.each([
    [0, "today"],
    [1, "1 day ago"],
    [40, "40 days ago"],
  ])("%d days ago is %s", (days, text) => {
    const now = new Date("2026-01-31T12:00:00Z");
    expect(daysAgo(new Date(now.getTime() - days * 86_400_000), now)).toBe(text);
  });

  it("a table has its columns one below the other, and no spaces at the ends of its lines", () => {
    expect(
      table([
        ["name", "size"],
        ["a", "1 B"],
        ["longer", ""],
      ]),
    ).toBe("name    size\na       1 B\nlonger\n");
  });
});
