/** How stories open: the hero at the place, habit, weather, and the wish. {he} and {his} may be "I" and "my". */
import { patterns } from "../grammar.js";

/** Third person: the hero is new to the reader. */
export const OPEN = patterns(`
  <time>, @ <trait> {who} named {hero} <habit> {at} near {town}.
  {at} of {town} lived {hero}, @ <trait> {who} who <habit> and <habit>.
  {hero} was @ <trait> {who} from {town} and <time> {he} <habit> {at}.
  @ <trait> {who} called {hero} had @ [small|snug|tidy|sunny|low] home {at}, close to {town}.
  there was once @ <trait> {who}, {hero} by name, who <habit> {at} near {town}.
  <time> {hero} the {who} <habit> {at} of {town}, as @ <trait> {who} [must|will|should].
  everyone in {town} knew {hero}, the <trait> {who} who <habit> {at}.
  past <sight> {at} near {town} lived @ <trait> {who}, and {his} name was {hero}.
  {hero} the <trait> {who} came to {town} <time> and found work {at}.
  in {town}, where <sound> <time>, {hero} the <trait> {who} <habit> {at}.
  <time>, while <sound> {at} near {town}, {hero} the <trait> {who} <habit>.
  nobody in {town} was as <trait> as {hero}, the {who} who <habit> {at}.
`);

/** First person, after a greeting. */
export const OPEN_FIRST = patterns(`
  <time> I <habit> {at} near {town}, as every <trait> {who} [does|must|should].
  I am still @ <trait> {who} {at} of {town}, and <time> I <habit>.
  <sound> {at} near {town} when I, @ <trait> {who}, <habit>.
  how [odd|long|full|short] this day was for @ <trait> {who} {at} of {town}!
  you know that I <habit> {at} near {town}, being @ <trait> {who}.
  <time> I came back to {town} and, like @ <trait> {who}, I <habit> {at}.
  I must tell of {town}, where <time> I <habit> {at} as @ <trait> {who}.
  here {at} of {town} I <habit> <time>, for I am @ <trait> {who}.
`);

/** The scene: what is heard, seen and smelt. */
export const SCENE = patterns(`
  <weather>, <sound>, and the {place} smelled of <smell>.
  <weather> over {town}, and past <sight> came a smell of <smell>.
  <sound> by <sight> while <weather> over {town}.
  {hero} <looked> past <sight>, where <weather> and <sound>.
  the {place} smelled of <smell>, and near <sight> <sound>.
  under @ <sky> sky {hero} could see <sight> and <sight>.
  <creature> [rested|slept|sat] near <sight> as <weather> over {town}.
  @ <sky> light lay on <sight>, and [somewhere|nearby|behind them] <sound>.
  <adverb>, {hero} <went> by <sight> to smell the <smell>.
  [all about|round about|close by], <sound>, and <creature> [watched|crossed|passed] <sight>.
  the sky above {town} was <sky>, <weather> and <sound>.
  {hero} liked <sight> best, for there <sound> and it smelled of <smell>.
`);

/** The wish of a hero who owns the object. */
export const WISH_OWN = patterns(`
  {hero} had @ {look} {thing} and wished to <use:use> with <reason>.
  {his} [best|dearest|only|finest] treasure was @ {look} {thing}, kept <adverb> <spot> to <use:use>.
  @ <trait> <kin> had left {heroObj} @ {look} {thing} to <use:use>.
  with {his} {look} {thing}, {hero} [hoped|wanted|longed|planned] to <use:use> <time>.
  {hero} owned @ {look} {thing}, and {he} [loved|liked|wished|meant] to <use:use> for <reason>.
  that [week|day|season] {hero} carried @ {look} {thing} to <use:use> for <reason>.
  for <reason>, {hero} wanted to <use:use> with {his} {look} {thing}.
  @ {look} {thing} went everywhere with {heroObj}, who [longed|hoped|meant] to <use:use>.
  what {hero} prized [most|above all] was @ {look} {thing}, a gift from {his} <trait> <kin> to <use:use>.
`);

/** The wish of a hero who lacks the object. */
export const WISH_LACK = patterns(`
  {hero} wished for @ {look} {thing}, so as to <use:use> with <reason>.
  [more than anything|above all|all year], {hero} wanted @ {look} {thing} to <use:use>.
  {his} [one|secret|dearest|great] wish was @ {look} {thing} to <use:use> for <reason>.
  to <use:use> for <reason>, {hero} needed @ {look} {thing}.
  {hero} often dreamed of @ {look} {thing} and how {he} would <use:use>.
  if only {hero} had @ {look} {thing}, {he} could <use:use> <time>!
  for <reason>, {hero} hoped to <use:use>, but that took @ {look} {thing}.
  {hero} had [seen|noticed|spotted] @ {look} {thing} in {town} and longed to <use:use>.
`);

/** The hero feels the trouble. */
export const UPSET = patterns(`
  {hero} felt <mood> and sat down <spot>, and <sound>.
  {heroThe} <adverb> grew <mood> and <mood>, for how could anyone {use} without the {look} {thing}?
  "what now?" {hero} <said> <adverb>, <mood> and [tired|cold|alone|pale].
  <mood> and <mood>, {hero} <went> <adverb> round <sight>.
  {his} heart was <mood>, and even <creature> near <sight> [seemed|looked|felt] <mood>.
  {hero} told <creature> <spot>, but it only blinked <adverb>.
  how <mood> {hero} was, there by <sight> {at} of {town}!
  no <meal> could cheer {heroObj}, who <went> <adverb> past <sight>.
  {hero} could think only of the {look} {thing} and <adverb> left {his} <meal>.
  <weather>, and {hero} was <mood> from {town} to <sight>.
`);

/** The friend comes. */
export const MEET = patterns(`
  just then {friend} the {fwho} <went> by with <fcarry> and saw {heroObj}.
  <adverb>, {friend} the <trait> {fwho} <went> up, holding <fcarry>.
  past <sight> came {friend}, @ <good> {fwho} with <fcarry>.
  {hero} <went> to {friend}, the <good> {fwho}, who <fhabit> <spot>.
  @ <good> {fwho} called {friend} heard [it|this|everything] and <went> over from <sight>.
  near <sight> {hero} met {friend} the {fwho}, who had <fcarry>.
  luckily, {friend} the <good> {fwho} [sat|stood|rested] <spot> with <fcarry>.
  who should come <adverb> with <fcarry> but {friend}, the <good> {fwho}?
  {friend}, the <trait> {fwho} who <fhabit>, put down <fcarry> and <went> over.
  from <sight> {friend} the {fwho} called <adverb> and <went> closer with <fcarry>.
`);

/** The friend asks, the hero tells. */
export const ASK = patterns(`
  "why so <mood>, {name}?" asked {friend} <adverb>.
  "you look <mood>, {name}," said {friend}, and shared <gift>.
  {hero} told {friend} [everything|the whole story|all of it] over <meal>.
  "is it the {look} {thing}?" {friend} asked <adverb>, and {hero} nodded.
  {friend} listened <adverb> while {hero} <adverb> spoke of the {look} {thing}.
  "tell me, {name}," said {friend} <adverb>, and offered {him} <meal>.
  "@ {fwho} has [good|big|sharp] ears," said {friend} <adverb>, and {hero} explained.
  over <meal>, {friend} <adverb> asked {heroObj} about the {look} {thing}.
  "dear {name}, you seem <mood>," {friend} <said>, while <sound> behind {fhim}.
  {friend} gave {heroObj} <gift> and <adverb> asked what was wrong.
`);

/** On the way to the deed: a small hindrance that is passed. */
export const WAY = patterns(`
  on the way <creature> [blocked|crossed|slowed|guarded] the <size> path, but {friend} <adverb> led {heroObj} past <sight>.
  they <went> over @ <size> bank and through @ <size> gap near <sight>.
  {friend} <went> first, {hero} <went> after, and <weather>.
  @ <size> ditch lay by <sight>, yet they crossed it <pace>.
  while <weather>, {hero} and {friend} <went> past <sight>, <pace>.
  @ <size> stone tripped {heroObj} near <sight>, but {friend} <adverb> helped {him} up.
  they rested <spot>, ate <meal>, and <went> on <pace>.
  {friend} sang about <creature> while {hero} <went> <adverb> by <sight>.
  <weather>, so they waited <spot> and played <game> for a while.
  <pace>, {friend} and {hero} <went> from <sight> to <sight>.
`);

/** Thanks and talk after the deed. */
export const THANKS = patterns(`
  "thank you, {friend}," {hero} <said> <adverb>, and gave {fhim} <gift>.
  "what @ <good> {fwho} you are!" {hero} told {friend} <adverb>.
  {hero} gave {friend} <gift>, and {friend} <adverb> gave {him} <gift>.
  "I am {feel} today, dear {friend}," {hero} <said>, <adverb> and clearly.
  "never mind thanks, {name}," {friend} <said>. "Just bring <gift> to {town}."
  together they ate <meal> <spot> and talked <adverb>.
  "you are @ <good> friend, {friend}," {hero} <said>, and <sound>.
  {friend} <adverb> shook hands with {heroObj} and went off with <gift>.
  "this calls for <meal>!" {friend} <said> <adverb>, and {hero} agreed.
  {hero} and {friend} played <game> <spot> until <weather>.
`);

/** The hero's main feeling shows. */
export const FEEL = patterns(`
  {hero} felt {feel}: <sign>, and <weather>.
  <sign>, for {heroThe} was {feel} <spot>.
  how {feel} {hero} was! <sign>, and <sound>.
  {hero} was so {feel} that <sign>, there by <sight>.
  {friend} could <adverb> see that {hero} was {feel}, for <sign>.
  <sign>, and {noun} <adverb> filled {heroObj} as <weather>.
  {hero} had never felt so {feel}; <sign>, there by <sight>.
  {noun} came over {heroObj} <adverb>, and <sign>.
  "look how {feel} you are, {name}," {friend} <said>, and indeed <sign> by <sight>.
  <creature> saw {heroObj} there, {feel} from head to toe, and <sign>.
`);
