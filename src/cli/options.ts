/** Options that several commands share, and the parsing of their values. */
import { InvalidArgumentError } from "@commander-js/extra-typings";
import { type Kind, real, threadCount, whole } from "../train/run/options/kinds.js";

/** Reads the text of a flag as a value of a kind. */
export function parserOf<Value>(kind: Kind<Value>) {
  return (text: string): Value => {
    const value = kind.fromText(text);
    if (value !== undefined) return value;
    throw new InvalidArgumentError(`Expected ${kind.expected}, got ${JSON.stringify(text)}.`);
  };
}

/** A whole number from `least` on. */
export const wholeNumber = (least = 0) => parserOf(whole(least));

/** A number within [least, most]. */
export const realNumber = (least: number, most?: number) => parserOf(real(least, most));

/** A number of threads that this machine can use. */
export const threads = parserOf(threadCount);

/** Values of a flag that may be repeated. */
export function collected(text: string, all: string[]): string[] {
  return [...all, text];
}

/** "span=0.8,prompt=0.2" */
export function namedNumbers(text: string): Record<string, number> {
  const pairs = text.split(",").map((pair) => {
    const [name = "", value = "", ...rest] = pair.split("=");
    if (name.trim() === "" || value.trim() === "" || rest.length > 0 || !Number.isFinite(Number(value)))
      throw new InvalidArgumentError(`Expected NAME=NUMBER pairs with commas between, got ${JSON.stringify(pair)}.`);
    return [name.trim(), Number(value)] as const;
  });
  const twice = pairs.find(([name], i) => pairs.findIndex((other) => other[0] === name) < i);
  if (twice) throw new InvalidArgumentError(`Expected each name once, got ${twice[0]} twice.`);
  return Object.fromEntries(pairs);
}

/** "2,1" */
export function numberList(text: string): number[] {
  const numbers = text.split(",").map((each) => (each.trim() === "" ? Number.NaN : Number(each)));
  if (numbers.every((each) => Number.isFinite(each))) return numbers;
  throw new InvalidArgumentError(`Expected numbers with commas between, got ${JSON.stringify(text)}.`);
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
