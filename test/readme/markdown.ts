/** What a Markdown text shows as code: blocks, and single lines within sentences and tables. */

export interface CodeBlock {
  /** The word after the fence; empty for an indented block. */
  language: string;
  lines: string[];
}

/** Fenced blocks, and those indented by four spaces after an empty line. */
export function codeBlocks(markdown: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let open: CodeBlock | undefined;
  let isFenced = false;
  let afterBlank = true;
  const begin = (language: string) => {
    open = { language, lines: [] };
    blocks.push(open);
  };
  for (const line of markdown.split("\n")) {
    const fence = /^```(\w*)/.exec(line);
    const indented = /^ {4}(.*)$/.exec(line);
    if (isFenced) {
      if (fence) [open, isFenced] = [undefined, false];
      else open!.lines.push(line);
    } else if (fence) {
      begin(fence[1]!);
      isFenced = true;
    } else if (indented && (open || afterBlank)) {
      if (!open) begin("");
      open!.lines.push(indented[1]!);
    } else {
      open = undefined;
    }
    afterBlank = line.trim() === "";
  }
  return blocks;
}

/** Code within lines of text: `like this`. A bar that a table needs escaped is a bar. */
export function inlineCode(markdown: string): string[] {
  const blocks = new Set(codeBlocks(markdown).flatMap(({ lines }) => lines));
  const text = markdown.split("\n").filter((line) => !blocks.has(line) && !blocks.has(line.replace(/^ {4}/, "")));
  return Array.from(text.join("\n").matchAll(/`([^`\n]+)`/g), (match) => match[1]!.replaceAll("\\|", "|"));
}

/** Single commands of lines of a shell: no comments, "&&" taken apart, lines that end in a backslash joined. */
export function shellCommands(lines: readonly string[]): string[] {
  const joined = lines.join("\n").replaceAll(/\\\n\s*/g, "");
  return joined
    .split("\n")
    .map((line) => line.replace(/(^|\s)#.*$/, ""))
    .flatMap((line) => line.split("&&"))
    .map((command) => command.trim())
    .filter((command) => command !== "");
}

/** The words of a command, quotes taken off. */
export function shellWords(command: string): string[] {
  const words = command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g);
  return Array.from(words, ([, double, single, bare]) => double ?? single ?? bare!);
}
