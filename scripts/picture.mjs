/** Draws what a command printed as a terminal window: `bigvae demo | node scripts/picture.mjs "npm start" > docs/demo.svg`. */
import { text as readAll } from "node:stream/consumers";
import { escaped } from "./chart.mjs";

const COLUMNS = 96;
const [CHAR, LINE, MARGIN, BAR] = [7.83, 19, 20, 36];

const STYLE = `
  text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; fill: #d6deeb; white-space: pre }
  .heading { font-weight: 700; fill: #ffffff }
  .same { fill: #8bd49c }
  .differs { fill: #f2a07b }
  .aside { fill: #8492a6 }`;

/** The class of a line of the demo, by how it begins. */
const CLASSES = [
  ["heading", /^(\d\. |Go on|\$ )/],
  ["same", /^ {2}= /],
  ["differs", /^ {2}≠ /],
  ["aside", /^ {2}\(/],
];

const [title = ""] = process.argv.slice(2);
const printed = (await readAll(process.stdin)).trim().split("\n");
const lines = [`$ ${title}`, "", ...printed].flatMap((line) => {
  const [name = ""] = CLASSES.find(([, begins]) => begins.test(line)) ?? [];
  return wrapped(line).map((text) => ({ text, name }));
});
const width = Math.ceil(COLUMNS * CHAR) + 2 * MARGIN;
const height = BAR + lines.length * LINE + MARGIN;
process.stdout.write(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img">
<title>${escaped(title)}</title>
<style>${STYLE}
</style>
<rect width="${width}" height="${height}" rx="9" fill="#111827"/>
${["#f26d6d", "#f2c14e", "#6bc46d"].map((colour, i) => `<circle cx="${MARGIN + 18 * i}" cy="18" r="5.5" fill="${colour}"/>`).join("")}
${lines.map(({ text, name }, i) => `<text xml:space="preserve" x="${MARGIN}" y="${BAR + (i + 0.7) * LINE}"${name ? ` class="${name}"` : ""}>${escaped(text)}</text>`).join("\n")}
</svg>
`);

/** A line in pieces of at most COLUMNS characters, cut at blanks, with the indent of the first. */
function wrapped(line) {
  const indent = /^ */.exec(line)[0];
  const pieces = [];
  let rest = line;
  while (rest.length > COLUMNS) {
    const blank = rest.lastIndexOf(" ", COLUMNS);
    const end = blank > indent.length ? blank : COLUMNS;
    pieces.push(rest.slice(0, end));
    rest = indent + rest.slice(end).trimStart();
  }
  return [...pieces, rest];
}
