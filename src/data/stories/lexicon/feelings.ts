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
    "{his} heart danced; a wide smile came; {he} <adverb> hummed a tune; {his} eyes sparkled",
  ),
  feeling(
    "proud",
    "pride",
    "high",
    "{his} chest swelled; {he} <adverb> stood very straight; {his} chin went up; {he} felt a head taller",
  ),
  feeling(
    "thankful",
    "thanks",
    "high",
    "{he} <adverb> bowed low; {his} eyes grew wet; {he} could not say it often enough; kind words came",
  ),
  feeling(
    "relieved",
    "relief",
    "high",
    "{he} <adverb> let out a long breath; {his} shoulders dropped; a weight fell away; {his} knees went soft",
  ),
  feeling(
    "surprised",
    "surprise",
    "high",
    "{his} mouth fell open; {he} <adverb> blinked twice; {his} eyebrows jumped; {he} <adverb> gasped",
  ),
  feeling(
    "merry",
    "mirth",
    "high",
    "{he} <adverb> laughed out loud; {his} feet tapped; {he} <adverb> spun round; giggles bubbled up",
  ),
  feeling(
    "calm",
    "calm",
    "both",
    "{his} breath came slowly; {his} mind grew still; {he} sat quietly; everything seemed soft",
  ),
  feeling(
    "hopeful",
    "hope",
    "both",
    "{he} looked at the horizon; a small light glowed inside; {he} <adverb> made a new plan; {he} <adverb> leaned forward",
  ),
  feeling(
    "brave",
    "courage",
    "both",
    "{his} back straightened; {he} <adverb> set {his} jaw; {he} did not tremble; {his} voice was firm",
  ),
  feeling(
    "sad",
    "sadness",
    "low",
    "tears rolled down; {his} head hung; {he} <adverb> sniffed; a lump sat in {his} throat",
  ),
  feeling(
    "lonely",
    "loneliness",
    "low",
    "the world felt big; {he} <adverb> hugged {his} knees; the silence was wide; {he} <adverb> stared at the ground",
  ),
  feeling(
    "sorry",
    "regret",
    "low",
    "{his} cheeks burned; {he} <adverb> twisted {his} sleeve; {his} voice cracked; {he} <adverb> looked away",
  ),
];
