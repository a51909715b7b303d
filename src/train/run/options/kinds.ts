/** Kinds of values that an option takes: what is expected, and whether a value is one. */
import { availableParallelism } from "node:os";

/** A kind of values, of the type `Value` in code. */
export interface Kind<Value> {
  /** As it stands behind "expected": "a whole number of at least 1". */
  expected: string;
  /** What stands for a value in the help: "n", "folder"; a switch has none. */
  placeholder?: string;
  /** All values, where they are a few words. */
  choices?: readonly string[];
  /** Set where values are paths; a "model" may also be "pocket" or a hub name. */
  names?: "path" | "model";
  /** Whether a value is of the kind. */
  holds(value: unknown): value is Value;
  /** The value that a text on the command line stands for; undefined where it is none of the kind. */
  fromText(text: string): Value | undefined;
}

function numbers(expected: string, placeholder: string, fits: (value: number) => boolean): Kind<number> {
  const holds = (value: unknown): value is number => Number.isFinite(value) && fits(value as number);
  const fromText = (text: string) => {
    const value = Number(text);
    return text.trim() !== "" && holds(value) ? value : undefined;
  };
  return { expected, placeholder, holds, fromText };
}

/** A whole number from `least` on. */
export function whole(least: number): Kind<number> {
  const fits = (value: number) => Number.isSafeInteger(value) && value >= least;
  return numbers(`a whole number of at least ${least}`, "n", fits);
}

/** A number from `least` to `most`. */
export function real(least: number, most = Number.POSITIVE_INFINITY): Kind<number> {
  const within = most === Number.POSITIVE_INFINITY ? `of at least ${least}` : `from ${least} to ${most}`;
  return numbers(`a number ${within}`, "x", (value) => value >= least && value <= most);
}

/** A number above 0. */
export const positive: Kind<number> = numbers("a number above 0", "x", (value) => value > 0);

/** From 0 to 1, both included. */
export const share: Kind<number> = { ...real(0, 1), placeholder: "p" };

/** From 0 to 1, without 1. */
export const properShare: Kind<number> = numbers(
  "a number from 0 to less than 1",
  "p",
  (value) => value >= 0 && value < 1,
);

/** Threads per core beyond which a run only waits for itself. */
const MAX_THREADS_PER_CORE = 4;

/** A number of threads that this machine can use. */
export const threadCount: Kind<number> = numbers(
  `a whole number of at least 1, a few threads for each of this machine's cores (${availableParallelism()})`,
  "n",
  (value) => Number.isSafeInteger(value) && value >= 1 && value <= MAX_THREADS_PER_CORE * availableParallelism(),
);

/** On or off; off where it is not given. */
export const onOff: Kind<boolean> = {
  expected: "true or false",
  holds: (value) => typeof value === "boolean",
  fromText: (text) => (text === "true" ? true : text === "false" ? false : undefined),
};

/** One of a few words. */
export function oneOf<const Word extends string>(...words: Word[]): Kind<Word> {
  const holds = (value: unknown): value is Word => words.includes(value as Word);
  return {
    expected: `one of ${words.join(", ")}`,
    placeholder: "kind",
    choices: words,
    holds,
    fromText: (text) => (holds(text) ? text : undefined),
  };
}

/** A text, not empty. */
export function text(placeholder: string): Kind<string> {
  const holds = (value: unknown): value is string => typeof value === "string" && value !== "";
  return { expected: "some text", placeholder, holds, fromText: (given) => (holds(given) ? given : undefined) };
}

/** The path of a file or a folder, not empty. */
export function path(placeholder: string): Kind<string> {
  const holds = (value: unknown): value is string => typeof value === "string" && value !== "";
  return {
    expected: "a path",
    placeholder,
    names: "path",
    holds,
    fromText: (text) => (holds(text) ? text : undefined),
  };
}

/** A model, or what belongs to one: "pocket", a path, or a hub name. */
export const model: Kind<string> = { ...path("name"), expected: "a model's path or name", names: "model" };
