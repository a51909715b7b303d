/** How the steps of the tour print: a heading, and lines below it. */
import { hasColours } from "../shade.js";

export function show(lines: readonly string[]): void {
  process.stdout.write(`${lines.join("\n")}\n`);
}

export function heading(text: string): string {
  return `\n${hasColours() ? `\x1b[1m${text}\x1b[0m` : text}`;
}
