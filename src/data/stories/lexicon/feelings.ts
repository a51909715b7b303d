/** The feelings: how each shows, and what it is like. */

export interface Feeling {
  word: string;
  noun: string;
  /** True where the feeling suits a loss. */
  low: boolean;
  /** True where the feeling suits a good end. */
  high: boolean;
  /** Signs in the past tense, subject included. */
  signs: readonly string[];
}

function feeling(word: string, noun: string, fits: "low" | "high" | "both", signs: string): Feeling {
  return { word, noun, low: fits !== "high", high: fits !== "low", signs: signs.split("; ") };
}

export const FEELINGS: readonly Feeling[] = [
  feeling(
    "happy",
    "happiness",
    "high",
    "{his} heart <adverb> danced; a <sky> smile came <adverb>; {he} <adverb> hummed a tune; {his} eyes <adverb> sparkled; {he} <adverb> clapped; {his} face shone <adverb>",
  ),
  feeling(
    "proud",
    "pride",
    "high",
    "{his} chest <adverb> swelled; {he} stood <adverb> straight; {his} chin went <adverb> up; {he} <adverb> bowed; {his} step grew <adverb> wide; {he} <adverb> showed it to <creature>",
  ),
  feeling(
    "thankful",
    "thanks",
    "high",
    "{he} <adverb> bowed; {his} eyes <adverb> grew wet; {he} <adverb> said so twice; kind words came <adverb>; {his} hands <adverb> folded; {he} <adverb> hugged <creature>",
  ),
  feeling(
    "relieved",
    "relief",
    "high",
    "{he} <adverb> breathed out; {his} shoulders <adverb> dropped; a <hue> weight fell away; {his} knees <adverb> went soft; {he} <adverb> leaned on the <hue> <prop>; {his} frown <adverb> faded",
  ),
  feeling(
    "surprised",
    "surprise",
    "high",
    "{his} mouth <adverb> fell open; {he} <adverb> blinked; {his} eyebrows <adverb> jumped; {he} <adverb> gasped; {his} ears <adverb> tingled; {he} <adverb> dropped the <hue> <prop>",
  ),
  feeling(
    "merry",
    "mirth",
    "high",
    "{he} <adverb> laughed; {his} feet <adverb> tapped; {he} <adverb> spun round; giggles <adverb> bubbled up; {he} <adverb> teased <creature>; {his} voice <adverb> rang out",
  ),
  feeling(
    "calm",
    "calm",
    "both",
    "{his} breath came <adverb>; {his} mind <adverb> grew still; {he} <adverb> sat down; everything seemed <adverb> soft; {he} <adverb> stroked <creature>; {his} hands lay <adverb> still",
  ),
  feeling(
    "hopeful",
    "hope",
    "both",
    "{he} <adverb> looked far ahead; a <hue> light glowed inside; {he} <adverb> made a plan; {he} <adverb> leaned forward; {his} eyes <adverb> lifted; {he} <adverb> waved to <creature>",
  ),
  feeling(
    "brave",
    "courage",
    "both",
    "{his} back <adverb> straightened; {he} <adverb> faced <creature>; {he} <adverb> stood firm; {his} voice was <adverb> firm; {his} fists <adverb> closed; {he} <adverb> jumped over the <hue> <prop>",
  ),
  feeling(
    "sad",
    "sadness",
    "low",
    "tears <adverb> rolled down; {his} head <adverb> hung; {he} <adverb> sniffed; {his} throat <adverb> ached; {he} <adverb> wept by the <hue> <prop>; {his} lips <adverb> trembled",
  ),
  feeling(
    "lonely",
    "loneliness",
    "low",
    "the world felt <adverb> big; {he} <adverb> hugged <creature>; the silence <adverb> grew; {he} <adverb> stared down; {his} arms hung <adverb>; {he} <adverb> sat by the <hue> <prop>",
  ),
  feeling(
    "sorry",
    "regret",
    "low",
    "{his} cheeks <adverb> burned; {he} <adverb> looked away; {his} voice <adverb> cracked; {he} <adverb> shook {his} head; {his} chin <adverb> sank; {he} <adverb> kicked the <hue> <prop>",
  ),
];
