/** The factors of a story, their closed sets, and single sentences that differ in one factor at a time. */
import { BigVaeError } from "../../errors.js";
import { polish } from "./grammar.js";
import { FEELINGS } from "./lexicon/feelings.js";
import { THINGS } from "./lexicon/objects.js";
import { PLACES } from "./lexicon/places.js";
import { SORTS } from "./lexicon/sorts.js";
import { WORKINGS } from "./lexicon/workings.js";
import { TURNS, type TurnName } from "./patterns/outcomes.js";
import { KINDS, type World } from "./world.js";

export interface Factors {
  /** The hero's sort, such as "baker" or "fox". */
  who: string;
  /** The place, such as "orchard". */
  where: string;
  /** The object wished for, or what is explained. */
  what: string;
  /** The hero's main feeling. */
  feeling: string;
  /** The fate of the object, or "learned". */
  outcome: string;
  kind: string;
}

/** The closed set of each factor; `what` also holds what "how" stories explain. */
export const factorValues: Readonly<Record<keyof Factors, readonly string[]>> = {
  who: SORTS.map((sort) => sort.word),
  where: PLACES.map((place) => place.word),
  what: [...THINGS, ...WORKINGS].map((each) => each.word),
  feeling: FEELINGS.map((feeling) => feeling.word),
  outcome: [...Object.keys(TURNS), "learned"],
  kind: KINDS,
};

export function factorsOf(world: World): Factors {
  const { kind, hero, place, matter, feeling } = world;
  const what = matter.kind === "object" ? matter.thing.word : matter.working.word;
  return { who: hero.sort.word, where: place.word, what, feeling: feeling.word, outcome: matter.outcome, kind };
}

/** The forms of the minimal-pair grammar: every factor stands in every form once. */
const FORMS = [
  "{at} the {where}, the {what} was {outcome}, and the {who} was {feeling}.",
  "the {who} was {feeling}, for the {what} was {outcome} {at} the {where}.",
  "the {what} was {outcome} {at} the {where}, so the {who} felt {feeling}.",
  "how {feeling} the {who} was when the {what} was {outcome} {at} the {where}!",
  "when the {what} was {outcome}, the {who} {at} the {where} felt {feeling}.",
  "@ {feeling} {who} told everyone {at} the {where} that the {what} was {outcome}.",
  '"the {what} was {outcome} {at} the {where}," said the {feeling} {who}.',
  "nobody {at} the {where} was as {feeling} as the {who} whose {what} was {outcome}.",
] as const;

/** How many forms `factorSentence` has. */
export const FACTOR_FORMS = FORMS.length;

/** A sentence of the minimal-pair grammar: change one factor and only its word (and its article) changes. */
export function factorSentence(factors: Omit<Factors, "kind">, form = 0): string {
  const template = FORMS[form];
  if (template === undefined) {
    throw new BigVaeError("usage", {
      subject: "`form`",
      expected: `0 to ${FORMS.length - 1}`,
      got: form,
      remedy: "pick one of these",
    });
  }
  const place = PLACES.find((each) => each.word === factors.where);
  const isObject = THINGS.some((thing) => thing.word === factors.what) && (factors.outcome as TurnName) in TURNS;
  if (!place || !isObject) {
    throw new BigVaeError("usage", {
      subject: "factor sentence",
      expected: "a known place, object and fate",
      got: `"${factors.where}", "${factors.what}" and "${factors.outcome}"`,
      remedy: "take them from factorValues",
    });
  }
  const slots: Record<string, string> = { ...factors, at: place.at };
  return polish(template.replace(/\{(\w+)\}/g, (_, slot: string) => slots[slot]!));
}
