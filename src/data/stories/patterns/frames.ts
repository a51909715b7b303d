/** Frames of the kinds: greetings and closings of letters and diaries, bedtime, morals, talk, descriptions. */
import { patterns } from "../grammar.js";

export const LETTER_GREETING = patterns(`
  dear {listener},
  dear [cousin|old|sweet|good|kind|true] {listener},
  my dear {listener},
  to my [old|best|kind|good] friend {listener},
`);

export const LETTER_HELLO = patterns(`
  how are you in [the|your] <size> house, and does <creature> still visit?
  <time> your letter came with <gift>, and I was [glad|pleased|eager] to read it.
  thank you for <gift>; we ate <meal> and thought of you.
  I hope <meal> and <game> keep you well, dear {listener}.
  it is long since we played <game> and ate <meal>.
  <weather> as I write this <adverb> at @ <size> table.
  do you still eat <meal> and play <game>, you <good> soul?
  I send <gift> with this letter, wrapped <adverb> for you.
`);

export const LETTER_CLOSING = patterns(`
  write soon, dear {listener}, and tell me of <creature> and <game>.
  come to {town} <time>, and we will eat <meal> and play <game>.
  please keep <gift> for me, and greet your <trait> <kin> next door.
  now <weather>, my candle is low, and I must <adverb> stop.
  next time I shall send <gift> or <gift>, dear {listener}.
  {friend} greets you <adverb>, and so does <creature> {at}.
  until then, eat <meal>, play <game>, and think of {town}.
  give my love to <reason>, and <adverb> take care, {listener}.
`);

export const LETTER_SIGN = patterns(`
  your <trait> and {feel} {name}
  your <good> friend {name}
  with [much|true|warm|all my] love from {town}, {name}
  yours <adverb>, {name} the {who}
`);

export const DIARY_OPEN = patterns(`
  dear diary, <weather> today and I am {feel}.
  dear diary, tonight I write <adverb>, for I am {feel}.
  dear diary, I ate <meal> <time> and have much to tell.
  dear diary, what @ <sky> day in {town}, and how {feel} I am!
  dear diary, it is late, <weather>, and <sound>.
  dear diary, <weather>, and you must know why @ <trait> {who} is {feel}.
`);

export const DIARY_CLOSING = patterns(`
  now <lull> is my only company, and I shall sleep <adverb>.
  tomorrow I shall eat <meal> and play <game> with {friend}.
  so ends the page: <weather>, and I am {feel}.
  I drew <creature> on this page, and {friend} beside it.
  that was my day in {town}, dear diary: <meal>, {friend}.
  good night, diary; <weather>, and <gift> lies by my bed.
  I will write again after <game> with {friend} and <reason>.
  before bed I <adverb> thanked {friend}, and now I rest.
`);

export const BEDTIME_OPEN = patterns(`
  night was coming to {town}, and <lull> was already near.
  the sky over {town} grew <sky>, and <lull> began <adverb>.
  in {town} the lamps went out, <adverb>, one by one.
  it was almost bedtime {at} of {town}, and <weather>.
  hush now, and listen <adverb>: this happened <time> {at} near {town}.
  when <lull> comes to {town}, little ones <adverb> ask for a tale.
`);

export const BEDTIME_CLOSING = patterns(`
  {hero} <sleepy> and <sleepy>, while <lull> kept watch.
  <lull> sang <adverb> to {heroObj}, and <lull> answered.
  {friend} <sleepy> <spot>, and {hero} <sleepy> too.
  "good night, {name}," {friend} <said> <adverb>, and <lull> came <adverb>.
  outside <weather>, and inside {hero} <adverb> dreamed of <gift>.
  with <lull> at the window, {hero} <sleepy>, {feel} and warm.
  <creature> <sleepy>, <creature> <sleepy>, and {town} was quiet.
  in a dream {hero} ate <meal> with <creature> under @ <sky> sky.
  the <sky> night lay over {town}, and {friend} <sleepy>.
  soon {heroThe} <sleepy>, and so should every <trait> and <trait> child.
`);

export const MORAL = patterns(`
  so remember: @ <good> friend is worth more than <gift>.
  an old {fwho} of {town} says: work <adverb>, ask <adverb>, and give thanks.
  that is why @ <trait> {who} and @ <trait> {fwho} still share <meal> in {town}.
  those who are <trait> and <trait> seldom stay <mood> for long.
  @ <mood> heart needs @ <good> friend, not <gift>.
  it is better to be <trait> with {friend} than <trait> alone.
  whoever goes <pace> will go far, says the {fwho} of {town}.
  since then in {town} they say: <trait> as {name}, <good> as {friend}.
`);

export const TALK_OPEN = patterns(`
  <time> {hero} the <trait> {who} met {listener} the {lwho} {at} of {town}.
  {listener} the {lwho} <went> to {town} and found {hero} the <trait> {who} {at}.
  {at} near {town}, {hero} the {who} and {listener} the {lwho} ate <meal>.
  <weather>, and {hero} the <trait> {who} sat {at} of {town} with {listener} the {lwho}.
  {hero} the {who} was playing <game> with {listener} the {lwho} {at} of {town}.
  over <meal>, {listener} the <trait> {lwho} and {hero} the {who} talked {at} of {town}.
`);

export const TALK_START = patterns(`
  "good day, {name}! You look {feel}," {listener} <said> <adverb>. "What happened <time>?"
  "how is the {look} {thing}, {name}?" {listener} asked <adverb>.
  "tell me the news, {name}," {listener} <said> <adverb>, and cut <meal>.
  "is it true about the {look} {thing}?" {listener} asked <adverb>.
  "you seem {feel} today," {listener} <said> <adverb>. "Is it the {thing}?"
  "I brought <gift>," {listener} <said> <adverb>. "Now tell me all, {name}."
`);

export const TALK_QUESTION = patterns(`
  "oh no, not the {look} {thing}!" {listener} <said> <adverb>.
  "were you <mood>, {name}?" {listener} asked, and passed <meal>.
  "poor {name}! And what came next?" {listener} asked <adverb>.
  "and where was {friend}?" {listener} <said> <adverb>, chewing <meal>.
  "@ {lwho} would have been <mood>," {listener} <said> <adverb>.
  {listener} <adverb> put down <meal>. "Go on, {name}, go on!"
  "I once had <gift> <spot>," {listener} <said> <adverb>. "But go on."
  "{friend} is @ <good> {fwho}," {listener} <said> <adverb>, nodding.
  {listener} laughed <adverb>, and <creature> [jumped|fled|stared]. "And then?"
  "that was <trait> of you, {name}," {listener} <said> <adverb>.
`);

export const TALK_END = patterns(`
  "what a tale!" {listener} <said> <adverb>, and they played <game>.
  "I am {feel} too," {listener} <said> <adverb>. "Greet {friend} in {town}!"
  then {listener} gave {heroObj} <gift> and <adverb> went home past <sight>.
  {listener} and {hero} finished <meal> and watched <creature> <spot>.
  "tell it again <time>, {name}," {listener} <said> <adverb>.
  <weather>, and {listener} <went> home <adverb>, thinking of {friend}.
`);

export const TAG = patterns(`
  {name} <said> <adverb>
  {name} <said>, and <sound>
  {name} told {listener} <adverb>
  {name} the {who} <said>
`);

export const DESCRIBE = patterns(`
  the {place} of {town} lies [north|south|east|west] of @ <size> road, past <sight>.
  it smells of <smell> there, and <time> one can [sit|rest|play] <spot>.
  first one sees <sight>, then <sight>, and under them <creature>.
  <sight> and <sight> stand <adverb> beneath @ <sky> sky.
  people from {town} go there <time> to eat <meal> and play <game>.
  <spot> the ground is <size>, and <creature> sleeps there <time>.
  @ <size> path leads from {town} past <sight>, where <creature> lives.
  on @ <sky> day the {place} is full of <smell> and <game>.
  visitors bring <gift>, sit <spot>, and <adverb> look at <sight>.
  there is @ <size> stone <spot>, and <reason> comes there <time>.
  in {town} they say the {place} belongs to <creature> and <creature>.
  nothing is finer than <meal> by <sight> under @ <sky> sky.
  <sight> make @ <size> shadow, and <creature> rests in it <time>.
  the air is <sky> and smells of <smell>, mixed with <meal>.
`);

export const DWELLER = patterns(`
  {hero} the <trait> {who} lived {at} of {town}, close to <sight>, and <habit>.
  the <trait> {who} of the {place} was {hero}, who <habit> and <habit>.
  {at}, <spot>, {hero} the <trait> {who} <habit> <time>.
  {hero}, @ <trait> {who}, came to the {place} <time> and <habit>.
  <time> one could meet {hero} the <trait> {who} {at}, who <habit>.
  many know {hero}, the <trait> {who} of the {place}, who <habit> by <sight>.
`);
