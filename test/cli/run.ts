/** Runs the built command as a user would. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { tinyFolder } from "../parity/reference.js";

/** The built command. */
export const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

/** The reference model as options. */
export const TINY = ["--model", `${tinyFolder}/base`, "--adapters", `${tinyFolder}/adapters`];

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

export function bigvae(args: readonly string[], input = "", env: Record<string, string> = {}): Promise<Finished> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [MAIN, ...args], { env: { ...process.env, NO_COLOR: "1", ...env } });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.on("close", (code) => resolve({ code, stdout, stderr }));
    child.stdin.end(input);
  });
}

/** The JSON lines of standard output. */
export function jsonLines<T>({ stdout }: Finished): T[] {
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as T);
}
