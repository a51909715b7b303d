/** The world of one story: who is where, who wants what, and how it will turn out. Only what the text will show is drawn. */
import type { Chooser } from "./chooser.js";
import { FEELINGS, type Feeling } from "./lexicon/feelings.js";
import { BOYS, GIRLS, TOWN_HEADS, TOWN_TAILS } from "./lexicon/names.js";
import { LOOKS, THINGS, type Thing } from "./lexicon/objects.js";
import { PLACES, type Place } from "./lexicon/places.js";
import { SORTS, type Sort } from "./lexicon/sorts.js";
import { WORKINGS, type Working } from "./lexicon/workings.js";
import { TURNS, type TurnName } from "./patterns/outcomes.js";

export const KINDS = ["adventure", "bedtime", "fable", "letter", "diary", "conversation", "how", "place"] as const;
export type Kind = (typeof KINDS)[number];

export interface Being {
  name: string;
  female: boolean;
  sort: Sort;
}

/** What the story turns on: an object and its fate, or a question and its answer. */
type Matter =
  | { kind: "object"; thing: Thing; look: string; outcome: TurnName }
  | { kind: "question"; working: Working; outcome: "learned" };

export interface World {
  kind: Kind;
  hero: Being;
  friend: Being;
  /** Whom a letter or a conversation is with. */
  listener: Being | undefined;
  place: Place;
  town: string;
  matter: Matter;
  feeling: Feeling;
}

const TURN_NAMES = Object.keys(TURNS) as TurnName[];
const ANIMALS = SORTS.filter((sort) => sort.animal);

export function drawWorld(chooser: Chooser): World {
  const kind = chooser.pick(KINDS);
  const sorts = kind === "fable" ? ANIMALS : SORTS;
  const taken = { sorts: new Set<number>(), girls: new Set<number>(), boys: new Set<number>() };
  const name = () => {
    const female = chooser.integer(2) === 0;
    const names = female ? GIRLS : BOYS;
    return { name: names[chooser.fresh(names.length, female ? taken.girls : taken.boys)]!, female };
  };
  const being = (): Being => ({ ...name(), sort: sorts[chooser.fresh(sorts.length, taken.sorts)]! });
  const hero = being();
  const friend = being();
  const listener = kind === "conversation" ? being() : kind === "letter" ? { ...name(), sort: hero.sort } : undefined;
  const place = chooser.pick(PLACES);
  const town = chooser.pick(TOWN_HEADS) + chooser.pick(TOWN_TAILS);
  const matter = drawMatter(chooser, kind);
  const feeling = chooser.pick(FEELINGS.filter((each) => (matter.outcome === "lost" ? each.low : each.high)));
  return { kind, hero, friend, listener, place, town, matter, feeling };
}

function drawMatter(chooser: Chooser, kind: Kind): Matter {
  if (kind === "how") return { kind: "question", working: chooser.pick(WORKINGS), outcome: "learned" };
  const outcome = chooser.pick(TURN_NAMES);
  return { kind: "object", thing: chooser.pick(THINGS), look: chooser.pick(LOOKS), outcome };
}
