/** Every public name says what it is: what the doors export, and the members of their interfaces and classes, has a docstring. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const readJson = (name: string) => JSON.parse(readFileSync(join(root, name), "utf8"));

/** The sources of package.json's exports. */
const doors: string[] = Object.values<{ default?: string }>(readJson("package.json").exports)
  .flatMap(({ default: built }) => built ?? [])
  .map((built) => built.replace(/^\.\/dist\/(.*)\.js$/, "src/$1.ts"));

/** What a module exports, by name: the declaration, wherever it stands. */
function exportsOf(path: string): Map<string, ts.Node> {
  const found = new Map<string, ts.Node>();
  const source = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true);
  for (const statement of source.statements) {
    if (ts.isExportDeclaration(statement)) {
      const { text } = statement.moduleSpecifier as ts.StringLiteral;
      const target = exportsOf(join(dirname(path), text.replace(/\.js$/, ".ts")));
      if (statement.exportClause && ts.isNamedExports(statement.exportClause))
        for (const { name, propertyName = name } of statement.exportClause.elements)
          found.set(name.text, target.get(propertyName.text)!);
      else for (const [name, node] of target) found.set(name, node);
    } else if (ts.canHaveModifiers(statement) && has(statement, ts.SyntaxKind.ExportKeyword)) {
      const declared = ts.isVariableStatement(statement) ? statement.declarationList.declarations : [statement];
      for (const node of declared) found.set((node as ts.NamedDeclaration).name!.getText(), node);
    }
  }
  return found;
}

function has(node: ts.Node, kind: ts.SyntaxKind): boolean {
  return ts.canHaveModifiers(node) && !!ts.getModifiers(node)?.some((modifier) => modifier.kind === kind);
}

/** The declaration and the public members in it, literal types within included: those that lack a docstring, by name. */
function undocumented(name: string, node: ts.Node): string[] {
  const lacking = ts.getJSDocCommentsAndTags(node).length > 0 ? [] : [name];
  const visit = (child: ts.Node): void => {
    if (ts.isBlock(child) || ts.isObjectLiteralExpression(child) || has(child, ts.SyntaxKind.PrivateKeyword)) {
      // A private constructor's parameters may still be public properties.
      if (ts.isConstructorDeclaration(child)) ts.forEachChild(child, visit);
    } else if (isMember(child)) {
      if (!ts.isPrivateIdentifier(child.name)) lacking.push(...undocumented(`${name}.${child.name.getText()}`, child));
    } else if (!ts.isParameter(child)) ts.forEachChild(child, visit);
  };
  ts.forEachChild(node, visit);
  return lacking;
}

function isMember(node: ts.Node): node is ts.Node & { name: ts.PropertyName | ts.BindingName } {
  return ts.isTypeElement(node) || ts.isClassElement(node)
    ? node.name !== undefined
    : ts.isParameter(node) && ts.isParameterPropertyDeclaration(node, node.parent);
}

describe("the public names", () => {
  it("are those that the documentation is made of", () => {
    expect(readJson("typedoc.json").entryPoints).toEqual(doors);
  });

  it.each(doors)("of %s have docstrings", (door) => {
    const names = [...exportsOf(join(root, door))];
    expect(names.length).toBeGreaterThan(3);
    expect(names.flatMap(([name, node]) => undocumented(name, node))).toEqual([]);
  });
});
