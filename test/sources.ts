/** The files of src/, for tests that read the code itself. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

export const source = fileURLToPath(new URL("../src", import.meta.url));

/** Word tables of the story grammar are as long as they need to be. */
export const TABLES = /^corpus\/stories\/(lexicon|patterns)\//;

export interface SourceFile {
  /** Path from src/, with forward slashes. */
  path: string;
  lines: number;
  /** Files of ours that it imports, by path from src/. */
  ours: readonly string[];
  /** Packages and node:* modules that it imports. */
  packages: readonly string[];
}

function readSource(path: string): SourceFile {
  const text = readFileSync(join(source, path), "utf8");
  const imports = ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName);
  const ours = imports.filter((name) => name.startsWith("."));
  return {
    path,
    lines: text.trimEnd().split("\n").length,
    ours: ours.map((name) => posix.join(dirname(path).replaceAll("\\", "/"), name).replace(/\.js$/, ".ts")),
    packages: imports.filter((name) => !name.startsWith(".")),
  };
}

/** The syntax tree of a file. */
export function parsed(path: string): ts.SourceFile {
  return ts.createSourceFile(
    join(source, path),
    readFileSync(join(source, path), "utf8"),
    ts.ScriptTarget.Latest,
    true,
  );
}

/** Every file of src/ but its tests. */
export const files = readdirSync(source, { recursive: true, encoding: "utf8" })
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts"))
  .sort()
  .map(readSource);

/** Every test and what tests share, by path from the repository, with its lines. */
export const tests = ["../src", "../test"].flatMap((folder) =>
  readdirSync(new URL(folder, import.meta.url), { recursive: true, encoding: "utf8" })
    .map((path) => posix.join(folder.slice(3), path.replaceAll("\\", "/")))
    .filter((path) => path.endsWith(".test.ts") || (path.startsWith("test/") && path.endsWith(".ts")))
    .map((path) => ({
      path,
      lines: readFileSync(join(source, "..", path), "utf8")
        .trimEnd()
        .split("\n").length,
    })),
);
