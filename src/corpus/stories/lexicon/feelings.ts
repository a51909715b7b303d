/** The feelings: how each shows, and what it is like. */

export interface Feeling {
  word: string;
  /** True where the feeling suits a loss. */
  low: boolean;
  /** True where the feeling suits a good end. */
  high: boolean;
  /** Signs in the past tense, subject included. */
  signs: readonly string[];
}

function feeling(word: string, fits: "low" | "high" | "both", signs: string): Feeling {
  return { word, low: fits !== "high", high: fits !== "low", signs: signs.split("; ") };
}

export const FEELINGS: readonly Feeling[] = [
  feeling(
    "happy",
    "high",
    "{his} heart danced; {he} could not stop smiling; {he} hummed a tune; {his} eyes sparkled; {he} clapped; {his} face shone",
  ),
  feeling(
    "proud",
    "high",
    "{his} chest swelled; {he} stood up straight; {his} chin went up; {he} bowed; {he} walked like a king; {he} told <creature> about it",
  ),
  feeling(
    "thankful",
    "high",
    "{he} bowed; {his} eyes grew wet; {he} said so twice; {he} could hardly speak; {he} bowed to everyone; {he} hugged <creature>",
  ),
  feeling(
    "relieved",
    "high",
    "{he} breathed out; {his} shoulders dropped; it was as if a weight had fallen; {his} knees went soft; {he} leaned on the <prop>; {his} frown faded",
  ),
  feeling(
    "surprised",
    "high",
    "{his} mouth fell open; {he} blinked; {his} eyebrows jumped; {he} gasped; {his} ears tingled; {he} dropped the <prop>",
  ),
  feeling(
    "merry",
    "high",
    "{he} laughed; {his} feet tapped; {he} spun round; giggles bubbled up; {he} teased <creature>; {his} voice rang out",
  ),
  feeling(
    "calm",
    "both",
    "{he} breathed slowly; {his} mind grew still; {he} sat down; everything seemed simple; {he} stroked <creature>; {his} hands lay still",
  ),
  feeling(
    "hopeful",
    "both",
    "{he} looked far ahead; {he} began to hum; {he} made a plan; {he} leaned forward; {his} eyes lifted; {he} waved to <creature>",
  ),
  feeling(
    "brave",
    "both",
    "{his} back straightened; {he} faced <creature>; {he} stood firm; {his} voice did not shake; {his} fists closed; {he} took a step forward",
  ),
  feeling(
    "sad",
    "low",
    "tears rolled down; {his} head hung; {he} sniffed; {his} throat ached; {he} wept by the <prop>; {his} lips trembled",
  ),
  feeling(
    "lonely",
    "low",
    "the world felt too big; {he} hugged <creature>; the silence grew; {he} stared down; nobody was there to talk to; {he} sat by the <prop>",
  ),
  feeling(
    "sorry",
    "low",
    "{his} cheeks burned; {he} looked away; {his} voice cracked; {he} shook {his} head; {his} chin sank; {he} kicked the <prop>",
  ),
];
