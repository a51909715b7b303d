/**
 * Writes the measures of scripts/measure.sh into a model's card, between the lines <!-- NAME --> and <!-- end NAME -->
 * (measures, labels, pairs). Usage: node scripts/card.mjs [MODEL [FOLDER]], as scripts/measure.sh.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const [model = "pocket", folder = join("runs/measures", basename(model))] = process.argv.slice(2);
const measured = (name) => JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"));
const own = measured("generator").bitsPerByte;

const interval = ({ value, low, high }, digits = 2) =>
  `${value.toFixed(digits)} [${low.toFixed(digits)}, ${high.toFixed(digits)}]`;
const percent = (share) => `${(share * 100).toFixed(1)} %`;

/** A row of the table: what is measured, of which file, and what is wanted of generated and of natural texts. */
const ROWS = [
  [
    "base, bits per byte",
    "64",
    (m) => interval(m.bitsPerByte, 3),
    `${(1.15 * own).toFixed(3)} (1.15 x own ${own.toFixed(4)})`,
    "1.1, goal 1.0",
  ],
  ["64 tokens rebuilt: edit similarity", "64", (m) => interval(m.editSimilarity), "0.90", "0.45"],
  ["64 tokens rebuilt: BLEU-4", "64", (m) => interval(m.bleu4, 1), "80", "25"],
  ["16 tokens rebuilt: edit similarity", "16", (m) => interval(m.editSimilarity), "0.97", "0.75"],
  [
    "sentences up to 32 tokens, exact",
    "sentences",
    (m) => `${percent(m.exactMatch.value)} of ${m.sentences}`,
    "60 %",
    "",
  ],
  ["loss with z over the base's, 64 tokens", "64", (m) => interval(m.lossRatio), "0.35", "0.6"],
  ["loss with z over the base's, 16 tokens", "16", (m) => interval(m.lossRatio), "", ""],
  ["right tokens, teacher-forced, 64 tokens", "64", (m) => interval(m.forcedTokenAccuracy), "", ""],
  ["right tokens, teacher-forced, 16 tokens", "16", (m) => interval(m.forcedTokenAccuracy), "", ""],
  [
    "loss with the z of another span, 64 tokens (base)",
    "64",
    (m) => `${interval(m.lossShuffled)} (${m.lossBase.value.toFixed(2)})`,
    "",
    "",
  ],
  ["half-way of two spans: words of both ends", "blends", (m) => interval(m.bothEnds), "0.5", "0.5"],
  ["half-way: loss over the mean of the ends, nats", "blends", (m) => interval(m.fluencyDip), "0.5", "0.5"],
  ["averaged prose: known words", "prose", (m) => interval(m.written.knownWords, 3), "0.98", "0.98"],
  [
    "averaged prose: repeated 4-grams (the text's own)",
    "prose",
    (m) => `${percent(m.written.repeatedGrams.value)} (${percent(m.texts.repeatedGrams.value)})`,
    "1.5 times",
    "1.5 times",
  ],
];

function measures() {
  const rows = ROWS.map(([what, file, figure, ...wanted]) => {
    const [generated, natural] = ["generated", "natural"].map((text) => figure(measured(`${text}-${file}`)));
    return [what, generated, wanted[0], natural, wanted[1]];
  });
  return table([["", "(a) generated", "wanted", "(b) natural", "wanted"], ...rows]);
}

function labels() {
  const [a, d] = [measured("arithmetic"), measured("disentanglement")];
  return `Arithmetic, \`bigvae eval --measure arithmetic\`: z3 + z2 - z1, which should change one labelled factor, does so in ${interval(a.changed)} of
${a.cases} cases (z3 alone: ${interval(a.changedByChance)}) and keeps ${interval(a.kept)} of the other factors (z3 alone: ${interval(a.keptUnchanged)}).
Disentanglement, \`bigvae eval --measure disentanglement\`: z-min-var ${d.zMinVar.toFixed(2)} over ${d.sentences} labelled sentences, ${d.shuffled.toFixed(2)} with
exchanged labels, chance ${d.chance.toFixed(2)}.`;
}

function pairs() {
  const cell = (text) => text.split(/\s+/).join(" ").replaceAll("|", "\\|").trim();
  const rows = measured("generated-blends").examples.map(({ from, blend, to }) => [from, blend, to].map(cell));
  return table([["from", "half-way", "to"], ...rows]);
}

function table([head, ...rows]) {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

const path = join(model, "README.md");
let card = readFileSync(path, "utf8");
for (const [name, text] of Object.entries({ measures: measures(), labels: labels(), pairs: pairs() })) {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- end ${name} -->`];
  const [from, to] = [card.indexOf(begin), card.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${path}: expected ${begin} and ${end}, got none; add these lines`);
  card = `${card.slice(0, from)}${begin}\n${text}\n${card.slice(to)}`;
}
writeFileSync(path, card);
