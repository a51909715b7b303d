/** Reads server-sent events from an answer's body, in Node and in browsers. */

/** One event: its name, "message" where it has none, and its data. */
export interface ReadEvent {
  /** What kind of event it is. */
  event: string;
  /** Its lines of data, joined. */
  data: string;
}

/** The events of a body as they come. Leaving the loop cancels the body, and with it the server's work. */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<ReadEvent, void, void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      // A line may be cut between its two end characters.
      text = (text + decoder.decode(value, { stream: true })).replaceAll("\r\n", "\n");
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        const event = parsed(text.slice(0, end));
        text = text.slice(end + 2);
        if (event) yield event;
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** A block of lines; nothing of a comment. */
function parsed(block: string): ReadEvent | undefined {
  const fields = block.split("\n").map((line) => /^(event|data): ?(.*)$/.exec(line));
  const of = (name: string) => fields.flatMap((field) => (field?.[1] === name ? [field[2]!] : []));
  const data = of("data");
  return data.length > 0 ? { event: of("event")[0] ?? "message", data: data.join("\n") } : undefined;
}
