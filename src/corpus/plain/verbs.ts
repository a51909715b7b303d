/** Verbs by the sort of object that fits: [verbs, objects]; an irregular verb is base/past/participle. */
import { list } from "./list.js";

const FRAME_TEXT: readonly [verbs: string, ...objects: string[]][] = [
  [
    "fix, repair, break/broke/broken, clean, sell/sold/sold, buy/bought/bought, replace, test, install, damage, inspect, borrow, examine",
    "{np machine}",
  ],
  ["turn on/turned on/turned on, switch off/switched off/switched off, unplug/unplugged/unplugged", "{the appliance}"],
  [
    "use, charge, drop/dropped/dropped, lose/lost/lost, update, check, hack, buy/bought/bought, connect, search",
    "{np gadget}",
  ],
  [
    "read/read/read, write/wrote/written, print, copy/copied/copied, finish, sign, translate, tear up/tore up/torn up, burn, throw away/threw away/thrown away, lose/lost/lost, publish, correct, forget/forgot/forgotten, hide/hid/hidden, file, study, need",
    "{np document}",
  ],
  [
    "send/sent/sent, post, show/showed/shown, hand, forward, promise, offer, give/gave/given",
    "{O} {a document}",
    "{O} {np household}",
  ],
  [
    "read/read/read, write/wrote/written, find/found/found",
    "{a document} about {abstractStuff}",
    "{a document} about {the topic}",
  ],
  [
    "cook, eat/ate/eaten, order, taste, share, smell, burn, prepare, steal/stole/stolen, serve, cut/cut/cut, want",
    "{np food}",
  ],
  [
    "cook, eat/ate/eaten, buy/bought/bought, avoid, taste, add, fetch, waste, prefer/preferred/preferred",
    "{np foodStuff}",
  ],
  [
    "drink/drank/drunk, order, pour, spill, make/made/made, serve, enjoy, finish",
    "{np drink}",
    "a cup of {drink}",
    "a glass of {drink}",
  ],
  [
    "visit, leave/left/left, find/found/found, reach, enter, avoid, photograph, describe, pass, love, close, search, like, see/saw/seen",
    "{np place}",
  ],
  [
    "go/went/gone, walk, drive/drove/driven, run/ran/run, hurry/hurried/hurried, return, cycle, rush, move, travel",
    "to {the place}",
    "to {town}",
  ],
  [
    "live, stay, work, wait, meet/met/met, park, sleep/slept/slept, get lost/got lost/got lost",
    "near {the place}",
    "in {town}",
    "behind {the place}",
    "opposite {the place}",
  ],
  [
    "meet/met/met, call, thank, invite, help, miss, marry/married/married, kiss, hug/hugged/hugged, follow, recognise, warn, forgive/forgave/forgiven, blame, trust, ignore, hate, phone, email, interview, photograph, arrest, remember, believe, upset/upset/upset, admire, respect, wake/woke/woken, greet, insult, surprise, rescue, threaten",
    "{O}",
  ],
  [
    "talk, write/wrote/written, listen, lie/lied/lied, wave, shout, apologise, speak/spoke/spoken, smile, sing/sang/sung",
    "to {O}",
  ],
  [
    "talk, argue, complain, worry/worried/worried, think/thought/thought, dream, joke, hear/heard/heard, know/knew/known, forget/forgot/forgotten",
    "about {abstractStuff}",
    "about {the topic}",
    "about {np money}",
    "about {np event}",
  ],
  ["laugh, shout, stare, look", "at {O}", "at {np animal}", "at {np household}"],
  [
    "wear/wore/worn, buy/bought/bought, iron, wash, put on/put on/put on, take off/took off/taken off, mend, fold, try on/tried on/tried on, pack, choose/chose/chosen, knit/knitted/knitted, lend/lent/lent",
    "{np garment}",
    "{np clothesPair}",
  ],
  [
    "drive/drove/driven, wash, park, sell/sold/sold, hire, stop/stopped/stopped, paint, crash, steal/stole/stolen, rent, own, repair, see/saw/seen",
    "{np vehicle}",
  ],
  ["catch/caught/caught, miss, take/took/taken, board", "{the ride}", "{the ride} to {town}", "{the ride} from {town}"],
  ["hurt/hurt/hurt, break/broke/broken, cut/cut/cut, injure, scratch, burn, wash, twist", "{poss} {body}"],
  ["have/had/had, recover from/recovered from/recovered from", "{a illness}"],
  [
    "feed/fed/fed, chase, hear/heard/heard, paint, catch/caught/caught, see/saw/seen, bury/buried/buried, save, shoot/shot/shot, count, fear",
    "{np animal}",
  ],
  ["watch, enjoy, record, miss, hate, cancel/cancelled/cancelled, discuss, review, love, see/saw/seen", "{np show}"],
  [
    "study/studied/studied, teach/taught/taught, learn, fail, understand/understood/understood, like",
    "{subject}",
    "{subject} at {the place}",
  ],
  ["speak/spoke/spoken, learn, understand/understood/understood, teach/taught/taught", "{language}"],
  ["play, watch, love, like, enjoy", "{sport}", "{sport} with {O}"],
  ["play, practise", "the {instrument}"],
  ["paint, clean, tidy/tidied/tidied, decorate, lock, heat, sweep/swept/swept", "{the room}", "{poss} {room}"],
  [
    "build/built/built, design, buy/bought/bought, rent, sell/sold/sold, destroy, paint, photograph, admire, rebuild/rebuilt/rebuilt, inherit",
    "{np building}",
  ],
  ["cross, block, close, sweep/swept/swept, follow, repair", "{the road}"],
  [
    "carry/carried/carried, drop/dropped/dropped, hide/hid/hidden, find/found/found, break/broke/broken, buy/bought/bought, wash, paint, steal/stole/stolen, wrap/wrapped/wrapped, lift, move, touch, pack, fill, collect, want, need, throw/threw/thrown, bring/brought/brought, hold/held/held, keep/kept/kept",
    "{np household}",
  ],
  [
    "put/put/put, leave/left/left, find/found/found, hide/hid/hidden",
    "{the household} in {the room}",
    "{np document} under {the seat}",
    "{np gadget} on {the household}",
  ],
  [
    "describe, explain, question, reject, accept, discuss, change, support, oppose, defend, criticise, share, announce, ignore, consider, regret/regretted/regretted",
    "{np matter}",
  ],
  [
    "plan/planned/planned, attend, cancel/cancelled/cancelled, organise, postpone, enjoy, remember, miss, arrange, leave/left/left, prepare, skip/skipped/skipped",
    "{np event}",
  ],
  ["pay/paid/paid, owe, claim, receive", "{np money}"],
  ["pay/paid/paid, spend/spent/spent", "{price} for {np household}", "{price} on {clothesPair}"],
  ["paint, draw/drew/drawn, photograph, see/saw/seen, study, watch, explore, describe, climb", "{np nature}"],
  [
    "need, buy/bought/bought, find/found/found, waste, carry/carried/carried, collect, lose/lost/lost, hide/hid/hidden",
    "{np stuff}",
  ],
  ["ask, teach/taught/taught, tell/told/told, help, beg/begged/begged, order, persuade, force, allow", "{O} to {vp}"],
  [
    "want, hope, plan/planned/planned, decide, refuse, promise, forget/forgot/forgotten, try/tried/tried, agree, offer, manage, learn, need, prefer/preferred/preferred, fail, threaten, pretend, expect",
    "to {vp}",
  ],
  [
    "enjoy, stop/stopped/stopped, start, try/tried/tried, hate, love, miss, finish, avoid, give up/gave up/given up, keep/kept/kept, dislike, practise",
    "{hobby}",
  ],
  ["become/became/become", "{a profession}", "famous", "rich", "{feeling}"],
  ["feel/felt/felt, look, seem, sound", "{feeling}", "{degree} {feeling}"],
  [
    "vote, fight/fought/fought, march, protest, campaign",
    "for {the matter}",
    "for {abstractStuff}",
    "for {the group}",
    "against {the matter}",
  ],
  ["believe, trust", "in {abstractStuff}", "in {group0}"],
  [
    "wait, pay/paid/paid, ask, look, search",
    "for {np document}",
    "for {the ride}",
    "for {np clothesPair}",
    "for {np drink}",
  ],
  [
    "sit/sat/sat, sleep/slept/slept, stand/stood/stood, lie/lay/lain, read/read/read",
    "in {the room}",
    "on {the household}",
    "by {the nature}",
    "under {the nature}",
  ],
];

export interface Verb {
  readonly base: string;
  readonly past: string;
  readonly participle: string;
}

export interface Frame {
  readonly verbs: readonly Verb[];
  readonly objects: readonly string[];
}

function verb(text: string): Verb {
  const [base, past, participle] = text.split("/") as [string, string?, string?];
  const regular = inflect(base, "ed");
  return { base, past: past ?? regular, participle: participle ?? past ?? regular };
}

export const FRAMES: readonly Frame[] = FRAME_TEXT.map(([verbs, ...objects]) => ({
  verbs: list(verbs).map(verb),
  objects,
}));

/** Frames whose object can be the subject of a passive. */
export const PASSIVE_FRAMES: readonly Frame[] = FRAMES.filter(({ objects }) =>
  /^\{np (machine|document|vehicle|building|animal|matter|event|household|food)\}$/.test(objects[0]!),
).map(({ verbs, objects }) => ({
  verbs: verbs.filter(({ base }) => !/^(want|need|own|like|miss|fear|try on)$/.test(base)),
  objects,
}));

export const INTRANSITIVE: readonly Verb[] =
  list(`arrive, appear, bleed/bled/bled, cough, cry/cried/cried, dance, dream, disappear, escape, faint, fall/fell/fallen, fall asleep/fell asleep/fallen asleep, get up/got up/got up, give up/gave up/given up, grow up/grew up/grown up,
  hesitate, jump, kneel/knelt/knelt, laugh, leave/left/left, listen, nod/nodded/nodded, panic/panicked/panicked, pray, relax, resign, rest, retire, return, sing/sang/sung, shave, shiver, sigh, sleep/slept/slept, smile, smoke, sneeze, snore, struggle, suffer, survive, swear/swore/sworn,
  swim/swam/swum, tremble, wait, wake up/woke up/woken up, wander, weep/wept/wept, whisper, whistle, win/won/won, work, yawn`).map(
    verb,
  );

export const SAY = list(
  "said, whispered, shouted, replied, answered, cried, muttered, explained, added, repeated, admitted, complained, insisted, announced, sighed",
);
export const THINK_PAST = list(
  "thought, said, believed, knew, felt, hoped, claimed, heard, realised, noticed, guessed, feared, dreamed, suspected, was sure, remembered, discovered, imagined, admitted, denied",
);
export const THINK = list(
  "think, believe, know, feel, hope, guess, suppose, suspect, doubt, imagine, fear, understand",
);

/** The "s", "ed" or "ing" form of the first word of `base`. */
export function inflect(base: string, ending: "s" | "ed" | "ing"): string {
  const [word, ...rest] = base.split(" ") as [string, ...string[]];
  return [inflectWord(word, ending), ...rest].join(" ");
}

const DOUBLED =
  /^(get|put|cut|sit|run|swim|win|stop|drop|wrap|plan|beg|hug|nod|skip|knit|shut|set|let|unplug|forget|regret|prefer|upset|chat|rub)$/;

function inflectWord(word: string, ending: "s" | "ed" | "ing"): string {
  if (ending === "s") {
    if (word === "have") return "has";
    if (/(s|x|z|ch|sh|o)$/.test(word)) return `${word}es`;
    return /[^aeiou]y$/.test(word) ? `${word.slice(0, -1)}ies` : `${word}s`;
  }
  if (ending === "ing") {
    if (word === "lie") return "lying";
    if (word === "panic") return "panicking";
    if (/[^eo]e$/.test(word)) return `${word.slice(0, -1)}ing`;
    if (word === "cancel") return "cancelling";
    return DOUBLED.test(word) ? `${word}${word.at(-1)}ing` : `${word}ing`;
  }
  if (word.endsWith("e")) return `${word}d`;
  if (/[^aeiou]y$/.test(word)) return `${word.slice(0, -1)}ied`;
  return `${word}ed`;
}

/** Verbs that are not used in "is ...ing". */
export const STATIVE =
  /^(want|need|know|own|like|love|hate|prefer|believe|understand|fear|owe|seem|sound|have|trust|forgive|dislike|respect|admire|become|lose|find|remember|recognise)$/;
