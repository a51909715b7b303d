/** How messages are worded, by the code that words them. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { files, parsed, source, TABLES } from "./sources.js";

describe("messages of the library", () => {
  /** The texts in the code of a file: no comments. */
  const textsOf = (path: string) => {
    const found: string[] = [];
    const visit = (node: ts.Node): void => {
      if (ts.isStringLiteral(node) || ts.isTemplateLiteralToken(node)) found.push(node.text);
      ts.forEachChild(node, visit);
    };
    visit(parsed(path));
    return found;
  };
  const library = files.map(({ path }) => path).filter((path) => !path.startsWith("cli/") && !TABLES.test(path));

  it("end without a full stop", () => {
    const visit = (path: string, node: ts.Node): string[] => {
      const isPart = ts.isPropertyAssignment(node) && ["remedy", "got", "expected"].includes(node.name.getText());
      const text = isPart ? node.initializer.getText() : "";
      const below: string[] = [];
      ts.forEachChild(node, (child) => void below.push(...visit(path, child)));
      return [...(/[^.]\.["'`]$/.test(text) ? [`${path}: ${text}`] : []), ...below];
    };
    expect(files.flatMap(({ path }) => visit(path, parsed(path)))).toEqual([]);
  });

  it("count texts, latents and the like from 1", () => {
    const numbered = /\b(text|latent|z|record|example|waypoint|span|row|line|prompt|piece) \$\{(i|index|at|n)\}/;
    const counted = library.flatMap((path) =>
      readFileSync(join(source, path), "utf8")
        .split("\n")
        .filter((line) => numbered.test(line))
        .map((line) => [path, line.trim()]),
    );
    expect(counted).toEqual([]);
  });

  it("name no flags of the command line", () => {
    const named = library.flatMap((path) =>
      textsOf(path)
        .filter((text) => /(^|\W)--[a-z]/.test(text))
        .map((text) => [path, text]),
    );
    expect(named).toEqual([]);
  });

  it("name options, in backticks, that there are", () => {
    const declared = new Set<string>();
    /** Options of training stand in tables. */
    const isOfTable = (node: ts.Node) => dirname(node.getSourceFile().fileName) === join(source, "train/run/options");
    const visit = (node: ts.Node): void => {
      const isOption = ts.isPropertyAssignment(node) && isOfTable(node);
      if ((ts.isPropertySignature(node) || ts.isParameter(node) || isOption) && ts.isIdentifier(node.name))
        declared.add(node.name.text);
      ts.forEachChild(node, visit);
    };
    for (const path of library) visit(parsed(path));
    const named = library
      .flatMap(textsOf)
      .flatMap((text) => Array.from(text.matchAll(/`([a-z][\w.]*)`/gi), ([, name]) => name!));
    expect(named.length).toBeGreaterThan(20);
    expect(named.flatMap((name) => name.split(".")).filter((name) => !declared.has(name))).toEqual([]);
  });
});
