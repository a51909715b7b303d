/**
 * The plot: a story is a row of events. Each event needs facts that earlier events made true and makes one true itself,
 * so that causes come before effects and nobody speaks who is not there.
 */
import { BigVaeError } from "../../errors.js";
import { type Pattern, pattern, polish, type Telling, tell } from "./grammar.js";
import * as frames from "./patterns/frames.js";
import * as how from "./patterns/how.js";
import * as opening from "./patterns/opening.js";
import { TURNS, type Turn } from "./patterns/outcomes.js";
import { setVoice } from "./telling.js";
import type { Kind, World } from "./world.js";

type Fact = "known" | "wish" | "trouble" | "tried" | "met" | "planned" | "done" | "puzzled" | "learned";

interface Event {
  needs: readonly Fact[];
  makes?: Fact;
  patterns: (turn: Turn) => readonly Pattern[];
}

const event = (patterns: readonly Pattern[], needs: readonly Fact[] = [], makes?: Fact): Event => ({
  needs,
  makes,
  patterns: () => patterns,
});

const EVENTS = {
  open: event(opening.OPEN, [], "known"),
  openFirst: event(opening.OPEN_FIRST, [], "known"),
  scene: event(opening.SCENE, ["known"]),
  wish: {
    needs: ["known"],
    makes: "wish",
    patterns: (turn) => (turn.owns ? opening.WISH_OWN : opening.WISH_LACK),
  },
  trouble: { needs: ["wish"], makes: "trouble", patterns: (turn) => turn.trouble },
  upset: event(opening.UPSET, ["trouble"]),
  attempt: { needs: ["trouble"], makes: "tried", patterns: (turn) => turn.attempt },
  meet: event(opening.MEET, ["trouble"], "met"),
  ask: event(opening.ASK, ["met", "trouble"]),
  plan: { needs: ["met"], makes: "planned", patterns: (turn) => turn.plan },
  way: event(opening.WAY, ["met"]),
  deed: { needs: ["planned"], makes: "done", patterns: (turn) => turn.deed },
  feel: event(opening.FEEL, ["met"]),
  thanks: event(opening.THANKS, ["done"]),
  ending: { needs: ["done"], patterns: (turn) => turn.ending },
  letterHello: event(frames.LETTER_HELLO),
  letterClosing: event(frames.LETTER_CLOSING, ["done"]),
  sign: event(frames.LETTER_SIGN, ["done"]),
  diaryOpen: event(frames.DIARY_OPEN),
  diaryClosing: event(frames.DIARY_CLOSING, ["done"]),
  bedtimeOpen: event(frames.BEDTIME_OPEN),
  bedtimeClosing: event(frames.BEDTIME_CLOSING, ["done"]),
  moral: event(frames.MORAL, ["done"]),
  talkOpen: event(frames.TALK_OPEN, [], "known"),
  talkStart: event(frames.TALK_START, ["known"]),
  question: event(frames.TALK_QUESTION, ["trouble"]),
  talkEnd: event(frames.TALK_END, ["done"]),
  describeFirst: event(frames.DESCRIBE_FIRST),
  describe: event(frames.DESCRIBE),
  dweller: event(frames.DWELLER, [], "known"),
  wonder: event(how.WONDER, ["known"], "puzzled"),
  expert: event(how.EXPERT, ["puzzled"], "met"),
  between: event(how.BETWEEN, ["met"]),
  learned: event(how.LEARNED, ["done"], "learned"),
} satisfies Record<string, Event>;

type EventName = keyof typeof EVENTS;

/** An event, an event told half of the time, a step of an explanation, or a speech of events the hero tells as I. */
type Beat = EventName | `${EventName}?` | `step ${0 | 1 | 2 | 3}` | { speech: readonly EventName[] };

/** Paragraphs of beats. */
const PLOTS: Record<Kind, readonly (readonly Beat[])[]> = {
  adventure: [
    ["open", "scene?", "wish"],
    ["trouble", "upset?", "attempt"],
    ["meet", "ask?", "plan"],
    ["way", "deed", "feel"],
    ["thanks?", "ending"],
  ],
  bedtime: [
    ["bedtimeOpen", "open", "wish"],
    ["trouble", "upset?", "attempt"],
    ["meet", "plan", "deed"],
    ["feel", "ending"],
    ["bedtimeClosing", "bedtimeClosing"],
  ],
  fable: [
    ["open", "wish"],
    ["trouble", "attempt", "upset?"],
    ["meet", "ask?", "plan"],
    ["deed", "feel"],
    ["ending", "moral"],
  ],
  letter: [
    ["letterHello", "openFirst", "wish"],
    ["trouble", "attempt", "upset?"],
    ["meet", "ask?", "plan", "deed"],
    ["feel", "ending", "letterClosing"],
    ["sign"],
  ],
  diary: [
    ["diaryOpen", "openFirst", "scene?"],
    ["wish", "trouble", "attempt"],
    ["meet", "plan", "way?", "deed"],
    ["feel", "ending", "diaryClosing"],
    ["sign"],
  ],
  conversation: [
    ["talkOpen", "scene?"],
    ["talkStart"],
    [{ speech: ["wish", "trouble"] }],
    ["question"],
    [{ speech: ["attempt", "meet"] }],
    ["question"],
    [{ speech: ["plan", "deed"] }],

    [{ speech: ["feel", "ending"] }],
    ["talkEnd"],
  ],
  how: [
    ["open", "scene?", "wonder"],
    ["expert", "step 0", "between?", "step 1"],
    ["between", "step 2", "step 3"],
    ["feel", "learned"],
  ],
  place: [
    ["describeFirst", "describe", "describe?"],
    ["dweller", "wish", "trouble"],
    ["meet", "plan", "deed"],
    ["feel", "ending"],
  ],
};

/** Tells the whole story; the text is ASCII, with a blank line between paragraphs. */
export function tellStory(world: World, telling: Telling): string {
  const firstPerson = world.kind === "letter" || world.kind === "diary";
  setVoice(telling, world.hero, firstPerson ? "first" : "third");
  const facts = new Set<Fact>();
  const paragraphs = PLOTS[world.kind]
    .map((beats) => tellBeats(world, telling, facts, beats).join(" "))
    .filter((paragraph) => paragraph !== "");
  if (world.kind === "letter") paragraphs.unshift(tell(telling, frames.LETTER_GREETING));
  return paragraphs.join("\n\n");
}

function tellBeats(world: World, telling: Telling, facts: Set<Fact>, beats: readonly Beat[]): string[] {
  const sentences: string[] = [];
  for (const beat of beats) {
    if (typeof beat !== "string") sentences.push(tellSpeech(world, telling, facts, beat.speech));
    else if (beat.startsWith("step ")) sentences.push(tellStep(world, telling, Number(beat.slice(5)), facts));
    else if (!beat.endsWith("?")) sentences.push(tellEvent(world, telling, facts, beat as EventName));
    else if (telling.chooser.integer(2) === 0)
      sentences.push(tellEvent(world, telling, facts, beat.slice(0, -1) as EventName));
  }
  return sentences;
}

function tellEvent(world: World, telling: Telling, facts: Set<Fact>, name: EventName, spoken = false): string {
  const { needs, makes, patterns }: Event = EVENTS[name];
  for (const fact of needs) {
    if (!facts.has(fact))
      throw new BigVaeError("internal", {
        subject: `event ${name} of a ${world.kind}`,
        expected: `${fact} before it`,
        got: [...facts].join(", ") || "nothing",
        remedy: "put what makes it before it",
      });
  }
  if (makes) facts.add(makes);
  const all = patterns(TURNS[world.matter.kind === "object" ? world.matter.outcome : "found"]);
  return tell(telling, unused(telling, spoken ? all.filter((each) => !each.source.includes('"')) : all));
}

/** No pattern twice in one story. */
function unused(telling: Telling, choices: readonly Pattern[]): readonly Pattern[] {
  return choices.filter((choice) => !telling.used.includes(choice));
}

/** What the hero says as I, with a tag: "I had a kite," Tess said softly. */
function tellSpeech(world: World, telling: Telling, facts: Set<Fact>, names: readonly EventName[]): string {
  setVoice(telling, world.hero, "first");
  const said = names.map((name) => tellEvent(world, telling, facts, name, true)).join(" ");
  setVoice(telling, world.hero, "third");
  const tag = tell(telling, frames.TAG);
  return `"${said.replace(/\.$/, ",")}" ${tag}.`;
}

const STEPS = [how.FIRST, how.NEXT, how.NEXT, how.LAST] as const;
const stepPatterns = new Map<string, Pattern>();

/** One step of an explanation: its clause is realised first, then framed. */
function tellStep(world: World, telling: Telling, index: number, facts: Set<Fact>): string {
  if (world.matter.kind !== "question")
    throw new BigVaeError("internal", {
      subject: `steps of a ${world.kind}`,
      expected: "a question to explain",
      got: `a matter of kind ${world.matter.kind}`,
      remedy: "leave the steps out of its beats",
    });
  const source = world.matter.working.steps[index]!;
  const clause = stepPatterns.get(source) ?? pattern(source);
  stepPatterns.set(source, clause);
  const { lastOpener } = telling;
  const step = tell(telling, [clause]);
  telling.slots.step = step[0]!.toLowerCase() + step.slice(1);
  telling.lastOpener = lastOpener;
  if (index === 3) facts.add("done");
  return polish(tell(telling, unused(telling, STEPS[index]!)));
}
