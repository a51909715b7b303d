/** The telling of how a thing works: a hero wonders, a friend explains step by step, the hero has learned. */
import { patterns } from "../grammar.js";

export const WONDER = patterns(`
  <time> {hero} wondered {question}, as <weather>.
  "{question}?" {hero} asked <tone>. "Do you know, {friend}?"
  by <sight>, {hero} asked <creature> {question}, but got no answer.
  {hero} saw <sight> and longed to know {question}.
  over <meal>, {hero} asked {friend} {question}.
  one thing made {heroObj} <mood>: nobody could tell {him} {question}.
  <reason> had asked {heroObj} {question}, and {hero} did not know.
  {hero} lay awake <time>, puzzling over {question}.
`);

export const EXPERT = patterns(`
  {friend} the <trait> {fwho} came up with <fcarry> and began to explain.
  luckily, {friend} the <good> {fwho} knew, and sat down <spot>.
  so {hero} <went> to {friend}, @ <trait> {fwho} who <fhabit>.
  {friend}, the <good> {fwho}, put down <fcarry> and explained.
  "ask me, {name}!" called {friend} the {fwho} from <sight>.
  {friend} the {fwho} had read about it <spot>, and smiled.
`);

export const FIRST = patterns(`
  "first, {name}, {step}," {friend} <said> <tone>.
  {friend} pointed to <sight>. "You see, {step}."
  "it begins like this: {step}," {friend} <said>, and passed round <meal>.
  to begin with, {friend} said, {step}.
  "well, {name}," {friend} began. "You should know that {step}."
  {friend} drew <creature> in the dust and explained that {step}.
`);

export const NEXT = patterns(`
  "next, {name}, {step}," {friend} <said> <tone>.
  then, said {friend}, {step}.
  "and so {step}," {friend} <said>, while <sound>.
  "think of <creature>, {name}: {step}," {friend} <said> <tone>.
  {friend} went on over <meal>: {step}.
  {friend} ate some <meal> and added that {step}.
  "after that, {step}," {friend} told {heroObj}, [near|by|beside] <sight>.
  with <tool>, {friend} showed how {step}.
  "and now listen: {step}," {friend} <said>.
  while {hero} thought of <meal>, {friend} explained that {step}.
`);

export const LAST = patterns(`
  "in the end, {name}, {step}," {friend} <said> <tone>.
  "and last, {step}," {friend} <said>, and gave {heroObj} <gift>.
  finally, {friend} said, {step}.
  "that is why {step}," {friend} <said> <tone>, pointing at <creature>.
  so it comes, {friend} said over <meal>, that {step}.
  {friend} showed <gift> and finished: {step}.
`);

export const BETWEEN = patterns(`
  "really?" {hero} asked <tone>, and <looked> <spot>.
  {hero} nodded and thought of <sight> {at}.
  "how odd!" {hero} <said>, and <creature> [jumped|hid|sat up] <spot>.
  {hero} tried it with <tool> and <gift> <spot>.
  <sound>, and {hero} listened over <meal>.
  "go on, {friend}!" {hero} <said> <tone>, eating <meal>.
`);

export const LEARNED = patterns(`
  so {hero} had learned {question}, and was {feel}.
  {hero} was {feel} and told <reason> what {he} had learned: {question}.
  now that {he} had learned {question}, {hero} the {who} felt {feel}.
  the {feel} {who} <went> home, having learned {question}.
  {hero} wrote {question} in a book, {feel} to have learned it.
  {friend} was glad: {aFeelHero} had learned {question}.
`);
