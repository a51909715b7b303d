import { describe, expect, it } from "vitest";
import { BigVaeError, quote } from "./errors.js";

describe("an error", () => {
  const detail = { subject: "`tau`", expected: "a number of at least 0", got: -1, remedy: "0 is greedy" };

  it("is one sentence of its parts, which it keeps", () => {
    const error = new BigVaeError("usage", detail);
    expect(error).toMatchObject({ kind: "usage", exitCode: 2, detail });
    expect(error.message).toBe("`tau`: expected a number of at least 0, got -1; 0 is greedy");
  });

  it("has other parts in a copy, which names the first as its cause", () => {
    const error = new BigVaeError("usage", detail);
    const other = error.with({ subject: "line 3" });
    expect(other).toMatchObject({ kind: "usage", detail: { ...detail, subject: "line 3" }, cause: error });
  });

  it("is a text alone where the caller aborted, by its type", () => {
    expect(new BigVaeError("aborted", "aborted by the caller")).toMatchObject({ detail: undefined, exitCode: 130 });
    // @ts-expect-error: any other kind takes parts.
    expect(new BigVaeError("usage", "no parts").message).toBe("no parts");
  });
});

describe("a name of a file in an error", () => {
  it.each([
    ["norm.weight", '"norm.weight"'],
    ["a\nb", '"a\\nb"'],
  ])("%j is quoted on one line", (name, quoted) => {
    expect(quote(name)).toBe(quoted);
  });

  it("is cut, however much room its characters take", () => {
    for (const character of ["x", "\u0000", '"']) expect(quote(character.repeat(1000)).length).toBe(120);
  });
});
