/** Texts cut into sentences, by the Unicode rules (UAX 29) that come with JavaScript. */

const SEGMENTER = new Intl.Segmenter("en", { granularity: "sentence" });

/** What ends a sentence by the Unicode rules but not for a reader. */
const ABBREVIATION = /(?:^|[\s("'])(?:Mr|Mrs|Ms|Dr|St|Prof|vs|etc|e\.g|i\.e)\.$/;

interface Sentence {
  /** Trimmed. */
  text: string;
  /** Where it ends in the text, white space behind it included. */
  end: number;
}

/**
 * The sentences of a text, trimmed. What an abbreviation, an open quotation mark or a small letter behind the mark shows to go on is
 * kept together: `"Is it you?" asked the owl.` is one sentence.
 */
export function splitSentences(text: string): string[] {
  return sentencesOf(text).map(({ text }) => text);
}

/** Where each sentence of a text ends. */
export function sentenceEnds(text: string): number[] {
  return sentencesOf(text).map(({ end }) => end);
}

function sentencesOf(text: string): Sentence[] {
  const sentences: Sentence[] = [];
  let pending: Sentence | undefined;
  for (const { segment, index } of SEGMENTER.segment(text)) {
    const next = { text: segment.trim(), end: index + segment.length };
    const goesOn = pending && next.text !== "" && (isOpen(pending.text) || /^\p{Ll}/u.test(next.text));
    // A blank line is a segment of its own; it ends the paragraph even within an open quotation.
    if (pending && !goesOn) sentences.push(pending);
    if (pending && goesOn) pending = { text: `${pending.text} ${next.text}`, end: next.end };
    else pending = next.text === "" ? undefined : next;
  }
  if (pending) sentences.push(pending);
  return sentences;
}

function isOpen(text: string): boolean {
  return ABBREVIATION.test(text) || (text.match(/"/g) ?? []).length % 2 === 1;
}
