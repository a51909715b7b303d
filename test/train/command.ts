/** The command, compiled from the sources as they are (types stripped), so that a test can run it in a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = fileURLToPath(new URL("../..", import.meta.url));
const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.ESNext,
  verbatimModuleSyntax: true,
};

export interface CompiledCommand {
  start(args: readonly string[]): ChildProcess;
  run(args: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }>;
  remove(): void;
}

/** Compiles to a folder of its own within node_modules, where packages are found from. */
export function compileCommand(): CompiledCommand {
  mkdirSync(join(root, "node_modules", ".cache"), { recursive: true });
  const folder = mkdtempSync(join(root, "node_modules", ".cache", "bigvae-"));
  cpSync(join(root, "package.json"), join(folder, "package.json"));
  for (const path of readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })) {
    if (!path.endsWith(".ts") || path.endsWith(".test.ts")) continue;
    const { outputText } = ts.transpileModule(readFileSync(join(root, "src", path), "utf8"), {
      compilerOptions: OPTIONS,
    });
    const target = join(folder, "dist", path.replace(/ts$/, "js"));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, outputText);
  }
  const start = (args: readonly string[]) => spawn(process.execPath, [join(folder, "dist", "cli", "main.js"), ...args]);
  const run = (args: readonly string[]) =>
    new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
      const child = start(args);
      const text = { stdout: "", stderr: "" };
      for (const name of ["stdout", "stderr"] as const)
        child[name].setEncoding("utf8").on("data", (chunk: string) => {
          text[name] += chunk;
        });
      child.on("close", (code) => resolve({ code, ...text }));
    });
  return { start, run, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
