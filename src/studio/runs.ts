/** Training runs, as another process writes them: options and logs of the folders below one. */
import { type FileHandle, open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { readRunFile } from "../train/run/runFile.js";
import type { TrainingRun } from "./types.js";

/** Points of a curve that are told at most, evenly chosen. */
const MOST_POINTS = 300;
/** Runs that are listed, and whose logs are read, at most: the newest. */
const MOST_RUNS = 50;
/** Bytes before the end of what was read, by which a log that was written anew is told. */
const TAIL = 1024;

export class Runs {
  #logs = new Map<string, Log>();

  constructor(readonly folder: string) {}

  /** The runs, the newest first; those that are named with their curves and samples. */
  async list(names: readonly string[]): Promise<TrainingRun[]> {
    const found: TrainingRun[] = [];
    const logs = new Map<string, Log>();
    for (const name of await this.#newestFirst()) {
      const path = join(this.folder, name);
      // A folder without a whole run.json is no run, or none yet.
      const file = await readRunFile(path).catch(() => undefined);
      if (!file) continue;
      const log = this.#logs.get(name) ?? new Log(join(path, "log.jsonl"));
      this.#logs.set(name, log);
      logs.set(name, log);
      await log.read();
      const curves = names.includes(name) ? { curves: log.curves(), samples: log.samples } : {};
      found.push({ name, command: file.command, options: file.flags, step: log.step, ...curves });
      if (found.length === MOST_RUNS) break;
    }
    // Those of runs that are gone, or no longer among the newest, are dropped.
    this.#logs = logs;
    return found;
  }

  /** Folders by when their logs were written last; those without a log come last. */
  async #newestFirst(): Promise<string[]> {
    const entries = await readdir(this.folder, { withFileTypes: true }).catch(() => []);
    const folders = entries.filter((entry) => entry.isDirectory());
    const dated = await Promise.all(
      folders.map(async ({ name }) => {
        const log = await stat(join(this.folder, name, "log.jsonl")).catch(() => undefined);
        return { name, changed: log?.mtimeMs ?? 0 };
      }),
    );
    return dated.sort((a, b) => b.changed - a.changed).map(({ name }) => name);
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
  /** The last bytes before the offset. */
  #tail = Buffer.alloc(0);
  #reading: Promise<void> = Promise.resolve();

  constructor(readonly path: string) {}

  /** Reads what is new, behind what others read at the time. */
  read(): Promise<void> {
    const reading = this.#reading.then(() => this.#read());
    this.#reading = reading.catch(() => undefined);
    return reading;
  }

  curves(): Record<string, [number, number][]> {
    return Object.fromEntries(Array.from(this.#curves, ([name, points]) => [name, thinned(points)]));
  }

  async #read(): Promise<void> {
    const file = await open(this.path).catch(() => undefined);
    if (!file) return this.#forget();
    try {
      const known = this.#tail.length;
      let bytes = await bytesFrom(file, this.#offset - known);
      // A run that is resumed takes back what it does again, and may have come further since.
      if (bytes.subarray(0, known).equals(this.#tail)) bytes = bytes.subarray(known);
      else {
        this.#forget();
        bytes = await bytesFrom(file, 0);
      }
      this.#takeAll(bytes.subarray(0, bytes.lastIndexOf("\n") + 1));
    } finally {
      await file.close();
    }
  }

  #takeAll(lines: Buffer): void {
    for (const line of lines.toString("utf8").split("\n")) this.#take(line);
    this.#offset += lines.length;
    this.#tail = Buffer.from(Buffer.concat([this.#tail, lines.subarray(-TAIL)]).subarray(-TAIL));
  }

  #forget(): void {
    this.#curves = new Map();
    [this.step, this.samples, this.#sampledAt, this.#offset, this.#tail] = [0, [], -1, 0, Buffer.alloc(0)];
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

/** All bytes of a file from an offset on. */
async function bytesFrom(file: FileHandle, offset: number): Promise<Buffer> {
  const bytes = Buffer.alloc(Math.max(0, (await file.stat()).size - offset));
  const { bytesRead } = await file.read(bytes, 0, bytes.length, offset);
  return bytes.subarray(0, bytesRead);
}

/** Evenly chosen ones, the last among them. */
function thinned(points: readonly [number, number][]): [number, number][] {
  const stride = Math.max(1, points.length / MOST_POINTS);
  const count = Math.ceil(points.length / stride);
  return Array.from({ length: count }, (_, i) => points[points.length - 1 - Math.floor(i * stride)]!).reverse();
}
