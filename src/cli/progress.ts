/** A bar with ETA on a terminal, a line every ten seconds elsewhere, nothing with --quiet; always on standard error. */
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
  return process.stderr.isTTY ? barProgress() : lineProgress();
}

function barProgress(): Progress {
  const format = "{bar} {percentage}% | {value}/{total} | {note} | ETA {eta_formatted}";
  const bar = new SingleBar({ format, stream: process.stderr, etaBuffer: 50 }, Presets.shades_classic);
  let started = false;
  return {
    update(done, total, note) {
      if (!started) bar.start(total, done, { note });
      started = true;
      bar.setTotal(total);
      bar.update(done, { note });
    },
    print(line) {
      if (started) process.stderr.write("\r\x1b[K");
      process.stderr.write(`${line}\n`);
    },
    stop: () => bar.stop(),
  };
}

function lineProgress(): Progress {
  const started = Date.now();
  let last = 0;
  let first: number | undefined;
  return {
    update(done, total, note) {
      first ??= done;
      if (Date.now() - last < LINE_EVERY_MS && done < total) return;
      last = Date.now();
      const rate = (done - first) / (last - started);
      const eta = rate > 0 ? ` | ETA ${Math.round((total - done) / rate / 1000)} s` : "";
      process.stderr.write(`${((100 * done) / Math.max(total, 1)).toFixed(1)}% | ${done}/${total} | ${note}${eta}\n`);
    },
    print: (line) => void process.stderr.write(`${line}\n`),
    stop() {},
  };
}
