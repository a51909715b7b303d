/** A bar with the time left on a terminal, a line every ten seconds elsewhere, nothing with --quiet; always on standard error. */
import { Presets, SingleBar } from "cli-progress";
import { size } from "./sizes.js";

export interface Progress {
  update(done: number, total: number, note: string): void;
  /** A line above the bar. */
  print(line: string): void;
  stop(): void;
}

const LINE_EVERY_MS = 10_000;

/** What a line says of work: how much is done, of how much, and a note. */
type Describe = (done: number, total: number, note: string) => string;

export function progress(quiet: boolean): Progress {
  return shown(quiet, describer(), (write, describe) => lineProgress(write, describe));
}

/** The same of the bytes of a file, its name the note: work of less than ten seconds is one line. */
export function bytesProgress(quiet: boolean): Progress {
  return shown(quiet, bytesDescriber(), (write, describe) => lineProgress(write, describe, Date.now()));
}

function shown(
  quiet: boolean,
  describe: Describe,
  lines: (write: (line: string) => void, describe: Describe) => Progress,
): Progress {
  if (quiet) return { update() {}, print() {}, stop() {} };
  return process.stderr.isTTY
    ? barProgress(describe)
    : lines((line) => void process.stderr.write(`${line}\n`), describe);
}

function barProgress(describe: Describe): Progress {
  const bar = new SingleBar(
    {
      format: (_, { progress, maxWidth }, { text }: { text: string }) => withBar(progress, text, maxWidth),
      stream: process.stderr,
    },
    Presets.shades_classic,
  );
  let started = false;
  return {
    update(done, total, note) {
      const text = describe(done, total, note);
      if (!started) bar.start(total, done, { text });
      started = true;
      bar.setTotal(total);
      bar.update(done, { text });
    },
    print(line) {
      if (started) process.stderr.write("\r\x1b[K");
      process.stderr.write(`${line}\n`);
    },
    stop: () => bar.stop(),
  };
}

const [SHORTEST_BAR, LONGEST_BAR] = [8, 40];

/** A bar in what the text leaves of a terminal's columns, and the text, cut where they are too few. */
export function withBar(share: number, text: string, columns: number): string {
  const width = Math.min(LONGEST_BAR, Math.max(SHORTEST_BAR, columns - text.length - 1));
  const full = Math.round(width * share);
  return `${"█".repeat(full)}${"░".repeat(width - full)} ${text}`.slice(0, columns);
}

/** At most a line every ten seconds, the first of them so long after `begin`, and the last one. */
export function lineProgress(
  write: (line: string) => void,
  describe: Describe = describer(),
  begin = Number.NEGATIVE_INFINITY,
): Progress {
  let last = begin;
  let held: string | undefined;
  const flush = () => {
    if (held !== undefined) write(held);
    held = undefined;
  };
  return {
    update(done, total, note) {
      held = describe(done, total, note);
      if (Date.now() - last < LINE_EVERY_MS) return;
      last = Date.now();
      flush();
    },
    print: write,
    stop: flush,
  };
}

/** "12.0% | 30/250 | ETA 4 min | note" */
function describer(): Describe {
  const rateOf = meanRate();
  return (done, total, note) =>
    [percent(done, total), `${done}/${total}`, ...eta(done, total, rateOf(done)), note].join(" | ");
}

/** "model.safetensors | 45.2% of 14.5 GB | 12.3 MB/s | ETA 4 min", where the work is bytes and the note a file's name. */
export function bytesDescriber(): Describe {
  const rateOf = meanRate();
  return (done, total, file) => {
    const rate = rateOf(done);
    const speed = rate === undefined ? [] : [`${size(Math.round(rate))}/s`];
    const left = done < total ? eta(done, total, rate) : [];
    return [file, `${percent(done, total)} of ${size(total)}`, ...speed, ...left].join(" | ");
  };
}

function percent(done: number, total: number): string {
  return `${(total === 0 ? 100 : (100 * done) / total).toFixed(1)}%`;
}

function eta(done: number, total: number, rate: number | undefined): string[] {
  return rate === undefined ? [] : [`ETA ${duration((total - done) / rate)}`];
}

/** Of what is done by now, the mean per second since the work began; work that begins again is timed anew. */
function meanRate(): (done: number) => number | undefined {
  let from = { at: 0, done: 0, latest: Number.POSITIVE_INFINITY };
  return (done) => {
    if (done < from.latest) from = { at: Date.now(), done, latest: done };
    from.latest = done;
    const seconds = (Date.now() - from.at) / 1000;
    return done > from.done && seconds > 0 ? (done - from.done) / seconds : undefined;
  };
}

export function duration(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
