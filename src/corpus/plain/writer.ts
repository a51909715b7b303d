/** Fills a pattern: every {slot} becomes words, and verbs and possessives agree with the latest subject. */
import type { Rng } from "../../rng.js";
import { PARTS } from "./patterns.js";
import {
  ADJECTIVES_OF,
  COMMON,
  FRAMES,
  type Frame,
  INTRANSITIVE,
  inflect,
  MASS,
  PAIRS,
  PASSIVE_FRAMES,
  plural,
  SAY,
  STATIVE,
  THINK,
  THINK_PAST,
  type Verb,
  WORDS,
} from "./words.js";

type Person = "I" | "you" | "he" | "she" | "it" | "we" | "they";

const POSSESSIVE = { I: "my", you: "your", he: "his", she: "her", it: "its", we: "our", they: "their" };
const OBJECT = { I: "me", you: "you", he: "him", she: "her", it: "it", we: "us", they: "them" };
const BE = { I: "am", you: "are", he: "is", she: "is", it: "is", we: "are", they: "are" };
const NUMBERS =
  "two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty ninety".split(" ");

export class Writer {
  readonly #rng: Rng;
  #subject: Person = "they";
  #depth = 0;
  #people = new Set<string>();

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  fill(pattern: string): string {
    return pattern.replace(/\{([^}]+)\}/g, (_, slot: string) => this.#slot(slot));
  }

  #slot(slot: string): string {
    const [head, sort] = slot.split(" ") as [string, string?];
    if (head.startsWith("=")) return this.#agree(head.slice(1));
    if (sort) return this.#noun(head, sort);
    const parts = PARTS[head];
    if (parts) return this.fill(this.#rng.pick(parts));
    const fixed = this.#grammar(head) ?? this.#number(head);
    if (fixed !== undefined) return fixed;
    if (!WORDS[head]) throw new Error(`no word list ${head}`);
    return this.#word(head);
  }

  #word(sort: string): string {
    const common = COMMON[sort];
    return this.#rng.pick(common && this.#rng.integer(4) === 0 ? common : WORDS[sort]!);
  }

  #grammar(slot: string): string | undefined {
    const third = this.#third();
    const subject = this.#subject;
    switch (slot) {
      case "S":
        return this.#newSubject();
      case "O":
        return this.#other();
      case "I":
        return this.#set("I", "I");
      case "you":
        return this.#set("you", "you");
      case "we":
        return this.#set("we", "we");
      case "I0":
        return this.#set("I", "");
      case "you0":
        return this.#set("you", "");
      case "we0":
        return this.#set("we", "");
      case "S3k":
        return this.#single();
      case "Name":
        return this.#name();
      case "he":
        return subject;
      case "him":
        return OBJECT[subject];
      case "poss":
        return POSSESSIVE[subject];
      case "be":
        return BE[subject];
      case "was":
        return third || subject === "I" ? "was" : "were";
      case "have":
        return third ? "has" : "have";
      case "do":
        return third ? "does" : "do";
      case "past":
        return this.#predicate((verb) => verb.past);
      case "pp":
        return this.#predicate((verb) => verb.participle);
      case "vp":
        return this.#predicate((verb) => verb.base);
      case "pres":
        return this.#predicate((verb) => this.#agree(verb.base));
      case "ing":
        return this.#predicate(
          (verb) => inflect(verb.base, "ing"),
          (verb) => !STATIVE.test(verb.base),
        );
      case "passive":
        return this.#passive("was");
      case "passiveFuture":
        return this.#passive("will be");
      case "said":
        return this.#rng.pick(SAY);
      case "thought":
        return this.#rng.pick(THINK_PAST);
      case "think":
        return this.#agree(this.#rng.pick(THINK));
      case "group0":
        return `the ${this.#rng.pick(["government", "army", "church", "law", "police", "court", "press"])}`;
      default:
        return undefined;
    }
  }

  #number(slot: string): string | undefined {
    const rng = this.#rng;
    switch (slot) {
      case "num":
        return rng.integer(3) === 0 ? String(2 + rng.integer(98)) : rng.pick(NUMBERS);
      case "digits":
        return String(13 + rng.integer(900));
      case "big":
        return rng.pick([
          "a hundred",
          "two hundred",
          "a thousand",
          "five thousand",
          "a million",
          "3,000",
          "12,500",
          "40,000",
        ]);
      case "year":
        return String(1890 + rng.integer(140));
      case "phone":
        return `${100 + rng.integer(900)} ${1000 + rng.integer(9000)}`;
      case "time":
        return rng.pick([
          `${1 + rng.integer(12)}:${rng.pick(["00", "05", "10", "15", "20", "30", "40", "45", "50"])}`,
          `${rng.pick(NUMBERS.slice(0, 11))} o'clock`,
          `half past ${rng.pick(NUMBERS.slice(0, 11))}`,
          `a quarter to ${rng.pick(NUMBERS.slice(0, 11))}`,
          `${1 + rng.integer(12)} ${rng.pick(["am", "pm"])}`,
        ]);
      case "price":
        return rng.pick([
          `${2 + rng.integer(98)} dollars`,
          `$${5 + rng.integer(300)}`,
          `${rng.pick(NUMBERS)} pounds`,
          `${10 + rng.integer(900)} euros`,
          `${rng.pick(NUMBERS)} hundred dollars`,
          `${1 + rng.integer(20)}.${10 + rng.integer(89)} euros`,
        ]);
      case "date":
        return rng.pick([
          `${1 + rng.integer(28)} ${rng.pick(WORDS.month!)}`,
          `${rng.pick(WORDS.month!)} ${1 + rng.integer(28)}`,
          `the ${rng.pick(WORDS.ordinal!.filter((word) => !/last|next/.test(word)))} of ${rng.pick(WORDS.month!)}`,
        ]);
      default:
        return undefined;
    }
  }

  #noun(head: string, sort: string): string {
    const rng = this.#rng;
    const noun = this.#word(sort);
    const adjectives = ADJECTIVES_OF[sort];
    const described = adjectives && rng.integer(3) === 0 ? `${rng.pick(WORDS[adjectives]!)} ${noun}` : noun;
    if (head === "the") return `the ${described}`;
    if (head === "poss") return `${POSSESSIVE[this.#subject]} ${described}`;
    if (head === "plural") return described.slice(0, described.length - noun.length) + plural(noun);
    if (head === "a") return `a# ${described}`;
    const uncounted = MASS.has(sort) || PAIRS.has(sort);
    const fixed = /^(news|past|future|climate|weather|moon|sky|horizon|sea|ocean|prime minister)$/.test(noun);
    const choice = rng.integer(10);
    if (fixed) return `the ${noun}`;
    if (choice < 3) return `the ${described}`;
    if (choice < 5) return `${uncounted && MASS.has(sort) ? "some" : POSSESSIVE[this.#subject]} ${described}`;
    if (uncounted) return choice < 8 ? `some ${described}` : described;
    if (choice < 8) return `a# ${described}`;
    if (choice < 9) return `${rng.pick(["this", "that", "another", "every"])} ${described}`;
    return `${rng.pick(["two", "three", "some", "a few", "many", "several"])} ${described.slice(0, described.length - noun.length)}${plural(noun)}`;
  }

  #third(): boolean {
    return this.#subject === "he" || this.#subject === "she" || this.#subject === "it";
  }

  #agree(base: string): string {
    return this.#third() ? inflect(base, "s") : base;
  }

  #set(person: Person, text: string): string {
    this.#subject = person;
    return text;
  }

  #newSubject(): string {
    const rng = this.#rng;
    const kind = rng.integer(14);
    if (kind === 0) return this.#set("they", `the ${rng.pick(WORDS.people!)}`);
    if (kind > 8) {
      const person = rng.pick(["I", "I", "we", "he", "she", "they", "you"] as const);
      return this.#set(person, person);
    }
    if (kind === 8) return this.#set("they", `${this.#name()} and ${this.#name()}`);
    return this.#single();
  }

  #single(): string {
    const she = this.#rng.integer(2) === 0;
    return this.#set(she ? "she" : "he", this.#person(she));
  }

  /** A person who is not the subject. */
  #other(): string {
    const rng = this.#rng;
    if (rng.integer(6) === 0) return `the ${rng.pick(WORDS.people!)}`;
    return this.#person(rng.integer(2) === 0);
  }

  #name(): string {
    return this.#distinct(() => this.#rng.pick(WORDS[this.#rng.integer(2) ? "maleName" : "femaleName"]!));
  }

  #distinct(draw: () => string): string {
    let text = draw();
    while (this.#people.has(text)) text = draw();
    this.#people.add(text);
    return text;
  }

  #person(she: boolean): string {
    const rng = this.#rng;
    return this.#distinct(() => {
      switch (rng.integer(7)) {
        case 0:
        case 1:
          return rng.pick(WORDS[she ? "femaleName" : "maleName"]!);
        case 2:
          return `${rng.pick(["my", "my", "my", "his", "her", "your"])} ${rng.pick(WORDS[she ? "femaleKin" : "maleKin"]!)}`;
        case 3:
          return `my ${rng.pick(WORDS.friend!)}`;
        case 4:
          return rng.integer(3) ? `the ${this.#role(she)}` : `the ${rng.pick(WORDS.personAdj!)} ${this.#role(she)}`;
        case 5:
          return rng.integer(2) ? `a# ${this.#role(she)}` : `the ${this.#role(she)}`;
        default:
          return `${she ? rng.pick(["Mrs", "Miss", "Ms"]) : "Mr"} ${rng.pick(WORDS.surname!)}`;
      }
    });
  }

  #role(she: boolean): string {
    const wrong = she ? /man$|king|prince|priest|waiter/ : /woman$|queen|waitress/;
    let role = this.#word("role");
    while (wrong.test(role) && !(she && /woman$/.test(role))) role = this.#word("role");
    return role;
  }

  #predicate(form: (verb: Verb) => string, fits: (verb: Verb) => boolean = () => true): string {
    const rng = this.#rng;
    if (rng.integer(9) === 0) {
      const verb = form(rng.pick(INTRANSITIVE));
      return rng.integer(2)
        ? verb
        : `${verb} ${rng.pick(["quietly", "again", "at home", "in silence", "for a while", "together with friends", "all night", "in the street"])}`;
    }
    let frame: Frame;
    do frame = rng.pick(FRAMES);
    while (this.#depth > 0 && frame.objects.some((object) => object.includes("{vp}")));
    const fitting = frame.verbs.filter(fits);
    if (fitting.length === 0) return this.#predicate(form, fits);
    const verb = rng.pick(fitting);
    this.#depth++;
    const text = `${form(verb)} ${this.fill(rng.pick(frame.objects))}`;
    this.#depth--;
    return text;
  }

  /** "the bridge was destroyed": an object of a frame as the subject. */
  #passive(be: string): string {
    const frame = this.#rng.pick(PASSIVE_FRAMES);
    const sort = /\{np (\w+)\}/.exec(frame.objects[0]!)![1]!;
    const subject = this.#noun(this.#rng.integer(4) ? "the" : "a", sort);
    return `${subject} ${be} ${this.#rng.pick(frame.verbs).participle}`;
  }
}
