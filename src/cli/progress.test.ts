import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { bytesDescriber, duration, lineProgress, withBar } from "./progress.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("a bar takes what the text leaves, and the text keeps what comes first", () => {
  const text = "12.0% | 2400/20000 | ETA 2 h 13 min | loss 3.1416 rec 3.0000 kl 1.2345 lr 1.0e-3";
  expect(withBar(0.5, text, 60)).toBe("████░░░░ 12.0% | 2400/20000 | ETA 2 h 13 min | loss 3.1416 r");
  expect(withBar(0.25, "25.0% | 1/4", 200)).toBe(`${"█".repeat(10)}${"░".repeat(30)} 25.0% | 1/4`);
  expect(withBar(0.25, "25.0% | 1/4", 32)).toBe(`${"█".repeat(5)}${"░".repeat(15)} 25.0% | 1/4`);
});

it("lines come every ten seconds, and the last at the end", () => {
  const lines: string[] = [];
  const progress = lineProgress((line) => lines.push(line));
  for (let done = 1; done <= 25; done++) {
    progress.update(done, 25, "texts");
    vi.advanceTimersByTime(1000);
  }
  progress.stop();
  progress.stop();
  expect(lines).toEqual([
    "4.0% | 1/25 | texts",
    "44.0% | 11/25 | ETA 14 s | texts",
    "84.0% | 21/25 | ETA 4 s | texts",
    "100.0% | 25/25 | ETA 0 s | texts",
  ]);
});

it("the time of work that begins again is its own", () => {
  const lines: string[] = [];
  const progress = lineProgress((line) => lines.push(line));
  for (const done of [1, 2, 1, 2]) {
    progress.update(done, 4, "texts");
    vi.advanceTimersByTime(20_000);
  }
  expect(lines.map((line) => /ETA [^|]*/.exec(line)?.[0].trim())).toEqual([
    undefined,
    "ETA 40 s",
    undefined,
    "ETA 40 s",
  ]);
});

it("a duration is short whatever it is", () => {
  expect([0.2, 59.1, 61, 3600, 360_061].map(duration)).toEqual(["1 s", "60 s", "2 min", "1 h 0 min", "100 h 2 min"]);
});

it("bytes have their file, their speed and the time left", () => {
  const lines: string[] = [];
  const progress = lineProgress((line) => lines.push(line), bytesDescriber());
  for (const gigabytes of [2, 4, 14.5]) {
    progress.update(gigabytes * 1e9, 14.5e9, "model.safetensors");
    vi.advanceTimersByTime(20_000);
  }
  expect(lines).toEqual([
    "model.safetensors | 13.8% of 14.5 GB",
    "model.safetensors | 27.6% of 14.5 GB | 100 MB/s | ETA 2 min",
    "model.safetensors | 100.0% of 14.5 GB | 313 MB/s",
  ]);
});
