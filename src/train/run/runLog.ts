/** The log of a run: one JSON line per step in log.jsonl, and the same scalars as a TensorBoard event file. */
import { type FileHandle, mkdir, open, readdir, readFile, truncate } from "node:fs/promises";
import { join } from "node:path";
import { diskError, errorCode } from "../../formats/fileOps.js";
import { jsonLine } from "../../formats/index.js";
import type { StepReport } from "../loop/trainer.js";
import { recordsUpTo, scalarRecord, versionRecord } from "./tensorboard.js";

const LINES = "log.jsonl";
/** How the names of event files begin. */
const EVENTS = "events.out.tfevents.";

export class RunLog {
  /** Step of the last evaluation that is logged. */
  #lastEvaluation: number | undefined;

  private constructor(
    readonly folder: string,
    readonly lines: FileHandle,
    readonly events: FileHandle,
  ) {}

  /**
   * Appends to the log in `folder`, behind what it holds up to the step that the run goes on from: an earlier session may have died steps
   * after its last checkpoint, which are done again. Each session has an event file of its own, which TensorBoard joins.
   * @throws BigVaeError("disk"), here and at every line.
   */
  static async open(folder: string): Promise<RunLog> {
    const seconds = Math.floor(Date.now() / 1000);
    const path = join(folder, LINES);
    const files: FileHandle[] = [];
    const opened = async (name: string, flags: string) => {
      const file = await open(name, flags);
      files.push(file);
      return file;
    };
    try {
      await mkdir(folder, { recursive: true });
      const lines = await opened(path, "a+");
      const events = await opened(join(folder, `${EVENTS}${seconds}.bigvae.${process.pid}`), "a");
      await events.appendFile(versionRecord(seconds));
      return new RunLog(folder, lines, events);
    } catch (error) {
      for (const file of files) await file.close();
      throw await diskError(path, 0, error);
    }
  }

  get lastEvaluation(): number | undefined {
    return this.#lastEvaluation;
  }

  /** Takes out what is logged of steps after `step`, and a line or a record that a dead writer left half. */
  async cutAfter(step: number): Promise<void> {
    try {
      const text = await readFile(join(this.folder, LINES));
      const kept = linesUpTo(text, step);
      if (kept < text.length) await this.lines.truncate(kept);
      this.#lastEvaluation = lastEvaluationOf(text.subarray(0, kept));
      for (const name of (await readdir(this.folder)).filter((file) => file.startsWith(EVENTS))) {
        const path = join(this.folder, name);
        const records = await readFile(path);
        const length = recordsUpTo(records, step);
        if (length < records.length) await truncate(path, length);
      }
    } catch (error) {
      throw await diskError(join(this.folder, LINES), 0, error);
    }
  }

  async step({ step, metrics, gradientNorm, lr, tokens, seconds, applied }: StepReport): Promise<void> {
    const scalars = { ...metrics, gradientNorm, lr, tokensPerSecond: tokens / seconds };
    await this.record({ step, ...scalars, ...(applied ? {} : { applied }) });
    await this.#event(step, scalars);
  }

  /** An evaluation on held-out rows; its scalars are named "heldOut/loss" and so on among the events. */
  async evaluation(step: number, metrics: Readonly<Record<string, number>>): Promise<void> {
    await this.record({ step, heldOut: metrics });
    await this.#event(
      step,
      Object.fromEntries(Object.entries(metrics).map(([name, value]) => [`heldOut/${name}`, value])),
    );
  }

  /** Any other line. */
  async record(line: Readonly<Record<string, unknown>>): Promise<void> {
    const text = jsonLine({ time: new Date().toISOString(), ...line });
    await this.#append(this.lines, new TextEncoder().encode(text), LINES);
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

/** Bytes of the whole lines before the first one of a later step. */
function linesUpTo(text: Buffer, lastStep: number): number {
  let at = 0;
  for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", at)) {
    const step = /"step":(\d+)/.exec(text.toString("utf8", at, end))?.[1];
    if (Number(step ?? 0) > lastStep) break;
    at = end + 1;
  }
  return at;
}

function lastEvaluationOf(text: Buffer): number | undefined {
  return lastHeldOut(text)?.step;
}

/** The last line of an evaluation. */
function lastHeldOut(text: Buffer): { step: number; heldOut: { loss: number } } | undefined {
  const at = text.lastIndexOf('"heldOut":');
  if (at < 0) return undefined;
  const end = text.indexOf("\n", at);
  return JSON.parse(text.toString("utf8", text.lastIndexOf("\n", at) + 1, end < 0 ? text.length : end));
}

/** The loss of the last evaluation that is logged in a run's folder; none where there was none. Throws "disk". */
export async function lastHeldOutLoss(folder: string): Promise<number | undefined> {
  const path = join(folder, LINES);
  const text = await readFile(path).catch(async (error: unknown) => {
    if (errorCode(error) === "ENOENT") return Buffer.alloc(0);
    throw await diskError(path, 0, error);
  });
  return lastHeldOut(text.subarray(0, text.lastIndexOf("\n") + 1))?.heldOut.loss;
}
