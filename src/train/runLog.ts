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
    /** Step of the last look at held-out rows that an earlier session logged. */
    readonly lastLook: number | undefined,
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
      const tail = await dropTornLine(lines);
      const events = await opened(join(folder, `events.out.tfevents.${seconds}.bigvae.${process.pid}`), "a");
      await events.appendFile(versionRecord(seconds));
      return new RunLog(folder, lines, events, lastLookOf(tail));
    } catch (error) {
      for (const file of files) await file.close();
      throw await diskError(path, 0, error);
    }
  }

  async step({ step, metrics, gradientNorm, lr, tokens, seconds, applied }: StepReport): Promise<void> {
    const scalars = { ...metrics, gradientNorm, lr, tokensPerSecond: tokens / seconds };
    await this.record({ step, ...scalars, ...(applied ? {} : { applied }) });
    await this.#event(step, scalars);
  }

  /** A look at held-out rows; its scalars are named "heldOut/loss" and so on among the events. */
  async look(step: number, metrics: Readonly<Record<string, number>>): Promise<void> {
    await this.record({ step, heldOut: metrics });
    await this.#event(
      step,
      Object.fromEntries(Object.entries(metrics).map(([name, value]) => [`heldOut/${name}`, value])),
    );
  }

  /** Any other line. JSON has no NaN: a number that is not finite is written by name. */
  async record(line: Readonly<Record<string, unknown>>): Promise<void> {
    const named = (_: string, value: unknown) =>
      typeof value === "number" && !Number.isFinite(value) ? `${value}` : value;
    const text = `${JSON.stringify({ time: new Date().toISOString(), ...line }, named)}\n`;
    await this.#append(this.lines, new TextEncoder().encode(text), "log.jsonl");
  }

  async close(): Promise<void> {
    await Promise.all([this.lines.close(), this.events.close()]);
  }

  async #event(step: number, scalars: Readonly<Record<string, number>>): Promise<void> {
    await this.#append(this.events, scalarRecord(Date.now() / 1000, step, scalars), "its TensorBoard events");
  }

  async #append(file: FileHandle, bytes: Uint8Array, name: string): Promise<void> {
    await file.appendFile(bytes).catch(async (error) => {
      throw await diskError(join(this.folder, name), bytes.length, error);
    });
  }
}

/** Longer than any line of ours. */
const TAIL_BYTES = 2 ** 20;

/** A writer that died over a line left a part of it. Returns the whole lines at the end. */
async function dropTornLine(file: FileHandle): Promise<string> {
  const { size } = await file.stat();
  const begin = Math.max(0, size - TAIL_BYTES);
  const tail = Buffer.alloc(size - begin);
  await file.read(tail, 0, tail.length, begin);
  const end = begin + tail.lastIndexOf("\n") + 1;
  if (end < size) await file.truncate(end);
  return tail.toString("utf8", 0, end - begin);
}

function lastLookOf(tail: string): number | undefined {
  const line = tail.split("\n").findLast((text) => text.includes('"heldOut":'));
  return line === undefined ? undefined : Number(/"step":(\d+)/.exec(line)?.[1]);
}
