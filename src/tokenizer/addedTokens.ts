/** Added tokens, which are looked for in a text before anything else. */

type Json = Record<string, unknown>;

/** Whether a token has rules of its own about its surroundings. */
export function hasRules({ lstrip, rstrip, single_word }: Json): boolean {
  return Boolean(lstrip || rstrip || single_word);
}

/** A text in parts: at odd places tokens, at even ones what lies between. Of the tokens that begin at a place the longest counts, as upstream. */
export function createSplitter(tokens: readonly string[]): (text: string) => string[] {
  const isFirst = new Uint8Array(2 ** 16);
  const byFirst = new Map<number, string[]>();
  for (const token of tokens.toSorted((a, b) => b.length - a.length)) {
    if (token === "") continue;
    const first = token.charCodeAt(0);
    isFirst[first] = 1;
    byFirst.set(first, [...(byFirst.get(first) ?? []), token]);
  }
  const tokenAt = (text: string, at: number) =>
    byFirst.get(text.charCodeAt(at))?.find((token) => text.startsWith(token, at));
  return (text) => {
    const parts: string[] = [];
    let begin = 0;
    for (let at = 0; at < text.length; at++) {
      const token = isFirst[text.charCodeAt(at)] ? tokenAt(text, at) : undefined;
      if (token === undefined) continue;
      parts.push(text.slice(begin, at), token);
      begin = at + token.length;
      at = begin - 1;
    }
    return [...parts, text.slice(begin)];
  };
}
