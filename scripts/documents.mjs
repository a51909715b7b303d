/** What card.mjs and fidelity.mjs share: figures as text, tables, and the lines of a document between which they stand. */
import { readFileSync, writeFileSync } from "node:fs";

/** 0.91 [0.88, 0.94] */
export const interval = ({ value, low, high }, digits = 2) =>
  `${value.toFixed(digits)} [${low.toFixed(digits)}, ${high.toFixed(digits)}]`;

/** With its sign: +0.12 [+0.05, +0.19] */
export const signed = ({ value, low, high }) => {
  const [a, b, c] = [value, low, high].map((x) => `${x < 0 ? "-" : "+"}${Math.abs(x).toFixed(2)}`);
  return `${a} [${b}, ${c}]`;
};

export const percent = (share) => `${(share * 100).toFixed(1)} %`;

/** A Markdown table, the first row its head. */
export function table([head, ...rows]) {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** A rule of blends, or a kind of points, by name. */
export const ruleName = ({ rule, point = rule, guidance }) => (guidance ? `${point}, guided` : point);

/** Blends of both kinds of texts, of spans and of sentences, by each rule; `measured(NAME)` gives the report of a file. */
export function blendTable(measured) {
  const units = { spans: "blends", sentences: "sentence-blends" };
  const rows = ["generated", "natural"].flatMap((text) =>
    Object.entries(units).flatMap(([unit, file]) =>
      measured(`${text}-${file}`).blends.map((each) => [
        `${text}, ${unit}`,
        ruleName(each),
        interval(each.bothEnds),
        signed(each.fluencyDip),
        interval(each.knownWords, 3),
      ]),
    ),
  );
  return table([["of", "rule", "words of both ends", "base loss over the ends'", "known words"], ...rows]);
}

/** Writes each text into the file between the lines <!-- NAME --> and <!-- end NAME -->. */
export function fill(path, texts) {
  let document = readFileSync(path, "utf8");
  for (const [name, text] of Object.entries(texts)) {
    const [begin, end] = [`<!-- ${name} -->`, `<!-- end ${name} -->`];
    const [from, to] = [document.indexOf(begin), document.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`${path}: expected ${begin} and ${end}, got none; add these lines`);
    document = `${document.slice(0, from)}${begin}\n${text}\n${document.slice(to)}`;
  }
  writeFileSync(path, document);
}
