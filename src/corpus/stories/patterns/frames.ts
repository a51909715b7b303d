/** Frames of the kinds: greetings and closings of letters and diaries, bedtime, morals, talk, descriptions. */
import { patterns } from "../grammar.js";

export const LETTER_GREETING = patterns(`
  dear {listener},
  dear [cousin|old|good] {listener},
  my dear {listener},
  to my [old|best|good] friend {listener},
`);

export const LETTER_HELLO = patterns(`
  how are you at home, and does <creature> still visit?
  <time> your letter came with <gift>, and I was [glad|pleased|eager] to read it.
  thank you for <gift>; we ate <meal> and thought of you.
  I hope <meal> and <game> keep you well, dear {listener}.
  it is long since we played <game> and ate <meal>.
  <weather> as I sat down to write at the table.
  do you still eat <meal> and play <game>?
  I send <gift> with this letter, wrapped for you.
`);

export const LETTER_CLOSING = patterns(`
  write soon, dear {listener}, and tell me of <creature> and <game>.
  come to {town} <often>, and we will eat <meal> and play <game>.
  please keep <gift> for me, and greet your <kin>.
  <weather> tonight, my candle is low, and I must stop.
  next time I shall send <gift> or <gift>, dear {listener}.
  {friend} greets you, and so does <creature> {at}.
  until then, eat <meal>, play <game>, and think of {town}.
  give my love to <reason>, and take care, {listener}.
`);

export const LETTER_SIGN = patterns(`
  your {feel} friend {name}
  your <good> friend {name}
  with [much|all my] love from {town}, {name}
  yours, {name} the {who}
`);

export const DIARY_OPEN = patterns(`
  dear diary, <weather> today and I am {feel}.
  dear diary, tonight I must write, for I am {feel}.
  dear diary, I ate <meal> <time> and have much to tell.
  dear diary, what a [day|week] in {town}, and how {feel} I am!
  dear diary, it is late, and today <weather> and <sound>.
  dear diary, <weather> today, and you must know why @ {who} is {feel}.
`);

export const DIARY_CLOSING = patterns(`
  now <lull> is my only company, and I shall sleep.
  tomorrow I shall eat <meal> and play <game> with {friend}.
  so ends the page: <weather>, and I am {feel}.
  I drew <creature> on this page, and {friend} beside it.
  that was my day in {town}, dear diary: <meal>, <game> and {friend}.
  good night, diary; <weather>, and <gift> lies by my bed.
  I will write again after <game> with {friend} and <reason>.
  before bed I thanked {friend}, and now I rest.
`);

export const BEDTIME_OPEN = patterns(`
  night was coming to {town}, and <weather>.
  the sky over {town} grew <sky>, and <weather>.
  in {town} the lamps went out one by one, and <weather>.
  it was almost bedtime {at} of {town}, and <weather>.
  hush now, and listen: this happened <time> {at} near {town}.
  when <lull> comes to {town}, little ones ask for a story.
`);

export const BEDTIME_CLOSING = patterns(`
  {hero} <sleepy> and <sleepy>, while <lull> kept watch.
  <lull> was there for {heroObj}, and so was <lull>.
  {friend} <sleepy> <spot>, and {hero} <sleepy> too.
  "good night, {name}," {friend} <said> <tone>, and <weather>.
  outside <weather>, and inside {hero} dreamed of <gift>.
  with <lull> at the window, {hero} <sleepy>, {feel} and warm.
  <creature> <sleepy>, <creature> <sleepy>, and {town} was quiet.
  in a dream {hero} ate <meal> with <creature> under @ <sky> sky.
  night lay over {town}, and {friend} <sleepy>.
  soon {heroThe} <sleepy>, and so should every child in {town}.
`);

export const MORAL = patterns(`
  so remember: @ [good|true|kind] friend is worth more than <gift>.
  an old {fwho} of {town} says: work, ask, and say thank you.
  that is why the {who} and the {fwho} still share <meal> in {town}.
  those who are <good!> seldom stay <mood> for long.
  @ <mood> heart needs a friend, not <gift>.
  it is better to be <mood> with a friend than [merry|rich|clever] alone.
  whoever goes <pace> will go far, says the {fwho} of {town}.
  since then in {town} they say: as {feel} as {name}, as <good!> as {friend}.
`);

export const TALK_OPEN = patterns(`
  <time> {hero} the <trait> {who} met {listener} the {lwho} {at} of {town}.
  {listener} the {lwho} <went> to {town} and found {hero} the <trait> {who} {at}.
  {at} near {town}, {hero} the {who} and {listener} the {lwho} ate <meal>.
  <weather>, and {hero} the <trait> {who} sat {at} of {town} with {listener} the {lwho}.
  {hero} the {who} was playing <game> with {listener} the {lwho} {at} of {town}.
  over <meal>, {listener} the {lwho} and {hero} the {who} talked {at} of {town}.
`);

export const TALK_START = patterns(`
  "good day, {name}! You look {feel}," {listener} <said> <tone>. "What has happened?"
  "how is the <look> {thing}, {name}?" {listener} asked <tone>.
  "tell me the news, {name}," {listener} <said> <tone>, and passed round <meal>.
  "is it true about the <look> {thing}?" {listener} asked <tone>.
  "you seem {feel} today," {listener} <said> <tone>. "Is it the {thing}?"
  "I brought <gift>," {listener} <said> <tone>. "Now tell me all, {name}."
`);

export const TALK_QUESTION = patterns(`
  "oh no, not the <look> {thing}!" {listener} <said> <tone>.
  "were you <mood>, {name}?" {listener} asked, and passed <meal>.
  "poor {name}! And what came next?" {listener} asked <tone>.
  "and where was {friend}?" {listener} asked <tone>, eating <meal>.
  "@ {lwho} would have been <mood>," {listener} <said> <tone>.
  {listener} forgot to eat the <meal>. "Go on, {name}, go on!"
  "I once had <gift> <spot>," {listener} <said> <tone>. "But go on."
  "{friend} is @ <good!> {fwho}," {listener} <said> <tone>, nodding.
  {listener} laughed, and <creature> [jumped|fled|stared]. "And then?"
  "that was [kind|clever|brave|wise|good] of you, {name}," {listener} <said> <tone>.
`);

export const TALK_END = patterns(`
  "what a tale!" {listener} <said> <tone>, and they played <game>.
  "I am {feel} too," {listener} <said> <tone>. "Greet {friend} in {town}!"
  then {listener} gave {heroObj} <gift> and went home past <sight>.
  {listener} and {hero} finished <meal> and watched <creature> <spot>.
  "tell it again <often>, {name}," {listener} <said> <tone>.
  <weather>, and {listener} <went> home, thinking of {friend}.
`);

export const TAG = patterns(`
  {name} said <tone>
  {name} <said>, and <sound>
  {name} told {listener}
  {name} the {who} <said>
`);

/** The first sentence on a place names it. */
export const DESCRIBE_FIRST = patterns(`
  near {town} there is @ {place}, and <creature> lives <spot>.
  the {place} of {town} lies [north|south|east|west] of @ <size> road, past <sight>.
  in {town} they say the {place} belongs to <creature> and <creature>.
  on @ <spell!> day the {place} is full of the smell of <smell>.
  everyone in {town} knows the {place}, with <sight> and <sight>.
  many people in {town} go to the {place} <often> to play <game>.
`);

export const DESCRIBE = patterns(`
  it smells of <smell> there, and <often> one can [sit|rest|play] <spot>.
  first one sees <sight>, then <sight>, and under them <creature>.
  <sight> and <sight> stand side by side there.
  people from {town} go there <often> to eat <meal> and play <game>.
  <spot> the ground is <size!>, and <creature> sleeps there <often>.
  @ <size> path leads from {town} past <sight>, where <creature> lives.
  visitors bring <gift>, sit <spot>, and look at <sight>.
  there is @ <size!> stone <spot>, and <villager> comes there <often>.
  nothing is finer than <meal> by <sight> in <spell!> weather.
  <sight> make @ <size!> shadow, and <creature> rests in it <often>.
  the air is <spell!> and smells of <smell>, mixed with <meal>.
`);

export const DWELLER = patterns(`
  {hero} the <trait> {who} lived {at} of {town}, close to <sight>, and <habit>.
  the <trait> {who} of the {place} was {hero}, who <habit> and <habit>.
  {at}, <spot>, {hero} the <trait> {who} <habit> <time>.
  {hero}, @ <trait> {who}, came to the {place} <time> and <habit>.
  <time> one could meet {hero} the <trait> {who} {at}, who <habit>.
  many know {hero}, the <trait> {who} of the {place}, who <habit> by <sight>.
`);
