/** Texts cut into sentences, by the Unicode rules (UAX 29) that come with JavaScript. */

const SEGMENTER = new Intl.Segmenter("en", { granularity: "sentence" });

/** Ends a sentence for the Unicode rules, but not for a reader. */
const ABBREVIATION = /(?:^|[\s("'])(?:Mr|Mrs|Ms|Dr|St|Prof|vs|etc|e\.g|i\.e)\.$/;

/**
 * The sentences of a text, trimmed. What an abbreviation, an open quotation mark or a small letter behind the mark shows to go on is
 * kept together: `"Is it you?" asked the owl.` is one sentence.
 */
export function splitSentences(text: string): string[] {
  const sentences: string[] = [];
  let pending = "";
  for (const { segment } of SEGMENTER.segment(text)) {
    const next = segment.trim();
    const goesOn = pending !== "" && next !== "" && (isOpen(pending) || /^\p{Ll}/u.test(next));
    // A line without text is a segment of its own, and ends the paragraph whatever stands open in it.
    if (pending !== "" && !goesOn) sentences.push(pending);
    pending = goesOn ? `${pending} ${next}` : next;
  }
  if (pending !== "") sentences.push(pending);
  return sentences;
}

function isOpen(text: string): boolean {
  return ABBREVIATION.test(text) || (text.match(/"/g) ?? []).length % 2 === 1;
}
