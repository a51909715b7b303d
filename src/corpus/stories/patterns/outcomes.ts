/**
 * The middle of a story, one set of patterns for each outcome: the trouble, the hero's own attempt and why it failed,
 * the friend's plan, the deed, and an ending that names wish, feeling and outcome.
 */
import { type Pattern, patterns } from "../grammar.js";

export interface Turn {
  /** Whether the hero owns the object at the start. */
  owns: boolean;
  trouble: readonly Pattern[];
  attempt: readonly Pattern[];
  plan: readonly Pattern[];
  deed: readonly Pattern[];
  ending: readonly Pattern[];
}

const found: Turn = {
  owns: true,
  trouble: patterns(`
    but <time> the <look> {thing} was [gone|missing|nowhere to be seen], and {hero} <looked> <spot>.
    one day {hero} <looked> <spot>, and the <look> {thing} was not there.
    then, while <weather>, {hero} missed the <look> {thing} {at}.
    "where is my <look> {thing}?" {hero} asked <tone>, and <looked> <spot>.
    the <look> {thing} had vanished <time>, somewhere {at} near <sight>.
    [sadly|alas|oh dear], {hero} had put the <look> {thing} down {at} and forgotten where.
  `),
  attempt: patterns(`
    {hero} <looked> <spot> and <spot>, but saw only <creature>.
    first {hero} <looked> <spot>, then <spot>, yet there was nothing but <creature>.
    for <took> {hero} <looked> by <sight>; no {thing} was there.
    <creature> was all that {hero} found <spot>, although {he} <looked> for hours.
    <spot> {hero} found <gift>, but no <look> {thing}.
    {he} asked <creature> and <creature>, but they had not seen the {thing}.
  `),
  plan: patterns(`
    {friend} told {heroObj} to look <spot:found>.
    with <fcarry>, {friend} <went> off to look <spot:found>.
    {friend} had seen <creature> there, hiding things <spot:found>.
    "let us search again, {name}," said {friend} <tone>. "Begin <spot:found>."
    "when did you last {use}?" {friend} asked <tone>. "Let us look <spot:found>."
    "did you look <spot:found>, {name}?" {friend} asked <tone>.
    {friend} thought and said, "Lost things often hide <spot:found>."
    "I saw <creature> run off with something," said {friend}. "Look <spot:found>!"
    "@ {fwho} can sniff it out," {friend} <said>. "Come, {name}, look <spot:found>."
  `),
  deed: patterns(`
    and there, {found}, {hero} found the <look> {thing} beside <creature>.
    {friend} <looked> with <tool>, and {found} {they} found the <look> {thing}.
    {found}, behind <creature>, the {thing} was found.
    it took <took>, but {found} {hero} found {his} <look> {thing}.
    "found it!" {friend} <said> <tone>, and {found} lay the <look> {thing}.
    with <tool>, {hero} felt about {found} and found the <look> {thing}.
  `),
  ending: patterns(`
    so the <look> {thing} was found, and {aFeelHero} could {use}.
    {hero} was {feel}: the {thing} was found, and [now|soon|at last] {he} could {use}.
    with the {thing} that was found, {friend} and {hero} could {use}.
    from then on {aFeelHero} kept what was found <spot>, ready to {use}.
    what was lost {at} was found {found}, and {hero} stayed {feel}.
    {feelHero} took the {thing}, now found, to {town}, to {use}.
  `),
};

const mended: Turn = {
  owns: true,
  trouble: patterns(`
    but <time> the <part:part> of the <look> {thing} broke <spot>.
    crack! the <part:part> of the <look> {thing} came off <spot>.
    then {hero} tripped over <creature>, and the <part:part> of the {thing} [snapped|split|cracked].
    while <weather>, the <look> {thing} fell <spot>, and its <part:part> broke.
    <creature> bumped the <look> {thing}, and the <part:part> [snapped|came loose|broke in two].
    one day {hero} found the <look> {thing} <spot> with a broken <part:part>.
  `),
  attempt: patterns(`
    {hero} tried <glue> on the {part}, but it was <flaw>.
    {he} took <glue>, then <glue>, yet the {part} fell off.
    for <took> {hero} worked with <glue>; the {part} stayed broken.
    {he} tied the {part} with <glue>, but it was <flaw>.
    {hero} pressed the {part}, but <glue> would not hold.
    with <tool> {hero} made the {part} worse, for it was <flaw>.
  `),
  plan: patterns(`
    {friend} the {fwho} offered <glue:glue> for the {part}.
    from <sight> {friend} fetched <glue:glue> to mend the {part}.
    "we can mend that {part}, {name}," {friend} <said>. "Look, I have <glue:glue>."
    "I have <glue:glue>," {friend} <said> <tone>. "Hold the {part}, {name}."
    {friend} looked at the {part} and took out <glue:glue>.
    "what it needs is <glue:glue>," said {friend} the {fwho} <tone>.
    "my <kin> always used <glue:glue>," {friend} <said>. "Shall we try it?"
    {friend} turned the {thing} over. "Fetch <glue:glue>, {name}!"
  `),
  deed: patterns(`
    {hero} held the {part}, {friend} used {glue}, and the {thing} was mended <pace>.
    with {glue} and <took>, {friend} and {hero} mended the <look> {thing}.
    <pace>, {they} mended the {part} with {glue} and <tool>.
    {friend} set the {part}, and {hero} mended the {thing} with {glue}.
    it took <took>, but {glue} held, and the {part} was mended.
    {glue} did it: the <look> {thing} was mended <spot>.
  `),
  ending: patterns(`
    so the <look> {thing} was mended, and {aFeelHero} could {use}.
    {hero} was {feel}: the {part} was mended, and [now|soon|at last] {he} could {use}.
    the mended {thing} looked a little odd, but with it {aFeelHero} could {use}.
    {feelHero} and {friend} took the mended {thing} to {town}, to {use}.
    the mended {part} held, and {hero} stayed {feel}.
    for <reason>, {aFeelHero} would {use} with the mended <look> {thing}.
  `),
};

const shared: Turn = {
  owns: true,
  trouble: patterns(`
    but <reason:other> also wanted the <look> {thing} to {use}.
    then <reason:other> stood {at} and asked for the <look> {thing}.
    there was only one <look> {thing} {at}, and <reason:other> needed it too.
    <reason:other> sat <spot> and cried for the <look> {thing}.
    but <time> <reason:other> had no {thing} at all and wanted one too.
    while <weather>, <reason:other> reached for the <look> {thing}.
  `),
  attempt: patterns(`
    "it is mine!" {hero} <said> <tone>, and hid the {thing} <spot>.
    {hero} offered <gift> instead, but that was <cheap>.
    {he} pulled, {other} pulled, and nobody could {use}.
    {hero} hid <spot> with the <look> {thing}, but alone it was no fun.
    {he} gave <gift> and <gift>, yet the tears went on.
    for <took> {hero} kept the {thing} <spot>, and nobody was glad.
  `),
  plan: patterns(`
    {friend} said that two could share it <pace>.
    {friend} asked {heroObj} to share the {thing} and take turns.
    {friend} the {fwho} knew how to share: first one, then the other.
    "share it, {name}," said {friend} <tone>. "Take turns <spot>."
    "one {thing} is enough for two," {friend} <said> <tone>. "Try it <spot>."
    {friend} drew a line <spot> with <tool>. "First one turn, then the other."
    "I share <gift> with <creature>," {friend} <said>. "Can you share the {thing}?"
    "why not {use} together, {name}?" {friend} asked <tone>.
    "@ {fwho} shares even <gift>," said {friend}. "So could @ {who}."
  `),
  deed: patterns(`
    so {hero} shared the <look> {thing}, and {they} took turns <spot>.
    {hero} shared it: one turn <spot>, one turn by <sight>.
    <pace>, {they} shared the <look> {thing} <spot> and ate <meal>.
    {friend} counted, and {hero} shared the <look> {thing} <pace>.
    it took <took>, but {hero} shared the <look> {thing}.
    {hero} held out the {thing}, and {they} shared it <spot>.
  `),
  ending: patterns(`
    so the <look> {thing} was shared, and {aFeelHero} could {use}.
    {hero} was {feel}: the {thing} was shared, and everybody could {use}.
    the {thing} {they} shared stayed <spot>, and {hero} stayed {feel}.
    {aFeelHero} had shared the <look> {thing}, and [now|soon|at last] {they} could {use}.
    {feelHero} and {friend} shared the {thing}, <meal>, and [a song|a joke|a laugh|the news] <time>.
    with {other} {aFeelHero} shared the {thing} ever after.
  `),
};

const given: Turn = {
  owns: false,
  trouble: patterns(`
    but @ <look> {thing} cost too much in {town}, and {hero} had only <gift>.
    {hero} counted {his} coins <spot>, and they were too few.
    "no coins, no {thing}," the seller in {town} <said> <tone>.
    the shop in {town} wanted three coins, and {hero} had <gift>.
    one day {hero} saw the <look> {thing} sold to <reason>.
    but {his} purse held <creature> and no coin for @ <look> {thing}.
  `),
  attempt: patterns(`
    {hero} worked <took> in {town}, but the pay was only <gift>.
    {he} sold <gift> by <sight>, yet that brought one coin.
    {hero} asked {his} <kin> for @ {thing}, but got <gift>.
    {he} searched for coins <spot> and <spot> and found <creature>.
    for <took> {hero} saved, but then {he} paid for <meal>.
    {hero} sang by <sight>, but people only gave <meal>.
  `),
  plan: patterns(`
    {friend} thought of {his} wish and <went> home to fetch something.
    {friend} thought of @ {thing} at home <spot>.
    "wait <spot>, {name}," said {friend} <tone>, and <went> home.
    "close your eyes, {name}," {friend} <said> <tone>. "Count to ten."
    "my <kin> left me two," {friend} <said> <tone>. "One is enough for @ {fwho}."
    {friend} hid something behind <fcarry>.
    "you once gave me <gift>, {name}," {friend} <said> <tone>. "Now wait."
  `),
  deed: patterns(`
    {friend} came back, and {hero} was given @ <look> {thing}.
    out of <fcarry> came @ <look> {thing}, given to {heroObj}.
    "it is yours, {name}," {friend} <said>. And so the {thing} was given.
    {friend} gave {heroObj} the <look> {thing} <spot>.
    tied with <glue>, @ <look> {thing} was given to {heroObj}.
    wrapped in a leaf, the <look> {thing} was given to {heroObj} <spot>.
  `),
  ending: patterns(`
    so {hero} was given @ <look> {thing}, and {aFeelHero} could {use}.
    {hero} was {feel}: {friend} had given the {thing}, and {he} would {use}.
    {hero} took the {thing} {he} was given to {town} and stayed {feel}.
    {aFeelHero} would {use} with <reason> with the {thing} {friend} had given.
    {friend} had given the <look> {thing}, and {feelHero} kept it <spot>.
    with the <look> {thing} that was given {at}, {aFeelHero} could {use}.
  `),
};

const made: Turn = {
  owns: false,
  trouble: patterns(`
    but nobody in {town} sold @ <look> {thing}, only <gift> and <gift>.
    the last <look> {thing} in {town} had gone to <reason>.
    there was no {thing} <spot> and none <spot>.
    "no {thing} left," the shop in {town} <said> <tone>. "Take <gift>!"
    {hero} asked all over {town}, but @ <look> {thing} was not to be had.
    so {hero} had to make @ <look> {thing}, and knew little about it.
  `),
  attempt: patterns(`
    {hero} tried to make it from <gift>, but it was <flaw>.
    alone, {he} cut and tied, but the {thing} came out <flaw>.
    {hero} took <tool> and <glue>, yet the <part> was <flaw>.
    for <took> {hero} worked <spot>, but the <part> fell off.
    the first {thing} was <flaw>, the second was <flaw>.
    {he} used <glue>, but the <part> was <flaw>.
  `),
  plan: patterns(`
    {friend} said that <stuff:stuff> would do, and fetched <tool>.
    {friend} the {fwho} knew a way with <stuff:stuff> and <tool>.
    "make it from <stuff:stuff>, {name}," said {friend} <tone>.
    "have you tried <stuff:stuff>?" {friend} asked <tone>, and fetched <tool>.
    {friend} brought <stuff:stuff> and <tool> from <sight>.
    "@ {fwho} would take <stuff:stuff>," {friend} <said> <tone>. "Bring <tool>, {name}."
    "first <stuff:stuff>, then <glue>," said {friend}, and <went> for <tool>.
    {friend} drew @ {thing} in the dust. "We need <stuff:stuff>, {name}."
  `),
  deed: patterns(`
    from {stuff}, {friend} and {hero} made the <look> {thing} <pace>.
    {hero} cut, {friend} tied, and {they} made @ <look> {thing} with <tool>.
    it took <took>, but {they} made the <look> {thing} from {stuff}.
    with {stuff} and <glue>, {hero} made @ <look> {thing}.
    {friend} held {stuff}, and {hero} made the <look> {thing} <spot>.
    <pace>, {they} made {stuff} into @ <look> {thing} <spot>.
  `),
  ending: patterns(`
    so the <look> {thing} was made, and {aFeelHero} could {use}.
    {hero} was {feel}: {he} had made @ {thing}, and [now|soon|at last] {he} could {use}.
    the {thing} {they} made from {stuff} came to {town}, and {hero} stayed {feel}.
    {aFeelHero} showed <reason> the <look> {thing} that {he} had made.
    {feelHero} had made the {thing}, and {friend} helped {him} {use}.
    for <reason>, {aFeelHero} would {use} with the {thing} {he} had made.
  `),
};

const lost: Turn = {
  owns: true,
  trouble: patterns(`
    but <time> <taker> took the <look> {thing} from <sight>.
    suddenly <taker> swept the <look> {thing} away past <sight>.
    then <taker> snatched the <look> {thing} from {heroObj}.
    while <weather>, <taker> carried the <look> {thing} off.
    {hero} put the <look> {thing} down <spot>, and <taker> took it.
    one day {hero} saw <taker> drag the <look> {thing} past <sight>.
  `),
  attempt: patterns(`
    {hero} <went> after it, past <sight>, but was too slow.
    {he} reached out with <tool>, but it was <flaw>.
    "come back!" {hero} <said> <tone>, but the {thing} was far off.
    for <took> {hero} <went> up and down by <sight>, but in vain.
    {he} threw <gift> and then <tool>, and both missed.
    {hero} jumped <spot>, but the {thing} was out of reach.
  `),
  plan: patterns(`
    {friend} <went> to ask <creature>, carrying <tool>.
    "quick, {name}, take <tool>," {friend} <said> <tone>. "Follow me!"
    "we can try <tool>," {friend} <said> <tone>. "Or wait <spot>."
    {friend} dropped <fcarry> and <went> ahead with <tool>.
    "let us ask <creature>," {friend} <said> <tone>. "It sees all of {town}."
    {friend} the {fwho} <went> past <sight> with <tool>.
    "it may turn up <spot>," {friend} <said> <tone>. "Come along, {name}!"
  `),
  deed: patterns(`
    {they} <looked> <spot> and <spot>, but the <look> {thing} was lost.
    even with <tool> and <took>, the <look> {thing} was lost {at}.
    far past <sight>, the <look> {thing} sank from view and was lost.
    {friend} and {hero} found <gift>, but the <look> {thing} stayed lost.
    it took <took> to see that the <look> {thing} was lost.
    <pace>, {they} turned back from <sight>: the <look> {thing} was lost.
  `),
  ending: patterns(`
    so the <look> {thing} was lost, and {hero} was {feel}, but {friend} stayed.
    {hero} was {feel}: the {thing} was lost, and nobody could {use}.
    the {thing} was lost, yet {aFeelHero} <went> to {town} with {friend}.
    {feelHero} spoke of the lost {thing}, and {friend} brought <meal>.
    the <look> {thing} was lost {at}, and {aFeelHero} went home.
    for the lost {thing}, {friend} gave {heroObj} <gift> and <gift>.
  `),
};

const traded: Turn = {
  owns: false,
  trouble: patterns(`
    but the only <look> {thing} belonged to <reason>, <spot>.
    <reason> had the <look> {thing} and kept it <spot>.
    then {hero} saw <reason> in {town} with just such @ <look> {thing}.
    one day <reason> came to {town} with @ <look> {thing}.
    the <look> {thing} {at} was owned by <reason>.
    <sound>, and there was <reason> {at} with @ <look> {thing}.
  `),
  attempt: patterns(`
    {hero} offered <gift> for it, but that was <cheap>.
    "<gift> for the {thing}?" {hero} asked <tone>, but the answer was no.
    {he} showed <gift> and <gift>, yet nobody wanted them.
    for <took> {hero} begged <spot>, but got a shake of the head.
    {hero} tried <gift>, then <meal>, and neither was enough.
    "would you take <meal>?" {hero} asked <tone>, but nobody would.
  `),
  plan: patterns(`
    {friend} told {heroObj} to offer <carry:trade> and <gift>.
    "trade <carry:trade>, {name}," said {friend} <tone>. "It is worth more."
    "have you nothing else, {name}?" {friend} asked <tone>. "What about <carry:trade>?"
    {friend} pointed at <carry:trade>. "Offer that, {name}!"
    "everyone in {town} wants <carry:trade>," {friend} <said> <tone>.
    "offer <carry:trade> and <gift>," said {friend} <tone>.
    {friend} knew who in {town} liked <carry:trade>, and said so.
  `),
  deed: patterns(`
    so {hero} traded {trade} for the <look> {thing}, <pace>.
    {trade} was traded for the <look> {thing} <spot>.
    {friend} did the talking, and {hero} traded {trade} for the {thing} <pace>.
    it took <took>, but {hero} traded {trade} for the <look> {thing}.
    near <sight> {hero} traded {trade} for the <look> {thing}.
    "done!" everyone agreed: {trade} was traded for the <look> {thing}.
  `),
  ending: patterns(`
    so the <look> {thing} was traded for {trade}, and {aFeelHero} could {use}.
    {hero} was {feel}: {he} had traded well, and [now|soon|at last] {he} could {use}.
    {hero} had traded for the {thing} and stayed {feel} for days.
    {aFeelHero} had traded {trade} and could {use} with <reason>.
    {feelHero} kept the {thing} {he} had traded for, and {friend} helped {him} {use}.
    with the <look> {thing} {he} had traded for, {aFeelHero} could {use}.
  `),
};

const freed: Turn = {
  owns: true,
  trouble: patterns(`
    but <time> the <look> {thing} got stuck <spot:stuck>.
    then the <look> {thing} slipped and was stuck <spot:stuck>.
    <creature> pushed the <look> {thing}, and it was stuck <spot:stuck>.
    while <weather>, the <look> {thing} fell and stuck fast <spot:stuck>.
    one day {hero} dropped the <look> {thing}, and it stuck <spot:stuck>.
    {hero} pulled, but the <look> {thing} was stuck <spot:stuck>.
  `),
  attempt: patterns(`
    {hero} pushed with <tool>, but it was <flaw>.
    {he} pulled and pulled, and the {thing} did not move.
    for <took> {hero} dug {stuck} with <tool>, but it was <flaw>.
    {hero} tried <tool> and <tool>, yet the {thing} sat tight.
    {he} called <creature> to help, but it was <feeble>.
    {hero} poked {stuck} with <tool>, which was <flaw>.
  `),
  plan: patterns(`
    {friend} the {fwho} <went> off and brought <tool:tool>.
    "use <tool:tool>, {name}," {friend} <said> <tone>. "Pull <pace>."
    "two are stronger than one," {friend} <said> <tone>, and took <tool:tool>.
    {friend} fetched <tool:tool> from <sight>.
    "hold tight, {name}," {friend} <said>. "We need <tool:tool> and <took>."
    {friend} <looked> {stuck} and asked for <tool:tool>.
    "lift it with <tool:tool>," said {friend} the {fwho} <tone>.
  `),
  deed: patterns(`
    {hero} pulled, {friend} pushed with {tool}, and the <look> {thing} was freed <pace>.
    with {tool}, {friend} and {hero} freed the <look> {thing}.
    it took <took> and {tool}, but {they} freed the <look> {thing}.
    pop! {tool} did it, and the <look> {thing} was freed.
    <pace>, {tool} freed the <look> {thing}, and <creature> cheered.
    {friend} counted, {hero} heaved, and {tool} freed the {thing}.
  `),
  ending: patterns(`
    so the <look> {thing} was freed, and {aFeelHero} could {use}.
    {hero} was {feel}: the {thing} was freed, and [now|soon|at last] {he} could {use}.
    the {thing} was freed for good, and {hero} stayed {feel}.
    {aFeelHero} and {friend} had freed the {thing}, to {use} <time>.
    {feelHero} wiped the {thing} that was freed and went to {use}.
    for <reason>, {aFeelHero} would {use} with the {thing} {they} had freed.
  `),
};

export const TURNS = { found, mended, shared, given, made, lost, traded, freed } as const;

export type TurnName = keyof typeof TURNS;
