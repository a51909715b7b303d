/** Training runs, as another process writes them: options and logs of the folders below one. */
import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { readRunFile } from "../train/run/runFile.js";
import type { TrainingRun } from "./types.js";

/** Points of a curve that are told at most, evenly chosen. */
const MOST_POINTS = 300;
/** Runs that are listed at most: the newest. */
const MOST_RUNS = 50;

export class Runs {
  readonly #logs = new Map<string, Log>();

  constructor(readonly folder: string) {}

  /** The runs, the newest first; those that are named with their curves and samples. */
  async list(names: readonly string[]): Promise<TrainingRun[]> {
    const entries = await readdir(this.folder, { withFileTypes: true }).catch(() => []);
    const found: (TrainingRun & { changed: number })[] = [];
    for (const entry of entries) {
      const path = join(this.folder, entry.name);
      // A folder without a whole run.json is no run, or none yet.
      const file = entry.isDirectory() ? await readRunFile(path).catch(() => undefined) : undefined;
      if (!file) continue;
      const log = this.#logs.get(entry.name) ?? new Log(join(path, "log.jsonl"));
      this.#logs.set(entry.name, log);
      const changed = await log.read();
      const curves = names.includes(entry.name) ? { curves: log.curves(), samples: log.samples } : {};
      found.push({ name: entry.name, command: file.command, options: file.flags, step: log.step, changed, ...curves });
    }
    found.sort((a, b) => b.changed - a.changed);
    return found.slice(0, MOST_RUNS).map(({ changed: _, ...run }) => run);
  }
}

/** A log that grows: only what is new of it is read. */
class Log {
  step = 0;
  /** Of the last evaluation. */
  samples: Record<string, string>[] = [];
  #curves = new Map<string, [number, number][]>();
  #sampledAt = -1;
  #offset = 0;

  constructor(readonly path: string) {}

  /** Reads what is new; returns when the log was written last. */
  async read(): Promise<number> {
    const found = await stat(this.path).catch(() => undefined);
    if (!found) return 0;
    // A run that is resumed takes back what it does again.
    if (found.size < this.#offset) this.#forget();
    const bytes = Buffer.alloc(found.size - this.#offset);
    const file = await open(this.path);
    try {
      await file.read(bytes, 0, bytes.length, this.#offset);
    } finally {
      await file.close();
    }
    const whole = bytes.lastIndexOf("\n") + 1;
    this.#offset += whole;
    for (const line of bytes.toString("utf8", 0, whole).split("\n")) this.#take(line);
    return found.mtimeMs;
  }

  curves(): Record<string, [number, number][]> {
    return Object.fromEntries(Array.from(this.#curves, ([name, points]) => [name, thinned(points)]));
  }

  #forget(): void {
    this.#curves = new Map();
    [this.step, this.samples, this.#sampledAt, this.#offset] = [0, [], -1, 0];
  }

  #take(line: string): void {
    let record: Record<string, unknown>;
    try {
      record = JSON.parse(line) as Record<string, unknown>;
    } catch {
      return;
    }
    const { step, heldOut, sample, time: _, ...scalars } = record;
    if (typeof step !== "number") return;
    this.step = Math.max(this.step, step);
    if (typeof sample === "object" && sample !== null) {
      if (step !== this.#sampledAt) [this.samples, this.#sampledAt] = [[], step];
      this.samples.push(sample as Record<string, string>);
    }
    for (const [name, value] of Object.entries(scalars)) this.#point(name, step, value);
    for (const [name, value] of Object.entries(heldOut ?? {})) this.#point(`held out: ${name}`, step, value);
  }

  #point(name: string, step: number, value: unknown): void {
    if (typeof value !== "number") return;
    const points = this.#curves.get(name) ?? [];
    this.#curves.set(name, points);
    points.push([step, value]);
  }
}

/** Evenly chosen ones, the last among them. */
function thinned(points: readonly [number, number][]): [number, number][] {
  const stride = Math.max(1, points.length / MOST_POINTS);
  const count = Math.ceil(points.length / stride);
  return Array.from({ length: count }, (_, i) => points[points.length - 1 - Math.floor(i * stride)]!).reverse();
}
