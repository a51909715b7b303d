/** A bar with the time left on a terminal, a line every ten seconds elsewhere, nothing with --quiet; always on standard error. */
import { Presets, SingleBar } from "cli-progress";

export interface Progress {
  update(done: number, total: number, note: string): void;
  /** A line above the bar. */
  print(line: string): void;
  stop(): void;
}

const LINE_EVERY_MS = 10_000;

export function progress(quiet: boolean): Progress {
  if (quiet) return { update() {}, print() {}, stop() {} };
  return process.stderr.isTTY ? barProgress() : lineProgress((line) => void process.stderr.write(`${line}\n`));
}

function barProgress(): Progress {
  const bar = new SingleBar(
    {
      format: (_, { progress, maxWidth }, { text }: { text: string }) => withBar(progress, text, maxWidth),
      stream: process.stderr,
    },
    Presets.shades_classic,
  );
  const describe = describer();
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

/** At most a line every ten seconds, and the last one. */
export function lineProgress(write: (line: string) => void): Progress {
  const describe = describer();
  let last = Number.NEGATIVE_INFINITY;
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

/** "12.0% | 30/250 | ETA 4 min | note", by the mean rate since the work began; work that begins again is timed anew. */
function describer(): (done: number, total: number, note: string) => string {
  let from = { at: 0, done: 0, latest: Number.POSITIVE_INFINITY };
  return (done, total, note) => {
    if (done < from.latest) from = { at: Date.now(), done, latest: done };
    from.latest = done;
    const seconds = (((Date.now() - from.at) / 1000) * (total - done)) / (done - from.done);
    const eta = done > from.done ? [`ETA ${duration(seconds)}`] : [];
    return [`${((100 * done) / Math.max(total, 1)).toFixed(1)}%`, `${done}/${total}`, ...eta, note].join(" | ");
  };
}

export function duration(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
