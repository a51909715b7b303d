/** From a world to the slots and word tables its patterns are told with; the hero may speak as I. */
import type { Chooser } from "./chooser.js";
import type { Telling } from "./grammar.js";
import { WORDS } from "./lexicon/words.js";
import type { Being, World } from "./world.js";

/** What any place has beside its own things. */
const SPOTS = ["under", "behind", "beside", "near", "by", "below"].map((where) => `${where} the <hue> <prop>`);
const SIGHTS = ["steps", "fences", "stones", "doors", "benches", "walls", "barrels", "posts"].map(
  (each) => `the <hue> ${each}`,
);
const SOUNDS = ["<creature> <cry>", "<creature> <cry> <spot>"];
const CARRIES = ["bag", "parcel", "basket", "box", "plate", "tray", "pot", "tin"].map(
  (each) => `@ <hue> ${each} of <meal>`,
);

export function startTelling(world: World, chooser: Chooser): Telling {
  const { hero, friend, listener, place, town, matter, feeling } = world;
  const slots: Record<string, string> = {
    name: hero.name,
    who: hero.sort.word,
    friend: friend.name,
    fwho: friend.sort.word,
    fhim: friend.female ? "her" : "him",
    place: place.word,
    prep: place.at,
    town,
    feel: feeling.word,
  };
  if (listener) Object.assign(slots, { listener: listener.name, lwho: listener.sort.word });
  if (matter.kind === "object") Object.assign(slots, { thing: matter.thing.word, look: matter.look });
  else slots.question = matter.working.question;
  const telling = { chooser, slots, tables: tablesOf(world), taken: new Map(), lastOpener: "", used: [] };
  setVoice(telling, hero, "third");
  return telling;
}

/** Tells the hero as "Tess, she, her" or as "I, me, my". */
export function setVoice(telling: Telling, hero: Being, voice: "first" | "third"): void {
  const { slots } = telling;
  const feel = slots.feel!;
  const third = hero.female ? { he: "she", him: "her", his: "her" } : { he: "he", him: "him", his: "his" };
  if (voice === "first") {
    Object.assign(slots, { hero: "I", heroObj: "me", heroThe: "I", he: "I", him: "me", his: "my", they: "we" });
    Object.assign(slots, { feelHero: "I", aFeelHero: "I" });
  } else {
    Object.assign(slots, {
      hero: hero.name,
      heroObj: hero.name,
      heroThe: `the ${hero.sort.word}`,
      they: "they",
      ...third,
    });
    Object.assign(slots, { feelHero: `${feel} ${hero.name}`, aFeelHero: `the ${feel} ${hero.sort.word}` });
  }
}

function tablesOf(world: World): Record<string, readonly string[]> {
  const { hero, friend, listener, place, matter, feeling } = world;
  const cast = [hero.name, friend.name, listener?.name];
  const local = {
    person: WORDS.person.filter((name) => !cast.includes(name)),
    habit: hero.sort.habits,
    carry: hero.sort.carries,
    fhabit: friend.sort.habits.map((habit) => habit.replaceAll("{his}", friend.female ? "her" : "his")),
    fcarry: [...friend.sort.carries, ...CARRIES],
    spot: [...place.spots, ...SPOTS],
    sight: [...place.sights, ...SIGHTS],
    sound: [...place.sounds, ...SOUNDS],
    smell: place.smells,
    taker: place.takers,
    sign: feeling.signs,
  };
  const object: Record<string, readonly string[]> =
    matter.kind === "object"
      ? { use: matter.thing.uses, part: matter.thing.parts, stuff: matter.thing.stuff, look: ["{look}"] }
      : {};
  return { ...WORDS, ...local, ...object };
}
