/** All word lists by sort, and how nouns and adjectives go together. */
import { NAMES } from "./names.js";
import { NOUNS } from "./nouns.js";
import { QUALITIES } from "./qualities.js";

export { MASS, PAIRS } from "./nouns.js";
export {
  FRAMES,
  type Frame,
  INTRANSITIVE,
  inflect,
  PASSIVE_FRAMES,
  SAY,
  STATIVE,
  THINK,
  THINK_PAST,
  type Verb,
} from "./verbs.js";

export const WORDS: Readonly<Record<string, readonly string[]>> = { ...NAMES, ...NOUNS, ...QUALITIES };

/** The words people use most, taken more often than the rest of their list. */
export const COMMON: Readonly<Record<string, readonly string[]>> = {
  machine: ["radio", "computer", "car", "television", "clock", "door", "watch", "piano"],
  gadget: ["phone", "computer", "password", "website", "camera", "email account"],
  document: ["book", "letter", "email", "newspaper", "message", "report", "ticket", "list"],
  place: ["bank", "office", "hospital", "airport", "school", "park", "shop", "library", "station", "beach"],
  role: ["doctor", "teacher", "policeman", "lawyer", "president", "nurse", "driver", "soldier"],
  group: ["government", "army", "court", "company", "team", "bank"],
  abstractStuff: ["war", "money", "music", "love", "history", "science", "work", "life", "politics", "time"],
  drink: ["coffee", "beer", "tea", "water", "wine", "milk"],
  topic: ["war", "election", "weather", "news", "job", "meeting", "future", "price"],
  household: ["table", "chair", "bag", "key", "box", "bed", "picture", "cup", "bottle"],
  vehicle: ["car", "bus", "train", "bike", "truck", "boat", "plane"],
  animal: ["dog", "cat", "bird", "horse", "cow"],
  disaster: ["war", "election", "storm", "fire", "accident"],
  road: ["street", "road", "bridge"],
  sport: ["football", "tennis", "chess"],
  foodStuff: ["bread", "cheese", "rice", "soup", "meat", "fish", "chocolate"],
  room: ["kitchen", "bedroom", "bathroom", "living room", "hall"],
};

/** The list of adjectives that fits a list of nouns, if any does. */
export const ADJECTIVES_OF: Readonly<Record<string, keyof typeof QUALITIES>> = {
  role: "personAdj",
  place: "placeAdj",
  building: "placeAdj",
  food: "foodAdj",
  foodStuff: "foodAdj",
  machine: "thingAdj",
  gadget: "thingAdj",
  household: "thingAdj",
  vehicle: "thingAdj",
  garment: "thingAdj",
  clothesPair: "thingAdj",
  document: "ideaAdj",
  show: "ideaAdj",
  matter: "ideaAdj",
  event: "ideaAdj",
  topic: "ideaAdj",
  animal: "animalAdj",
  nature: "natureAdj",
};

const IRREGULAR: Readonly<Record<string, string>> = {
  foot: "feet",
  tooth: "teeth",
  mouse: "mice",
  sheep: "sheep",
  deer: "deer",
  goose: "geese",
  wolf: "wolves",
  leaf: "leaves",
  knife: "knives",
  shelf: "shelves",
  thief: "thieves",
  goldfish: "goldfish",
  potato: "potatoes",
  tomato: "tomatoes",
  news: "news",
  series: "series",
  crisis: "crises",
  thesis: "theses",
  hobby: "hobbies",
  "block of flats": "blocks of flats",
};

export function plural(noun: string): string {
  const known = IRREGULAR[noun];
  if (known) return known;
  if (/(man|woman)$/.test(noun)) return noun.replace(/man$/, "men");
  if (/(s|x|z|ch|sh)$/.test(noun)) return `${noun}es`;
  if (/[^aeiou]y$/.test(noun)) return `${noun.slice(0, -1)}ies`;
  return `${noun}s`;
}

/** The article of a word by its sound. */
export function article(next: string): "a" | "an" {
  if (/^(hour|honest|heir|honour)/i.test(next)) return "an";
  if (/^(uni(?!mp|n)|use|usu|euro|one|ukr|ute|T-)/i.test(next)) return "a";
  return /^([aeiou]|8|11\b|18\b)/i.test(next) ? "an" : "a";
}
