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
    but <time> the {look} {thing} was [gone|missing|nowhere to be seen], and {hero} <looked> <spot>.
    one day {hero} <looked> <spot>, and the {look} {thing} was not there.
    then, while <weather>, {hero} missed the {look} {thing} {at}.
    "where is my {look} {thing}?" {hero} <said> <adverb>, and <looked> <spot>.
    the {look} {thing} had vanished <time>, somewhere {at} near <sight>.
    [sadly|alas|oh dear], {hero} had put the {look} {thing} down {at} and forgotten where.
  `),
  attempt: patterns(`
    {hero} <adverb> <looked> <spot> and <spot>, but saw only <creature>.
    first {hero} <looked> <spot>, then <spot>, yet there was nothing but <creature>.
    for <took> {hero} <looked> by <sight>; no {thing} was there.
    <creature> was all that {hero} found <spot>, although {he} <looked> <adverb>.
    <spot> {hero} found <gift>, but no {look} {thing}.
    {he} asked <creature> and <creature>, but they had not seen the {thing}.
  `),
  plan: patterns(`
    {friend} <adverb> told {heroObj} to look <spot:found>.
    with <fcarry>, {friend} <went> off to look <spot:found>.
    {friend} had seen <creature> there, <adverb> hiding things <spot:found>.
    "let us search again, {name}," said {friend} <adverb>. "Begin <spot:found>."
    "when did you last {use}?" {friend} asked <adverb>. "Let us look <spot:found>."
    "did you look <spot:found>, {name}?" {friend} asked <adverb>.
    {friend} thought <adverb> and said, "Lost things often hide <spot:found>."
    "I saw <creature> run off <adverb>," said {friend}. "Look <spot:found>!"
    "@ {fwho} can sniff it out," {friend} <said>. "Come, {name}, look <spot:found>."
  `),
  deed: patterns(`
    and there, {found}, {hero} found the {look} {thing} beside <creature>.
    {friend} <looked> with <tool>, and {found} they found the {look} {thing}.
    {found}, behind <creature>, the {look} {thing} was found <adverb> waiting.
    it took <took>, but {found} {hero} found {his} {look} {thing}.
    "found it!" {friend} <said> <adverb>, and {found} lay the {look} {thing}.
    with <tool>, {hero} <adverb> felt about {found} and found the {look} {thing}.
  `),
  ending: patterns(`
    so the {look} {thing} was found, and {aFeelHero} could {use}.
    {hero} was {feel}: the {thing} was found, and {he} [now|soon|gladly] would {use}.
    the found {thing} helped {heroObj} and {friend}, both {feel}, {use}.
    from then on @ {feel} {who} kept the found {thing} <spot>, ready to {use}.
    what was lost {at} was found {found}, and {hero} <adverb> stayed {feel}.
    {feelHero} took the found {thing} to {town}, to {use} for <reason>.
  `),
};

const mended: Turn = {
  owns: true,
  trouble: patterns(`
    but <time> the <part:part> of the {look} {thing} broke <spot>.
    crack! the <part:part> of the {look} {thing} came off <spot>.
    then {hero} tripped over <creature>, and the <part:part> of the {thing} [snapped|split|cracked].
    while <weather>, the {look} {thing} fell <spot>, and its <part:part> broke.
    <creature> bumped the {look} {thing} <adverb>, and the <part:part> [snapped|came loose|broke in two].
    one day {hero} found the {look} {thing} <spot> with a broken <part:part>.
  `),
  attempt: patterns(`
    {hero} tried <glue> on the {part}, but it was <flaw>.
    {he} <adverb> took <glue>, then <glue>, yet the {part} fell off.
    for <took> {hero} worked <adverb> with <glue>; the {part} stayed broken.
    {he} tied the {part} with <glue>, but it was <flaw> and <flaw>.
    {hero} pressed the {part} <adverb>, but <glue> would not hold.
    with <tool> {hero} made the {part} worse, for it was <flaw>.
  `),
  plan: patterns(`
    {friend} the {fwho} <adverb> offered <glue:glue> for the {part}.
    from <sight> {friend} <adverb> fetched <glue:glue> to mend the {part}.
    "we can mend that {part}, {name}," {friend} <said>. "Look, I have <glue:glue>."
    "I have <glue:glue>," {friend} <said> <adverb>. "Hold the {part}, {name}."
    {friend} looked at the {part} and <adverb> took out <glue:glue>.
    "what it needs is <glue:glue>," said {friend} the {fwho} <adverb>.
    "my <kin> always used <glue:glue>," {friend} <said>. "Shall we try it?"
    {friend} turned the {thing} over <adverb>. "Fetch <glue:glue>, {name}!"
  `),
  deed: patterns(`
    {hero} <adverb> held the {part}, {friend} used {glue}, and the {thing} was mended <pace>.
    with {glue} and <took>, {friend} and {hero} mended the {look} {thing}.
    <pace>, they mended the {part} with {glue} and <tool>.
    {friend} <adverb> set the {part}, and {hero} mended the {thing} with {glue}.
    it took <took>, but {glue} held, and the {part} was mended.
    {glue} did it: <adverb>, the {look} {thing} was mended <spot>.
  `),
  ending: patterns(`
    so the {look} {thing} was mended, and {aFeelHero} could {use}.
    {hero} was {feel}: the {part} was mended, and {he} [now|soon|gladly] would {use}.
    the mended {thing} was <hue> and <hue>, but with it @ {feel} {who} could {use}.
    {feelHero} and {friend} took the mended {thing} to {town}, to {use}.
    the mended {part} held <adverb>, and {hero} <adverb> stayed {feel}.
    for <reason>, {aFeelHero} would {use} with the mended {look} {thing}.
  `),
};

const shared: Turn = {
  owns: true,
  trouble: patterns(`
    but <reason:other> also wanted the {look} {thing}, <adverb>, to {use}.
    then <reason:other> stood <adverb> {at} and asked for the {look} {thing}.
    there was only one {look} {thing} {at}, and <reason:other> needed it too.
    <reason:other> sat <spot> and cried <adverb> for the {look} {thing}.
    but <time> <reason:other> had no {thing} at all and looked <adverb> at {heroObj}.
    while <weather>, <reason:other> reached <adverb> for the {look} {thing}.
  `),
  attempt: patterns(`
    "it is mine!" {hero} <said> <adverb>, and hid the {thing} <spot>.
    {hero} offered <gift> instead, but that was <flaw>.
    {he} pulled <adverb>, the other pulled <adverb>, and nobody could {use}.
    {hero} hid <spot> with the {look} {thing}, but alone it was no fun.
    {he} gave <gift> and <gift>, yet the tears went on.
    for <took> {hero} kept the {thing} <spot>, and nobody was glad.
  `),
  plan: patterns(`
    {friend} <adverb> said that two could share it <pace>.
    {friend} asked {heroObj} to share the {thing} <adverb>, <spot>.
    {friend} the {fwho} knew how to share: <adverb> and <pace>.
    "share it, {name}," said {friend} <adverb>. "Take turns, <pace>."
    "one {thing} is enough for two," {friend} <said> <adverb>. "Try it <spot>."
    {friend} drew a line <spot> with <tool>. "First one turn, then the other."
    "I share <gift> with <creature>," {friend} <said>. "Can you share the {thing}?"
    "why not {use} together, {name}?" {friend} asked <adverb>.
    "@ {fwho} shares <gift> <adverb>," said {friend}. "So could @ {who}."
  `),
  deed: patterns(`
    so {hero} shared the {look} {thing}, and they took turns <spot>, <pace>.
    {hero} <adverb> shared it: one turn <spot>, one turn by <sight>.
    <pace>, they shared the {look} {thing} <spot> and ate <meal>.
    {friend} counted <adverb>, and {hero} shared the {look} {thing} <pace>.
    it took <took>, but {hero} <adverb> shared the {look} {thing}.
    {hero} held out the {thing} <adverb>, and they shared it <spot>.
  `),
  ending: patterns(`
    so the {look} {thing} was shared, and {aFeelHero} could {use}.
    {hero} was {feel}: a shared {thing} could {use} [twice as well|better than before|far better].
    the shared {thing} stayed <spot> in {town}, and {hero} <adverb> stayed {feel}.
    @ {feel} {who} had shared the {look} {thing}, and they [now|soon|gladly] would {use}.
    {feelHero} and {friend} shared the {thing}, <meal>, and [a song|a joke|a laugh|the news] <time>.
    for {other}, {aFeelHero} shared the {look} {thing} <adverb>.
  `),
};

const given: Turn = {
  owns: false,
  trouble: patterns(`
    but @ {look} {thing} cost too much in {town}, and {hero} had only <gift>.
    {hero} counted {his} coins <spot>, and they were <adverb> too few.
    "no coins, no {thing}," the seller in {town} <said> <adverb>.
    the shop in {town} wanted three coins, and {hero} had <gift>.
    one day {hero} saw the {look} {thing} sold <adverb> to <reason>.
    but {his} purse held <creature> and no coin for @ {look} {thing}.
  `),
  attempt: patterns(`
    {hero} worked <took> in {town}, but the pay was only <gift>.
    {he} <adverb> sold <gift> by <sight>, yet that brought one coin.
    {hero} asked {his} <kin> for @ {thing}, but got <gift>.
    {he} searched for coins <spot> and <spot> and found <creature>.
    for <took> {hero} saved <adverb>, but then {he} paid for <meal>.
    {hero} sang <adverb> by <sight>, but people only gave <meal>.
  `),
  plan: patterns(`
    {friend} thought of {his} wish and <went> home for something <size>.
    {friend} thought <adverb> of @ {thing} at home <spot>.
    "wait <spot>, {name}," said {friend} <adverb>, and <went> home.
    "close your eyes, {name}," {friend} <said> <adverb>. "Count to ten <pace>."
    "my <kin> left me two," {friend} <said> <adverb>. "One is enough for @ {fwho}."
    {friend} <adverb> hid something <size> behind <fcarry>.
    "you once gave me <gift>, {name}," {friend} <said> <adverb>. "Now wait."
  `),
  deed: patterns(`
    {friend} came back <adverb>, and {hero} was given @ {look} {thing}.
    out of <fcarry> came @ {look} {thing}, given <adverb> to {heroObj}.
    "it is yours, {name}," {friend} <said>. The {look} {thing} was given <adverb>.
    <adverb>, {friend} gave {heroObj} the {look} {thing} <spot>.
    tied with <glue>, @ {look} {thing} was given to {heroObj} <adverb>.
    wrapped in @ <size> leaf, the {look} {thing} was given to {heroObj} <spot>.
  `),
  ending: patterns(`
    so {hero} was given @ {look} {thing}, and @ {feel} {who} could {use}.
    {hero} was {feel}: {friend} had given the {thing}, and {he} would {use}.
    the given {thing} came to {town} <adverb>, and {hero} <adverb> stayed {feel}.
    {aFeelHero} would {use} for <reason> with the {thing} {friend} had given.
    {friend} had given the {look} {thing} <adverb>, and {feelHero} kept it <spot>.
    with the {look} {thing} that was given {at}, {aFeelHero} could {use}.
  `),
};

const made: Turn = {
  owns: false,
  trouble: patterns(`
    but nobody in {town} sold @ {look} {thing}, only <gift> and <gift>.
    the last {look} {thing} in {town} had gone <adverb> to <reason>.
    there was no {thing} <spot> and none <spot>.
    "no {thing} left," the shop in {town} <said> <adverb>. "Take <gift>!"
    {hero} <looked> in all {town}, but @ {look} {thing} was not to be had.
    so {hero} had to make @ {look} {thing}, and knew <adverb> little about it.
  `),
  attempt: patterns(`
    {hero} tried to make it from <gift>, but it was <flaw>.
    alone, {he} cut and tied <adverb>, but the {thing} came out <flaw>.
    {hero} took <tool> and <glue>, yet the <part> was <flaw>.
    for <took> {hero} worked <spot>, but the <part> fell off.
    the first {thing} was <flaw>, the second was <flaw>.
    {he} used <glue> <adverb>, but the <part> was <flaw>.
  `),
  plan: patterns(`
    {friend} <adverb> said that <stuff:stuff> would do, and fetched <tool>.
    {friend} the {fwho} knew a way with <stuff:stuff> and <tool>.
    "make it from <stuff:stuff>, {name}," said {friend} <adverb>.
    "have you tried <stuff:stuff>?" {friend} asked <adverb>, and fetched <tool>.
    {friend} <adverb> brought <stuff:stuff> and <tool> from <sight>.
    "@ {fwho} would take <stuff:stuff>," {friend} <said> <adverb>. "Bring <tool>, {name}."
    "first <stuff:stuff>, then <glue>," said {friend}, and <went> for <tool>.
    {friend} drew @ {thing} in the dust. "We need <stuff:stuff>, {name}."
  `),
  deed: patterns(`
    from {stuff}, {friend} and {hero} made the {look} {thing} <pace>.
    {hero} cut, {friend} tied, and they made @ {look} {thing} with <tool>.
    it took <took>, but they made the {look} {thing} from {stuff}.
    <adverb>, with {stuff} and <glue>, {hero} made @ {look} {thing}.
    {friend} held {stuff}, and {hero} <adverb> made the {look} {thing} <spot>.
    <pace>, they made {stuff} into @ {look} {thing} <spot>.
  `),
  ending: patterns(`
    so the {look} {thing} was made, and {aFeelHero} could {use}.
    {hero} was {feel}: {he} had made @ {thing}, and {he} [now|soon|gladly] would {use}.
    the {thing} they <adverb> made from {stuff} came to {town}, and {hero} <adverb> stayed {feel}.
    @ {feel} {who} <adverb> showed <reason> the {look} {thing} that {he} had made.
    {feelHero} had made the {thing} <adverb>, and {friend} helped to {use}.
    for <reason>, {aFeelHero} would {use} with the {thing} {he} had made.
  `),
};

const lost: Turn = {
  owns: true,
  trouble: patterns(`
    but <time> <taker> took the {look} {thing} from <sight>.
    suddenly <taker> swept the {look} {thing} away past <sight>.
    then <taker> snatched the {look} {thing}, <adverb>, from {heroObj}.
    while <weather>, <taker> carried the {look} {thing} off.
    {hero} put the {look} {thing} down <spot>, and <taker> took it.
    one day {hero} saw <taker> drag the {look} {thing} past <sight>.
  `),
  attempt: patterns(`
    {hero} <went> after it <adverb>, past <sight>, but was too slow.
    {he} reached out with <tool>, but it was <flaw>.
    "come back!" {hero} <said> <adverb>, but the {thing} was far off.
    for <took> {hero} <went> <adverb> by <sight>, but in vain.
    {he} threw <gift> and then <tool>, and both missed.
    {hero} jumped <adverb> <spot>, but the {thing} was out of reach.
  `),
  plan: patterns(`
    {friend} <went> to ask <creature>, <adverb> carrying <tool>.
    "quick, {name}, take <tool>," {friend} <said> <adverb>. "Follow me!"
    "we can try <tool>," {friend} <said> <adverb>. "Or wait <spot>."
    {friend} <adverb> dropped <fcarry> and <went> ahead with <tool>.
    "let us ask <creature>," {friend} <said> <adverb>. "It sees all of {town}."
    {friend} the {fwho} <went> <adverb> past <sight> with <tool>.
    "it may turn up <spot>," {friend} <said> <adverb>. "Come along, {name}!"
  `),
  deed: patterns(`
    they <looked> <spot> and <spot>, but the {look} {thing} was lost.
    even with <tool> and <took>, the {look} {thing} was lost {at}.
    far past <sight>, the {look} {thing} sank from view, lost <adverb>.
    {hero} and {friend} found <gift>, but the {look} {thing} stayed lost.
    it took <took> to see that the {look} {thing} was lost.
    <pace>, they turned back from <sight>: the {look} {thing} was lost.
  `),
  ending: patterns(`
    so the {look} {thing} was lost, and {hero} was {feel}, but {friend} stayed.
    {hero} was {feel}: the {thing} was lost, and nobody could {use}.
    the {thing} was lost, yet {aFeelHero} <went> <adverb> to {town} with {friend}.
    {feelHero} spoke <adverb> of the lost {thing}, and {friend} brought <meal>.
    the {look} {thing} was lost {at}, and @ {feel} {who} <adverb> went home.
    for the lost {thing}, {friend} gave {feelHim} <gift> and <gift>.
  `),
};

const traded: Turn = {
  owns: false,
  trouble: patterns(`
    but the only {look} {thing} belonged to <reason>, <spot>.
    <reason> had the {look} {thing} and kept it <spot>.
    then {hero} saw <reason> in {town} with just such @ {look} {thing}.
    one day <reason> came <adverb> to {town} with @ {look} {thing}.
    the {look} {thing} {at} was owned <adverb> by <reason>.
    <sound>, and there was <reason> {at} with @ {look} {thing}.
  `),
  attempt: patterns(`
    {hero} offered <gift> for it, but that was <flaw>.
    "<gift> for the {thing}?" {hero} <said> <adverb>, but the answer was no.
    {he} <adverb> showed <gift> and <gift>, yet nobody wanted them.
    for <took> {hero} begged <adverb> <spot>, but got a shake of the head.
    {hero} tried <gift>, then <meal>, and neither was enough.
    "would you take <meal>?" {hero} <said> <adverb>, but nobody would.
  `),
  plan: patterns(`
    {friend} <adverb> told {heroObj} to offer <carry:trade> and <gift>.
    "trade <carry:trade>, {name}," said {friend} <adverb>. "It is worth more."
    "have you nothing else, {name}?" {friend} asked <adverb>. "What about <carry:trade>?"
    {friend} pointed <adverb> at <carry:trade>. "Offer that, {name}!"
    "everyone in {town} wants <carry:trade>," {friend} <said> <adverb>.
    "offer <carry:trade> and <gift>," said {friend} <adverb>.
    {friend} knew who in {town} liked <carry:trade>, and <adverb> said so.
  `),
  deed: patterns(`
    so {hero} traded {trade} for the {look} {thing}, <pace>.
    <adverb>, {trade} was traded for the {look} {thing} <spot>.
    {friend} did the talking, and {hero} traded {trade} for the {thing} <pace>.
    it took <took>, but {hero} traded {trade} for the {look} {thing}.
    near <sight> {hero} <adverb> traded {trade} for the {look} {thing}.
    "done!" everyone <adverb> agreed: {trade} was traded for the {look} {thing}.
  `),
  ending: patterns(`
    so the {look} {thing} was traded for {trade}, and {aFeelHero} could {use}.
    {hero} was {feel}: {he} had traded well, and {he} [now|soon|gladly] would {use}.
    the traded {thing} came <adverb> to {town}, and {hero} <adverb> stayed {feel}.
    @ {feel} {who} had traded {trade} and could {use} for <reason>.
    {feelHero} kept the traded {thing} <spot>, and {friend} helped to {use}.
    with the {look} {thing} {he} had traded for, {aFeelHero} could {use}.
  `),
};

const freed: Turn = {
  owns: true,
  trouble: patterns(`
    but <time> the {look} {thing} got stuck <spot:stuck>.
    then the {look} {thing} slipped and was <adverb> stuck <spot:stuck>.
    <creature> pushed the {look} {thing}, and it was stuck <spot:stuck>.
    while <weather>, the {look} {thing} fell and stuck fast <spot:stuck>.
    one day {hero} dropped the {look} {thing}, and it stuck <spot:stuck>.
    {hero} pulled <adverb>, but the {look} {thing} was stuck <spot:stuck>.
  `),
  attempt: patterns(`
    {hero} pushed with <tool>, but it was <flaw>.
    {he} pulled <adverb>, then <adverb>, and the {thing} did not move.
    for <took> {hero} dug {stuck} with <tool>, but it was <flaw>.
    {hero} tried <tool> and <tool>, yet the {thing} sat tight.
    {he} called <creature> to help, but it was <flaw>.
    {hero} poked {stuck} with <tool>, which was <flaw>.
  `),
  plan: patterns(`
    {friend} the {fwho} <went> off <adverb> and brought <tool:tool>.
    "use <tool:tool>, {name}," {friend} <said> <adverb>. "Pull <pace>."
    "two are stronger than one," {friend} <said> <adverb>, and took <tool:tool>.
    {friend} <adverb> fetched <tool:tool> from <sight>.
    "hold tight, {name}," {friend} <said>. "We need <tool:tool> and <took>."
    {friend} <looked> {stuck} and <adverb> asked for <tool:tool>.
    "lift it with <tool:tool>," said {friend} the {fwho} <adverb>.
  `),
  deed: patterns(`
    {hero} <adverb> pulled, {friend} pushed with {tool}, and the {look} {thing} was freed <pace>.
    with {tool}, {friend} and {hero} <adverb> freed the {look} {thing}.
    it took <took> and {tool}, but they freed the {look} {thing}.
    pop! {tool} did it, and the {look} {thing} was <adverb> freed.
    <pace>, {tool} freed the {look} {thing}, and <creature> cheered.
    {friend} counted, {hero} heaved, and {tool} freed the {thing} <adverb>.
  `),
  ending: patterns(`
    so the {look} {thing} was freed, and {aFeelHero} could {use}.
    {hero} was {feel}: the {thing} was freed, and {he} [now|soon|gladly] would {use}.
    the freed {thing} came <adverb> to {town}, and {hero} <adverb> stayed {feel}.
    @ {feel} {who} and {friend} had freed the {thing}, to {use} <time>.
    {feelHero} dried the freed {thing} <spot> and went to {use}.
    for <reason>, {aFeelHero} would {use} with the freed {look} {thing}.
  `),
};

export const TURNS = { found, mended, shared, given, made, lost, traded, freed } as const;

export type TurnName = keyof typeof TURNS;
