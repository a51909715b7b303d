/**
 * Realisation: a pattern is a string over the state of a scene.
 *   {slot}      a value of the scene, such as {hero} or {his}
 *   <table>     a draw from a word table, none twice in a story; <table:slot> also keeps it as {slot};
 *               a table of SELDOM is mostly skipped, and <table!> always draws from it
 *   [a|b|c]     alternatives, each as likely; they may hold slots and draws
 *   @           the article a or an, by the word that follows
 */
import { BigVaeError } from "../../errors.js";
import type { Chooser } from "./chooser.js";
import { VARIANTS } from "./lexicon/variants.js";

type Part =
  | { kind: "text"; text: string }
  | { kind: "slot"; name: string }
  | { kind: "draw"; table: string; keep: string | undefined; always: boolean }
  | { kind: "any"; options: readonly Part[][] };

export interface Pattern {
  /** The pattern as written; it is also the pattern's name in statistics. */
  source: string;
  /** How it opens: its first word, slot, draw or set of alternatives. */
  opener: string;
  parts: readonly Part[];
}

/** What a pattern is told from: the slots, the word tables and what the story has used up. */
export interface Telling {
  chooser: Chooser;
  slots: Record<string, string>;
  tables: Readonly<Record<string, readonly string[]>>;
  taken: Map<string, Set<number>>;
  lastOpener: string;
  used: Pattern[];
}

/** Tables of decoration, drawn from once in so many times: most nouns and verbs do without. */
const SELDOM: Readonly<Record<string, number>> = {
  hue: 12,
  mien: 10,
  dish: 8,
  size: 4,
  trait: 3,
  good: 4,
  look: 5,
  spell: 5,
  loud: 3,
  tone: 6,
};

const TOKEN = /\{([^}]+)\}|<([^>:!]+)(!?)(?::([^>]+))?>|([[\]|])|([^{}<>[\]|]+)/g;

/** Reads a pattern once; realising it later is a walk over its parts. */
export function pattern(source: string): Pattern {
  const stack: Part[][][] = [[[]]];
  for (const [, slot, table, always, keep, bracket, text] of source.matchAll(TOKEN)) {
    const options = stack.at(-1)!;
    const parts = options.at(-1)!;
    if (slot) parts.push({ kind: "slot", name: slot });
    else if (table) parts.push({ kind: "draw", table, keep, always: always === "!" });
    else if (bracket === "[") stack.push([[]]);
    else if (bracket === "|") options.push([]);
    else if (bracket === "]") {
      stack.pop();
      stack.at(-1)!.at(-1)!.push({ kind: "any", options });
    } else parts.push({ kind: "text", text: text! });
  }
  if (stack.length !== 1)
    throw new BigVaeError("internal", {
      subject: "pattern",
      expected: "each bracket to be closed",
      got: source,
      remedy: "close it",
    });
  return { source, opener: opener(source), parts: stack[0]![0]! };
}

/** Reads a table of patterns, one a line; fixed words that have equals become alternatives. */
export function patterns(lines: string): readonly Pattern[] {
  return lines
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .map((line) => VARIANTS.reduce((text, [fixed, equals]) => text.replaceAll(fixed, equals), line))
    .map(pattern);
}

/** One sentence (or a short group) from one of `choices`; none that opens like the sentence before, where there is a way round. */
export function tell(telling: Telling, choices: readonly Pattern[]): string {
  const open = choices.filter((choice) => choice.opener !== telling.lastOpener);
  const chosen = telling.chooser.pick(open.length > 0 ? open : choices);
  telling.lastOpener = chosen.opener;
  telling.used.push(chosen);
  return polish(realise(telling, chosen.parts));
}

function realise(telling: Telling, parts: readonly Part[]): string {
  let text = "";
  for (const part of parts) {
    if (part.kind === "text") text += part.text;
    else if (part.kind === "slot") text += slotValue(telling, part.name);
    else if (part.kind === "any") text += realise(telling, telling.chooser.pick(part.options));
    else if (part.always || !(part.table in SELDOM) || telling.chooser.chance(SELDOM[part.table]!))
      text += draw(telling, part.table, part.keep);
  }
  return text;
}

function slotValue(telling: Telling, name: string): string {
  const value = telling.slots[name];
  if (value === undefined) throw lacking("slot", name);
  return value;
}

function lacking(kind: string, name: string): BigVaeError {
  return new BigVaeError("internal", {
    subject: "scene",
    expected: `a ${kind} "${name}"`,
    got: "none",
    remedy: "add it, or leave it out of the pattern",
  });
}

const entries = new Map<string, readonly Part[]>();

/** A word table's entry, read once; it may hold slots and draws ("{his} cap", "a <hue> cap"). */
function entryOf(source: string): readonly Part[] {
  let parts = entries.get(source);
  if (parts === undefined) {
    parts = pattern(source.replace(/\ba </g, "@ <")).parts;
    entries.set(source, parts);
  }
  return parts;
}

/** A draw without replacement. */
function draw(telling: Telling, name: string, keep: string | undefined): string {
  const table = telling.tables[name];
  if (table === undefined) throw lacking("word table", name);
  const taken = telling.taken.get(name) ?? new Set<number>();
  telling.taken.set(name, taken);
  const entry = entryOf(table[telling.chooser.fresh(table.length, taken)]!);
  const word = realise(telling, entry);
  if (keep !== undefined) telling.slots[keep] = word;
  return word;
}

/** Words that open with a vowel sound, by their letters, and the exceptions that do not. */
const VOWEL_SOUND = /^(?:[aeiou]|honest|hour)/i;
const CONSONANT_SOUND = /^(?:one|use|usual|useful|uni)/;

/**
 * Spaces, articles and capitals: no gap where a word was skipped; capitals for the first letter, the letter after a
 * full stop and the letter after an opening quote.
 */
export function polish(text: string): string {
  return text
    .replace(/ {2,}/g, " ")
    .replace(/^ | (?=[,.!?;:]|$)/g, "")
    .replace(/@ (\w+)/g, (_, word: string) =>
      VOWEL_SOUND.test(word) && !CONSONANT_SOUND.test(word) ? `an ${word}` : `a ${word}`,
    )
    .replace(/(^|[.!?] |\." |(?:^| )")([a-z])/g, (_, before: string, letter: string) => before + letter.toUpperCase());
}

/** The first word of a pattern, or its first slot, draw or set of alternatives as a whole. */
function opener(source: string): string {
  return /^"?(\{[^}]+\}|<[^>]+>|\[[^\]]+\]|\w+)/.exec(source)?.[1] ?? source;
}
