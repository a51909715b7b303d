/** Runs a program to its end. */
import { spawn } from "node:child_process";

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Surroundings {
  cwd: string;
  input?: string;
  /** Beside what the tests have; what is undefined is taken out. */
  env?: Readonly<Record<string, string | undefined>>;
}

export function run(program: string, args: readonly string[], { cwd, input = "", env }: Surroundings): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env: { ...outerEnvironment(), NO_COLOR: "1", ...env } });
    const text = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const)
      child[name].setEncoding("utf8").on("data", (chunk: string) => {
        text[name] += chunk;
      });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, ...text }));
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });
}

/** Runs a program that must succeed, and gives its standard output. */
export async function output(program: string, args: readonly string[], surroundings: Surroundings): Promise<string> {
  const { code, stdout, stderr } = await run(program, args, surroundings);
  if (code !== 0) throw new Error(`${program} ${args.join(" ")}: exit code ${code}\n${stdout}\n${stderr}`);
  return stdout;
}

/** The environment without what `npm test` adds to it: an npm within would take this package for its own. */
function outerEnvironment(): NodeJS.ProcessEnv {
  const ofNpm = /^npm_(package|lifecycle|config_(local_|global_)?prefix)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ofNpm.test(name)));
}
