import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isFilePath, parseHubName, requireHubName, showHubName } from "./hubName.js";

describe("a name of the hub", () => {
  it.each([
    ["owner/name", { repository: "owner/name" }],
    ["jdpressman/BigVAE-Mistral-7B-v0.1", { repository: "jdpressman/BigVAE-Mistral-7B-v0.1" }],
    ["owner/name@main", { repository: "owner/name", revision: "main" }],
    ["owner/name@refs/pr/1", { repository: "owner/name", revision: "refs/pr/1" }],
    ["owner/name:q8.gguf", { repository: "owner/name", file: "q8.gguf" }],
    ["o_1/n.a-b@v1.0:sub/a b.Q8_0.gguf", { repository: "o_1/n.a-b", revision: "v1.0", file: "sub/a b.Q8_0.gguf" }],
  ])("%s is read, and shown as it was", (text, name) => {
    expect(parseHubName(text)).toEqual(name);
    expect(showHubName(requireHubName(text))).toBe(text);
  });

  it.each([
    ..."name owner/ /name a/b/c ./name ../name owner/.. owner/. owner/.name owner/name. owner/na--me owner/na..me".split(
      " ",
    ),
    ..."owner/name@ owner/name: owner/name@.. owner/name@a/../b owner/name@/a owner/name@a/ owner/name@a//b".split(" "),
    ..."owner/name@-v owner/name@a.lock owner/name@.a owner/name@a/.b owner/name@a./b owner/name:a.bin".split(" "),
    ..."owner/name:../a.gguf owner/name:/a.gguf owner/name:C:\\a.gguf owner/name:a\\b.gguf owner/name:con.gguf".split(
      " ",
    ),
    ..."owner/name.git -owner/name owner\\name owner/näme C:/name ~/name owner/name?x owner/name#1 owner/%2e%2e".split(
      " ",
    ),
    ...[
      "",
      " owner/name",
      "owner/name ",
      "owner/na me",
      "owner/name\n",
      "owner/name\0",
      "owner/name@a\n",
      "owner/name:a.gguf\n",
    ],
    `owner/${"n".repeat(97)}`,
    `owner/name@${"a/".repeat(150)}a`,
  ])("%j is none", (text) => {
    expect(parseHubName(text)).toBeUndefined();
    expect(() => requireHubName(text)).toThrow(expect.objectContaining({ kind: "usage" }));
  });
});

it("no path of a file leads out of its folder, in 1,000 traversals", () => {
  const step = fc.constantFrom(
    "..",
    ".",
    "",
    "...",
    "a",
    "blobs",
    "..\\..",
    "C:",
    "~",
    "%2e%2e",
    "\0",
    ".git",
    "nul",
    "a:b",
  );
  const separator = fc.constantFrom("/", "/", "\\", "//");
  const path = fc
    .array(fc.tuple(step, separator), { minLength: 1, maxLength: 8 })
    .map((parts) => parts.flat().join("").slice(0, -1));
  let refused = 0;
  fc.assert(
    fc.property(path, (text) => {
      const isPlain = text.split("/").every((part) => part === "a" || part === "blobs");
      expect(isFilePath(text)).toBe(isPlain);
      refused += Number(!isPlain);
    }),
    { numRuns: 1000, seed: 1 },
  );
  expect(refused).toBeGreaterThan(800);
});
