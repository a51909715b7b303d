/**
 * Builds dist from the sources as they are, once before all tests and only where it is of others: the thread of the engine, the command and
 * the package are JavaScript. The global setup of vitest.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** What a build says: nothing where all is well; what is wrong, and whether it has written its files all the same. */
export interface BuildResult {
  written: boolean;
  errors: string;
}

export default function setup(): void {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const start = performance.now();
  const { built, errors } = freshBuild(root, () => compile(root));
  if (errors) console.warn(`dist is built from sources with errors; see \`npm run check\`:\n${errors}`);
  else if (built)
    console.info(`dist was of other sources: built in ${((performance.now() - start) / 1000).toFixed(1)} s`);
}

/**
 * Makes dist that of the sources in `root`; `build` writes it. A build with errors is made anew the next time.
 * Throws where nothing is written, with what the compiler says.
 */
export function freshBuild(root: string, build: () => BuildResult): { built: boolean; errors: string } {
  const stamp = join(root, "dist", ".sources");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === stampOf(root)) return { built: false, errors: "" };
  rmSync(stamp, { force: true });
  const { written, errors } = build();
  if (!written)
    throw new Error(`The sources do not compile; mend what the compiler names and run the tests again:\n${errors}`);
  removeOrphans(root);
  if (!errors) writeFileSync(stamp, stampOf(root));
  return { built: true, errors };
}

/** Hash of the sources and of when dist was written: another build, of whatever sources, changes it. */
function stampOf(root: string): string {
  const hash = createHash("sha256");
  const sources = filesOf(join(root, "src")).filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts"));
  const page = existsSync(join(root, "studio")) ? filesOf(join(root, "studio")) : [];
  for (const path of [
    "package.json",
    "tsconfig.json",
    "tsconfig.build.json",
    ...sources.map((path) => join("src", path)),
    ...page.map((path) => join("studio", path)),
  ])
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(root, path)))
      .update("\0");
  return `${hash.digest("hex")} ${statSync(join(root, "dist", ".tsbuildinfo"), { throwIfNoEntry: false })?.mtimeMs}\n`;
}

/** The studio's page, which vite builds of studio/. */
const PAGE = "studio-page/";

/** Removes what was built of sources that are no more. */
function removeOrphans(root: string): void {
  for (const path of filesOf(join(root, "dist"))) {
    const source = path.replace(/(\.d\.ts|\.js)$/, ".ts");
    if (path.startsWith(PAGE)) continue;
    if (source !== path && !existsSync(join(root, "src", source))) rmSync(join(root, "dist", path));
  }
}

function filesOf(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return entries
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => /\.\w+$/.test(path))
    .sort();
}

/** The compiler exits with 2 where it has errors to report but has written everything. */
function compile(root: string): BuildResult {
  const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
  const { status, stdout, error } = spawnSync(process.execPath, [compiler, "-p", "tsconfig.build.json"], {
    cwd: root,
    encoding: "utf8",
  });
  if (status === 0) return buildPage(root);
  return { written: status === 2, errors: error ? String(error) : stdout.trim() };
}

function buildPage(root: string): BuildResult {
  const vite = join(root, "node_modules", "vite", "bin", "vite.js");
  const args = [vite, "build", "--config", "studio/vite.config.ts", "--logLevel", "warn"];
  const { status, stderr, error } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  return { written: status === 0, errors: status === 0 ? "" : error ? String(error) : stderr.trim() };
}
