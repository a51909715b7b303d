/** A stream of UTF-8 bytes cut into lines, whose ends are \n or \r\n: JSON texts may hold U+2028. */
import { BigVaeError } from "../errors.js";

/** How much of a file has been read, in its own bytes. */
export interface Meter {
  bytesRead: number;
}

/** In characters. A longer line is hardly text, and would fill the memory. */
const MAX_LINE_LENGTH = 2 ** 26;

/**
 * Lines without their ends.
 * @throws BigVaeError("format") for bytes that are not UTF-8, "unsupported" for a line of more than 2^26 characters.
 */
export async function* splitLines(chunks: AsyncIterable<Uint8Array>, path: string): AsyncGenerator<string> {
  const utf8 = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  let count = 0;
  const decode = (chunk?: Uint8Array) => {
    try {
      return chunk ? utf8.decode(chunk, { stream: true }) : utf8.decode();
    } catch (cause) {
      const before = new TextDecoder().decode(chunk).split("\ufffd")[0]!.split("\n").length - 1;
      throw new BigVaeError(
        "format",
        {
          subject: `${path}, near line ${count + before + 1}`,
          expected: "UTF-8",
          got: "other bytes",
          remedy: "convert it to UTF-8",
        },
        { cause },
      );
    }
  };
  for await (const chunk of chunks) {
    const lines = decode(chunk).split("\n");
    lines[0] = rest + lines[0]!;
    rest = lines.pop()!;
    if (rest.length > MAX_LINE_LENGTH)
      throw new BigVaeError("unsupported", {
        subject: `${path}, line ${count + lines.length + 1}`,
        expected: "at most 2^26 characters",
        got: "more",
        remedy: "break the line",
      });
    for (const line of lines) {
      count++;
      yield line.endsWith("\r") ? line.slice(0, -1) : line;
    }
  }
  rest += decode();
  if (rest !== "") yield rest;
}

/** All lines as one text, joined by \n. @throws BigVaeError as `splitLines` does, and "unsupported" for a text longer than a line may be. */
export async function wholeText(chunks: AsyncIterable<Uint8Array>, path: string): Promise<string> {
  const lines: string[] = [];
  let length = 0;
  for await (const line of splitLines(chunks, path)) {
    lines.push(line);
    length += line.length + 1;
    if (length > MAX_LINE_LENGTH)
      throw new BigVaeError("unsupported", {
        subject: path,
        expected: "a text of at most 2^26 characters",
        got: "more",
        remedy: "leave out `whole`",
      });
  }
  return lines.join("\n");
}
