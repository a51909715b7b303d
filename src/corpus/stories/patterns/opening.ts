/** How stories open: the hero at the place, habit, weather, and the wish. {he} and {his} may be "I" and "my". */
import { patterns } from "../grammar.js";

/** Third person: the hero is new to the reader. */
export const OPEN = patterns(`
  <time>, @ <trait> {who} named {hero} <habit> {at} near {town}.
  {at} of {town} lived {hero}, @ <trait> {who} who <habit> and <habit>.
  {hero} was @ <trait> {who} from {town} and <time> {he} <habit> {at}.
  @ <trait> {who} called {hero} had @ [small|snug|sunny] home {at}, close to {town}.
  there was once @ <trait> {who}, {hero} by name, who <habit> {at} near {town}.
  <time> {hero} the {who} <habit> {at} of {town}, as @ {who} [must|will|should].
  everyone in {town} knew {hero}, the <trait> {who} who <habit> {at}.
  past <sight> {at} near {town} lived @ <trait> {who}, and {his} name was {hero}.
  {hero} the <trait> {who} came to {town} <time> and found work {at}.
  in {town}, where <sound> <time>, {hero} the <trait> {who} <habit> {at}.
  <time>, while <sound> {at} near {town}, {hero} the <trait> {who} <habit>.
  nobody in {town} was as <trait!> as {hero}, the {who} who <habit> {at}.
`);

/** First person, after a greeting. */
export const OPEN_FIRST = patterns(`
  <time> I <habit> {at} near {town}, as every {who} [does|must|should].
  I am still @ <trait> {who} {at} of {town}, and <time> I <habit>.
  <sound> {at} near {town} when I, @ <trait> {who}, <habit>.
  how [odd|long|full|short] this day was for @ <trait> {who} {at} of {town}!
  you know that I <habit> {at} near {town}, being @ <trait> {who}.
  <time> I came back to {town} and, like any {who}, I <habit> {at}.
  I must tell of {town}, where <time> I, @ {who}, <habit> {at}.
  here {at} of {town} I <habit> <time>, for I am @ {who}.
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
  @ [pale|golden|red|grey] light lay on <sight>, and [somewhere|nearby|behind them] <sound>.
  {hero} <went> by <sight> to smell the <smell>.
  [all about|round about|close by], <sound>, and <creature> [sat by|ran past|hid near] <sight>.
  the sky above {town} was <sky>, <weather>, and <sound>.
  {hero} liked <sight> best, for there <sound> and it smelled of <smell>.
`);

/** The wish of a hero who owns the object. */
export const WISH_OWN = patterns(`
  {hero} had @ {look} {thing} and wished to <use:use> with <reason>.
  {his} [best|only] treasure was @ {look} {thing}, kept <spot> to <use:use>.
  {his} <kin> had left {heroObj} @ {look} {thing} to <use:use>.
  with {his} {look} {thing}, {hero} [hoped|wanted|planned] to <use:use>.
  {hero} owned @ {look} {thing}, and {he} [wished|meant|hoped] to <use:use> with <reason>.
  that [week|day|season] {hero} carried @ {look} {thing} to <use:use> with <reason>.
  for <reason>, {hero} wanted to <use:use> with {his} {look} {thing}.
  {hero} took @ {look} {thing} everywhere and [longed|hoped|meant] to <use:use>.
  what {hero} prized [most|above all] was @ {look} {thing}, a gift from {his} <kin> to <use:use>.
`);

/** The wish of a hero who lacks the object. */
export const WISH_LACK = patterns(`
  {hero} wished for @ {look} {thing}, so as to <use:use> with <reason>.
  [more than anything|above all|all year], {hero} wanted @ {look} {thing} to <use:use>.
  {his} [one|secret|dearest] wish was @ {look} {thing} to <use:use> with <reason>.
  to <use:use> with <reason>, {hero} needed @ {look} {thing}.
  {hero} often dreamed of @ {look} {thing} and how {he} would <use:use>.
  if only {hero} had @ {look} {thing}, {he} could <use:use> <time>!
  for <reason>, {hero} hoped to <use:use>, but that took @ {look} {thing}.
  {hero} had [seen|noticed|spotted] @ {look} {thing} in {town} and longed to <use:use>.
`);

/** The hero feels the trouble. */
export const UPSET = patterns(`
  {hero} felt <mood> and sat down <spot>, and <sound>.
  {heroThe} grew <mood>, for how could anyone {use} without the <look> {thing}?
  "what now?" {hero} asked <tone>, and felt <mood>.
  <mood> and [tired|cold|alone], {hero} <went> round <sight>.
  {his} heart was <mood>, and even <creature> near <sight> [seemed|looked|felt] <mood>.
  {hero} told <creature> <spot>, but it only blinked.
  how <mood> {hero} was, there by <sight> {at} of {town}!
  not even <meal> could cheer {heroObj}, who <went> past <sight>.
  {hero} could think only of the <look> {thing} and would not eat {his} <dish> [supper|lunch|dinner].
  <weather>, and {hero} was <mood> all day.
`);

/** The friend comes. */
export const MEET = patterns(`
  just then {friend} the {fwho} <went> by with <fcarry> and saw {heroObj}.
  {friend} the <trait> {fwho} came up, holding <fcarry>.
  past <sight> came {friend}, @ <good> {fwho} with <fcarry>.
  {hero} <went> to {friend}, the <good> {fwho}, who <fhabit> <spot>.
  @ <good> {fwho} called {friend} heard [it|this|everything] and <went> over from <sight>.
  near <sight> {hero} met {friend} the {fwho}, who had <fcarry>.
  luckily, {friend} the <good> {fwho} [sat|stood|rested] <spot> with <fcarry>.
  who should come with <fcarry> but {friend}, the <good> {fwho}?
  {friend}, the <trait> {fwho} who <fhabit>, put down <fcarry> and <went> over.
  from <sight> {friend} the {fwho} called and <went> closer with <fcarry>.
`);

/** The friend asks, the hero tells. */
export const ASK = patterns(`
  "why so <mood>, {name}?" asked {friend} <tone>.
  "you look <mood>, {name}," said {friend}, and shared <gift>.
  {hero} told {friend} [everything|the whole story|all of it] over <meal>.
  "is it the <look> {thing}?" {friend} asked <tone>, and {hero} nodded.
  {friend} listened while {hero} spoke of the <look> {thing}.
  "tell me, {name}," said {friend} <tone>, and offered {him} <meal>.
  "@ {fwho} has sharp ears," said {friend} <tone>, and {hero} explained.
  over <meal>, {friend} asked {heroObj} about the <look> {thing}.
  "dear {name}, you seem <mood>," {friend} <said>, while <sound>.
  {friend} gave {heroObj} <gift> and asked what was wrong.
`);

/** On the way to the deed: a small hindrance that is passed. */
export const WAY = patterns(`
  on the way <creature> [blocked|crossed|slowed|guarded] the path, but {friend} led {heroObj} past <sight>.
  {they} <went> over @ <size> bank and through a gap near <sight>.
  {friend} <went> first, {hero} <went> after, and <weather>.
  @ <size> ditch lay by <sight>, yet {they} crossed it <pace>.
  while <weather>, {friend} and {hero} <went> past <sight>, <pace>.
  @ <size> stone tripped {heroObj} near <sight>, but {friend} helped {him} up.
  {they} rested <spot>, ate <meal>, and <went> on <pace>.
  {friend} sang about <creature> while {hero} <went> by <sight>.
  <weather>, so {they} waited <spot> and played <game> for a while.
  <pace>, {friend} and {hero} <went> from <sight> to <sight>.
`);

/** Thanks and talk after the deed. */
export const THANKS = patterns(`
  "thank you, {friend}," {hero} <said> <tone>, and gave {fhim} <gift>.
  "what @ <good!> {fwho} you are!" {hero} told {friend}.
  {hero} gave {friend} <gift>, and {friend} gave {him} <gift>.
  "I am {feel} today, dear {friend}," {hero} <said>.
  "never mind thanks, {name}," {friend} <said>. "Just bring <gift> to {town}."
  together {they} ate <meal> <spot> and talked.
  "you are @ <good!> friend, {friend}," {hero} <said>, and <sound>.
  {friend} shook hands with {heroObj} and went off with <gift>.
  "this calls for <meal>!" {friend} <said> <tone>, and {hero} agreed.
  {friend} and {hero} played <game> <spot> until <weather>.
`);

/** The hero's main feeling shows. */
export const FEEL = patterns(`
  {hero} felt {feel}: <sign>, and <weather>.
  <sign>, for {heroThe} was {feel}.
  how {feel} {hero} was! <sign>, and <sound>.
  {hero} was so {feel} that <sign>.
  {friend} could see that {hero} was {feel}, for <sign>.
  <sign> as <weather>, for {hero} was {feel}.
  {hero} had never felt so {feel}; <sign>, and <sound>.
  [all at once|at that moment|after this] {hero} felt {feel}, and <sign>.
  "look how {feel} you are, {name}," {friend} <said>, and it was true: <sign>.
  {hero} was {feel} from head to toe: <sign>.
  <sign>, and everybody could see how {feel} {hero} was.
  never in {town} had anyone been so {feel}: <sign>.
  as <weather>, {hero} felt {feel}, and <sign>.
`);
