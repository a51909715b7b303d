/** Files of texts that are encoded into a project, a batch at a time, so that other calls are served in between. */
import type { BigVae } from "../bigVae.js";
import { type TextRecord, textsOfBytes } from "../data/texts.js";
import { BigVaeError } from "../errors.js";
import { batches } from "../operations/batches.js";
import { CORPUS, type Project } from "../project/index.js";
import type { Atlas } from "./atlas.js";
import type { StudioEvents } from "./events.js";
import { noted } from "./notes.js";

/** Texts of a file at most. */
const MOST_TEXTS = 100_000;

/** A piece of a text, with what else its record says. */
type CorpusSpan = Pick<TextRecord, "text" | "values">;

interface Reading {
  abort: AbortController;
  settled: Promise<void>;
  /** Spans that are encoded, and of how many. */
  done: number;
  total: number;
}

export class Corpora {
  readonly #reading = new Map<number, Reading>();

  constructor(
    readonly project: Project,
    readonly model: () => BigVae,
    readonly events: StudioEvents,
    readonly atlas: Atlas,
  ) {}

  /**
   * Begins to read a file: plain lines, or records of .jsonl. Returns its node, which is told as it grows.
   * @throws BigVaeError: "format" naming the line that is none, "usage" for no text or too many.
   */
  async add(name: string, content: string): Promise<number> {
    const bytes = [new TextEncoder().encode(content)];
    const texts: TextRecord[] = [];
    for await (const record of textsOfBytes(oneByOne(bytes), name, /\.jsonl$/i.test(name) ? "records" : "lines"))
      texts.push(record);
    if (texts.length === 0 || texts.length > MOST_TEXTS) throw wrongCount(name, texts.length);
    const vae = this.model();
    const spans = texts.flatMap(({ text, values }) => vae.cut(text).map((piece) => ({ text: piece, values })));
    const node = this.project.begin({ origin: CORPUS, title: name });
    const reading = { abort: new AbortController(), settled: Promise.resolve(), done: 0, total: spans.length };
    this.#reading.set(node, reading);
    this.events.tell({ kind: "node", node: this.project.node(node) });
    reading.settled = this.#read(node, spans, reading);
    return node;
  }

  /** Corpora that are read, and how far. */
  pending(): { node: number; done: number; total: number }[] {
    return Array.from(this.#reading, ([node, { done, total }]) => ({ node, done, total }));
  }

  /** Ends the reading of a corpus; what was kept stays. */
  stop(node: number): void {
    this.#reading.get(node)?.abort.abort();
  }

  /** Waits until a corpus is read. */
  async finished(node: number): Promise<void> {
    await this.#reading.get(node)?.settled;
  }

  async close(): Promise<void> {
    for (const node of this.#reading.keys()) this.stop(node);
    await Promise.all(Array.from(this.#reading.values(), ({ settled }) => settled));
  }

  async #read(node: number, spans: readonly CorpusSpan[], reading: Reading): Promise<void> {
    const { signal } = reading.abort;
    try {
      for await (const batch of batches(spans)) {
        const texts = batch.map(({ text }) => text);
        const encoded = await this.model().encode(texts, signal);
        const ids = this.project.together(() =>
          encoded.map(
            ({ text, mean: z }, i) => this.project.write(node, { text, z, origins: noted(batch[i]!.values) }).id,
          ),
        );
        const points = this.atlas.add(
          encoded.map(({ text, mean: z }, i) => ({ id: ids[i]!, node, place: reading.done + i, text, z })),
        );
        reading.done += batch.length;
        this.events.tell({ kind: "corpus", node, done: reading.done, total: reading.total, points });
        this.atlas.refresh();
      }
    } catch (error) {
      if (!signal.aborted) this.events.fail(error, node);
    }
    this.#reading.delete(node);
    this.events.settle(this.project, node);
  }
}

async function* oneByOne<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}

function wrongCount(name: string, got: number): BigVaeError {
  const expected = `1 to ${MOST_TEXTS} texts, a line each`;
  return new BigVaeError("usage", { subject: name, expected, got, remedy: "give a file with less or more" });
}
