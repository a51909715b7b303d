/** Options that several commands share, and the parsing of their values. */
import { availableParallelism } from "node:os";
import { InvalidArgumentError } from "@commander-js/extra-typings";

/** A whole number from `least` on. */
export function wholeNumber(least = 0) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() !== "" && Number.isSafeInteger(value) && value >= least) return value;
    throw new InvalidArgumentError(`Expected a whole number of at least ${least}, got ${JSON.stringify(text)}.`);
  };
}

/** Threads per core beyond which a run only waits for itself. */
const MAX_THREADS_PER_CORE = 4;

/** A number of threads that this machine can use. */
export function threadCount(text: string): number {
  const [value, cores] = [wholeNumber(1)(text), availableParallelism()];
  if (value <= MAX_THREADS_PER_CORE * cores) return value;
  throw new InvalidArgumentError(`Expected a few threads for this machine's ${cores} cores, got ${value}.`);
}

/** A number within [least, most]. */
export function realNumber(least: number, most = Number.POSITIVE_INFINITY) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() !== "" && Number.isFinite(value) && value >= least && value <= most) return value;
    const within = most === Number.POSITIVE_INFINITY ? `of at least ${least}` : `from ${least} to ${most}`;
    throw new InvalidArgumentError(`Expected a number ${within}, got ${JSON.stringify(text)}.`);
  };
}

/** "span=0.8,prompt=0.2" */
export function namedNumbers(text: string): Record<string, number> {
  const pairs = text.split(",").map((pair) => {
    const [name = "", value = "", ...rest] = pair.split("=");
    if (name.trim() === "" || value.trim() === "" || rest.length > 0 || !Number.isFinite(Number(value)))
      throw new InvalidArgumentError(`Expected NAME=NUMBER pairs with commas between, got ${JSON.stringify(pair)}.`);
    return [name.trim(), Number(value)] as const;
  });
  return Object.fromEntries(pairs);
}

const interruption = new AbortController();

/** Stops what runs, as Ctrl-C does. */
export function interrupt(): void {
  interruption.abort();
}

/** An abort signal that the first Ctrl-C sets, or an output that nobody reads any more; the second Ctrl-C ends the process. */
export function interruptSignal(): AbortSignal {
  process.once("SIGINT", interrupt);
  process.once("SIGTERM", interrupt);
  return interruption.signal;
}
