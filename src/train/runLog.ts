/** The log of a run: one JSON line per step in log.jsonl, and the same scalars as a TensorBoard event file. */
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { diskError } from "../formats/fileOps.js";
import { scalarRecord, versionRecord } from "./tensorboard.js";
import type { StepReport } from "./trainer.js";

export class RunLog {
  private constructor(
    readonly folder: string,
    readonly lines: FileHandle,
    readonly events: FileHandle,
  ) {}

  /**
   * Appends to the log in `folder`; each session of a resumed run has an event file of its own, which TensorBoard joins.
   * @throws BigVaeError("disk"), here and at every line.
   */
  static async open(folder: string): Promise<RunLog> {
    const seconds = Math.floor(Date.now() / 1000);
    const path = join(folder, "log.jsonl");
    const files: FileHandle[] = [];
    const opened = async (name: string, flags: string) => {
      const file = await open(name, flags);
      files.push(file);
      return file;
    };
    try {
      await mkdir(folder, { recursive: true });
      const lines = await opened(path, "a+");
      await dropTornLine(lines);
      const events = await opened(join(folder, `events.out.tfevents.${seconds}.bigvae.${process.pid}`), "a");
      await events.appendFile(versionRecord(seconds));
      return new RunLog(folder, lines, events);
    } catch (error) {
      for (const file of files) await file.close();
      throw await diskError(path, 0, error);
    }
  }

  async step({ step, metrics, gradientNorm, lr, tokens, seconds, applied }: StepReport): Promise<void> {
    const scalars = { ...metrics, gradientNorm, lr, tokensPerSecond: tokens / seconds };
    // JSON has no NaN; a value that is not finite is written by name.
    const named = Object.fromEntries(
      Object.entries(scalars).map(([name, value]) => [name, Number.isFinite(value) ? value : `${value}`]),
    );
    await this.record({ step, ...named, ...(applied ? {} : { applied }) });
    await this.#append(this.events, scalarRecord(Date.now() / 1000, step, scalars));
  }

  /** Any other line: an evaluation, sample reconstructions. */
  async record(line: Readonly<Record<string, unknown>>): Promise<void> {
    const text = `${JSON.stringify({ time: new Date().toISOString(), ...line })}\n`;
    await this.#append(this.lines, new TextEncoder().encode(text));
  }

  async close(): Promise<void> {
    await Promise.all([this.lines.close(), this.events.close()]);
  }

  async #append(file: FileHandle, bytes: Uint8Array): Promise<void> {
    await file.appendFile(bytes).catch(async (error) => {
      throw await diskError(join(this.folder, "log.jsonl"), bytes.length, error);
    });
  }
}

/** Longer than any line of ours. */
const TAIL_BYTES = 2 ** 20;

/** A writer that died over a line left a part of it. */
async function dropTornLine(file: FileHandle): Promise<void> {
  const { size } = await file.stat();
  const begin = Math.max(0, size - TAIL_BYTES);
  const tail = Buffer.alloc(size - begin);
  await file.read(tail, 0, tail.length, begin);
  const end = begin + tail.lastIndexOf("\n") + 1;
  if (end < size) await file.truncate(end);
}
