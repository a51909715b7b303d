/** The telling of how a thing works: a hero wonders, a friend explains step by step, the hero has learned. */
import { patterns } from "../grammar.js";

export const WONDER = patterns(`
  <time> {hero} <adverb> wondered {question}, for <weather>.
  "{question}?" {hero} <said> <adverb>. "Do you know, {friend}?"
  by <sight>, {hero} asked <creature> {question}, but got no answer.
  {hero} saw <sight> and longed to know {question}.
  over <meal>, {hero} <adverb> asked {friend} {question}.
  one thing made {heroObj} <mood>: nobody could tell {him} {question}.
  <reason> had asked {heroObj} {question}, and {hero} did not know.
  {hero} lay awake <time>, puzzling <adverb> over {question}.
`);

export const EXPERT = patterns(`
  {friend} the <trait> {fwho} <went> up with <fcarry> and <adverb> began.
  luckily, {friend} the <good> {fwho} knew, and sat down <spot>.
  so {hero} <went> to {friend}, @ <trait> {fwho} who <fhabit>.
  {friend}, the <good> {fwho}, put down <fcarry> and <adverb> explained.
  "ask me, {name}!" <said> {friend} the <trait> {fwho} from <sight>.
  {friend} the {fwho} had read about it <spot>, and <adverb> smiled.
`);

export const FIRST = patterns(`
  "first, <trait> {name}, {step}," {friend} <said> <adverb>.
  {friend} <adverb> pointed to <sight>. "You see, {step}."
  "it begins like this: {step}," {friend} <adverb> <said>, and cut <meal>.
  to begin with, {friend} <adverb> <said>, {step}.
  "well, {name}," {friend} began <adverb>. "You should know, <trait> {name}, that {step}."
  {friend} drew <creature> in the dust and <adverb> told that {step}.
`);

export const NEXT = patterns(`
  "next, <trait> {name}, {step}," {friend} <said> <adverb>.
  then, {friend} <said> <adverb>, {step}.
  "and so {step}," {friend} <adverb> <said>, while <sound>.
  "think of <creature>, {name}: {step}," {friend} <said> <adverb>.
  {friend} <adverb> went on over <meal>: {step}.
  {friend} ate some <meal> and added that {step}.
  "after that, {step}," {friend} told {heroObj} <adverb>, [near|by|beside] <sight>.
  with <tool>, {friend} <adverb> showed how {step}.
  "and now listen <adverb>: {step}," {friend} <said>.
  while {hero} thought <adverb> of <meal>, {friend} <said> that {step}.
`);

export const LAST = patterns(`
  "in the end, <trait> {name}, {step}," {friend} <said> <adverb>.
  "and last, {step}," {friend} <said>, and gave {heroObj} <gift>.
  finally, {friend} <adverb> <said>, {step}.
  "that is why {step}," {friend} <said> <adverb>, pointing at <creature>.
  so it comes, {friend} <said> <adverb> over <meal>, that {step}.
  {friend} showed <gift> and finished <adverb>: {step}.
`);

export const BETWEEN = patterns(`
  "really?" {hero} <said> <adverb>, and <looked> <spot>.
  {hero} nodded <adverb> and thought of <sight> {at}.
  "how odd!" {hero} <said>, and <creature> [jumped|hid|sat up] <spot>.
  {hero} <adverb> tried it with <tool> and <gift> <spot>.
  <sound>, and {hero} listened <adverb> over <meal>.
  "go on, {friend}!" {hero} <said> <adverb>, chewing <meal>.
`);

export const LEARNED = patterns(`
  so {hero} had learned {question}, and was {feel} <time>.
  {feel}, {hero} told <reason> what {he} had learned: {question}.
  now that {he} had learned {question}, {hero} the {who} <adverb> felt {feel}.
  @ {feel} {who} <went> home <adverb>, having learned {question}.
  {hero} wrote {question} in a book, {feel} to have learned it <adverb>.
  {friend} was <adverb> glad: {aFeelHero} had learned {question}.
`);
