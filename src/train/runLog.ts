/** The log of a run: one JSON line per step in log.jsonl, and the same scalars as a TensorBoard event file. */
import { createWriteStream, type WriteStream } from "node:fs";
import { join } from "node:path";
import { scalarRecord, versionRecord } from "./tensorboard.js";
import type { StepReport } from "./trainer.js";

export class RunLog {
  readonly #lines: WriteStream;
  readonly #events: WriteStream;

  /** Appends to the log in `folder`; each session of a resumed run has an event file of its own, which TensorBoard joins. */
  constructor(folder: string) {
    const seconds = Math.floor(Date.now() / 1000);
    this.#lines = createWriteStream(join(folder, "log.jsonl"), { flags: "a" });
    this.#events = createWriteStream(join(folder, `events.out.tfevents.${seconds}.bigvae.${process.pid}`), {
      flags: "a",
    });
    this.#events.write(versionRecord(seconds));
  }

  step({ step, metrics, gradientNorm, lr, tokens, seconds, applied }: StepReport): void {
    const scalars = { ...metrics, gradientNorm, lr, tokensPerSecond: tokens / seconds };
    // JSON has no NaN; a value that is not finite is written by name.
    const named = Object.fromEntries(
      Object.entries(scalars).map(([name, value]) => [name, Number.isFinite(value) ? value : `${value}`]),
    );
    this.record({ step, ...named, ...(applied ? {} : { applied }) });
    this.#events.write(scalarRecord(Date.now() / 1000, step, scalars));
  }

  /** Any other line: an evaluation, sample reconstructions. */
  record(line: Readonly<Record<string, unknown>>): void {
    this.#lines.write(`${JSON.stringify({ time: new Date().toISOString(), ...line })}\n`);
  }

  async close(): Promise<void> {
    await Promise.all([this.#lines, this.#events].map((stream) => new Promise((resolve) => stream.end(resolve))));
  }
}
