/**
 * Texts of four kinds that have little in common, as JSON lines for `bigvae eval --measure experts`: code (src/), documents (Markdown of this repository), stories
 * (data/stories) and plain sentences of the generator. Every tenth file or text is for validation, every tenth for test.
 *   node scripts/kinds.mjs runs/kinds.jsonl        (after npm run build)
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { plainSentences } from "../dist/corpus/plain/sentences.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const [output] = process.argv.slice(2);
if (output === undefined) {
  console.error("usage: node scripts/kinds.mjs OUTPUT.jsonl");
  process.exit(2);
}

/** Texts of a kind, in groups that stay within one split. */
const STORIES = 600;
const SENTENCES = { texts: 600, perText: 14 };
/** Lines of a piece of code, and characters of a piece of a document at least. */
const [LINES, CHARACTERS] = [30, 700];

const filesBelow = (folder, ending) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(ending) && !path.includes("node_modules"))
    .sort()
    .map((path) => readFileSync(join(root, folder, path), "utf8"));

function piecesOfLines(text) {
  const lines = text.split("\n");
  return Array.from({ length: Math.ceil(lines.length / LINES) }, (_, i) =>
    lines.slice(i * LINES, (i + 1) * LINES).join("\n"),
  );
}

function piecesOfParagraphs(text) {
  const pieces = [];
  let piece = "";
  for (const paragraph of text.split("\n\n")) {
    piece += `${paragraph}\n\n`;
    if (piece.length < CHARACTERS) continue;
    pieces.push(piece);
    piece = "";
  }
  return [...pieces, piece];
}

function stories() {
  const lines = gunzipSync(readFileSync(join(root, "data/stories/stories-000.jsonl.gz")))
    .toString("utf8")
    .split("\n");
  return lines.slice(0, STORIES).map((line) => [JSON.parse(line).text]);
}

const documents = [
  ...filesBelow("docs", ".md"),
  ...["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "pocket/README.md"].map((path) =>
    readFileSync(join(root, path), "utf8"),
  ),
];
const kinds = {
  code: filesBelow("src", ".ts")
    .filter((text) => !text.includes('from "vitest"'))
    .map(piecesOfLines),
  // Pieces are a group each: a document is too large a part of its kind.
  documents: documents.flatMap(piecesOfParagraphs).map((piece) => [piece]),
  stories: stories(),
  sentences: Array.from(plainSentences(1, SENTENCES.texts, 0, SENTENCES.perText), ({ text }) => [text]),
};

const splitOf = (group) => (group % 10 === 3 ? "validation" : group % 10 === 7 ? "test" : "train");
const records = Object.entries(kinds).flatMap(([kind, groups]) =>
  groups.flatMap((pieces, group) =>
    pieces
      .filter((text) => text.trim() !== "")
      .map((text, i) => ({ id: `${kind}-${group}-${i}`, kind, split: splitOf(group), text })),
  ),
);
writeFileSync(output, records.map((record) => `${JSON.stringify(record)}\n`).join(""));
for (const kind of Object.keys(kinds)) {
  const own = records.filter((record) => record.kind === kind);
  console.log(`${kind}: ${own.length} texts, ${own.filter(({ split }) => split === "test").length} for test`);
}
