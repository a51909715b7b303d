/** The help of every command, read in one process: a process for each would take half a minute. */
import { fileURLToPath } from "node:url";
import { output } from "../process.js";

const program = fileURLToPath(new URL("helps.mjs", import.meta.url));

/** Help texts by the words behind `bigvae`; groups of commands have theirs too. */
export async function allHelps(): Promise<Record<string, string>> {
  return JSON.parse(await output(process.execPath, [program], { cwd: fileURLToPath(new URL(".", import.meta.url)) }));
}
