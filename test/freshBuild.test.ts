/** dist is always that of the sources, and is built only where it is not. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type BuildResult, freshBuild } from "./freshBuild.js";

let root: string;
let builds: number;
const write = (path: string, text = "") => writeFileSync(join(root, path), text);
/** A build that writes dist/a.js. */
const build = (result: Partial<BuildResult> = {}): boolean => {
  const compile = () => {
    builds++;
    mkdirSync(join(root, "dist"), { recursive: true });
    for (const name of ["a.js", "a.d.ts", ".tsbuildinfo"]) write(join("dist", name), `${builds}`);
    return { written: true, errors: "", ...result };
  };
  return freshBuild(root, compile).built;
};

beforeEach(() => {
  builds = 0;
  root = mkdtempSync(join(tmpdir(), "bigvae-build-"));
  mkdirSync(join(root, "src"));
  for (const name of ["package.json", "tsconfig.json", "tsconfig.build.json", "src/a.ts"]) write(name);
  expect(build()).toBe(true);
});
afterEach(() => rmSync(root, { recursive: true }));

it("is kept where nothing has changed but a test", () => {
  write("src/a.test.ts", "1");
  expect(build()).toBe(false);
});

it.each(["src/a.ts", "src/b.ts", "tsconfig.json"])("is built again after a change of %s", (path) => {
  write(path, "1");
  expect([build(), build()]).toEqual([true, false]);
});

it("is built again where another build came between", async () => {
  await new Promise((resolve) => setTimeout(resolve, 20));
  write("dist/.tsbuildinfo", "of other sources");
  expect(build()).toBe(true);
});

it("is built again where it is gone", () => {
  rmSync(join(root, "dist"), { recursive: true });
  expect(build()).toBe(true);
});

it("keeps nothing of a source that is gone", () => {
  write("dist/old.js");
  write("dist/old.d.ts");
  write("src/a.ts", "1");
  build();
  expect(["a.js", "old.js", "old.d.ts"].map((name) => existsSync(join(root, "dist", name)))).toEqual([
    true,
    false,
    false,
  ]);
});

it("with errors is used, and built again the next time; without files, no test runs", () => {
  write("src/a.ts", "1");
  expect(build({ errors: "a.ts: a type" })).toBe(true);
  expect(build()).toBe(true);
  write("src/a.ts", "2");
  expect(() => build({ written: false, errors: "a.ts: a bracket" })).toThrow(/do not compile; .*\na\.ts: a bracket/);
  expect(build()).toBe(true);
});
