/**
 * Writes the measures of scripts/measure.sh into a model's card, between the lines <!-- NAME --> and <!-- end NAME -->
 * (measures, labels, pairs). Usage: node scripts/card.mjs [MODEL [FOLDER]], as scripts/measure.sh.
 */
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { blendTable, fill, interval, percent, ruleName, signed, table } from "./documents.mjs";
import { soundParagraphs } from "./paragraphs.mjs";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const [model = "pocket", folder = join("runs/measures", basename(model))] = process.argv.slice(2);
const measured = (name) => JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"));
const own = measured("generator").bitsPerByte;
const TEXTS = ["generated", "natural"];

/** The rule with the lowest loss among those whose share reaches what is wanted; where none does, the one with the highest share. */
function bestRule({ blends }, share, wanted) {
  const enough = blends.filter((each) => each[share].value >= wanted);
  const [best] =
    enough.length > 0
      ? enough.toSorted((a, b) => a.fluencyDip.value - b.fluencyDip.value)
      : blends.toSorted((a, b) => b[share].value - a[share].value);
  return best;
}
const bestOfSpans = (m, text) => bestRule(m, "bothEnds", text === "generated" ? 0.8 : 0.85);
const bestOfSentences = (m) => bestRule(m, "knownWords", 0.99);

/** The points of these kinds with the least loss. A medoid is a text's own latent, so that it is not asked for here. */
const bestPoint = ({ points }, kinds) =>
  points.filter(({ point }) => kinds.includes(point)).toSorted((a, b) => a.excess.value - b.excess.value)[0];
const named = (figure, each) => `${figure} (${ruleName(each)})`;

/** A row of the table: what is measured, of which file, the figure of its report and kind of texts, and what is wanted of both kinds. */
const ROWS = [
  [
    "base, bits per byte",
    "64",
    (m) => interval(m.bitsPerByte, 3),
    `${(1.15 * own).toFixed(3)} (1.15 x own ${own.toFixed(4)})`,
    "1.1, goal 1.0",
  ],
  ["64 tokens rebuilt: edit similarity", "64", (m) => interval(m.editSimilarity), "0.97", "0.95"],
  ["64 tokens rebuilt: BLEU-4", "64", (m) => interval(m.bleu4, 1), "92", "88"],
  ["32 tokens rebuilt: edit similarity", "32", (m) => interval(m.editSimilarity), "0.99", "0.98"],
  ["32 tokens rebuilt: BLEU-4", "32", (m) => interval(m.bleu4, 1), "", ""],
  ["16 tokens rebuilt: edit similarity", "16", (m) => interval(m.editSimilarity), "", ""],
  [
    "32 tokens, z a sample at variance 1: edit similarity",
    "32",
    (m) => interval(m.editSimilaritySampled),
    "0.90",
    "0.85",
  ],
  [
    "sentences up to 32 tokens, exact",
    "sentences",
    (m) => `${percent(m.exactMatch.value)} of ${m.sentences}`,
    "92 %",
    "92 %",
  ],
  ["loss with z over the base's, 64 tokens", "64", (m) => interval(m.lossRatio), "", ""],
  [
    "loss with the z of another span, 64 tokens (base)",
    "64",
    (m) => `${interval(m.lossShuffled)} (${m.lossBase.value.toFixed(2)})`,
    "",
    "",
  ],
  [
    "half-way of two spans: words of both ends",
    "blends",
    (m, text) => named(interval(bestOfSpans(m, text).bothEnds), bestOfSpans(m, text)),
    "0.80",
    "0.85",
  ],
  [
    "half-way of two spans: base loss over the mean of the ends', nats",
    "blends",
    (m, text) => signed(bestOfSpans(m, text).fluencyDip),
    "+0.25",
    "+0.25",
  ],
  [
    "half-way of two sentences: known words",
    "sentence-blends",
    (m) => named(interval(bestOfSentences(m).knownWords, 3), bestOfSentences(m)),
    "0.99",
    "0.99",
  ],
  [
    "half-way of two sentences: base loss over the mean of the ends', nats",
    "sentence-blends",
    (m) => signed(bestOfSentences(m).fluencyDip),
    "+0.5",
    "+0.5",
  ],
  [
    "mean of four spans: base loss over the texts' own, nats",
    "space",
    (m) => pointFigure(m, ["mean", "normKept"]),
    "+0.2",
    "+0.2",
  ],
  [
    "random z: base loss over the texts' own, nats",
    "space",
    (m) => pointFigure(m, ["aggregate", "random"]),
    "+0.4",
    "+0.4",
  ],
  ["next span found first", "retrieval", (m) => found(m, "recallAt1"), "", ""],
  ["next span among the first ten", "retrieval", (m) => found(m, "recallAt10"), "", ""],
  ["shared factors of the five nearest", "retrieval", factors, "", ""],
  ["averaged prose: known words", "prose-thread", (m) => interval(m.written.knownWords, 3), "0.98", "0.98"],
  ["averaged prose: repeated 4-grams (the text's own)", "prose-thread", repeated, "1.5 times", "1.5 times"],
  ["averaged prose: empty spans", "prose-thread", (m) => percent(m.emptySpans.value), "2 %", "2 %"],
  [
    "averaged prose: base loss over plain sampling's, nats",
    "prose-thread",
    (m) => signed(m.lossAbovePlain),
    "+0.4",
    "+0.4",
  ],
  ["averaged prose: topic kept (plain sampling)", "prose-thread", topics, "80 %", "80 %"],
];

function pointFigure(m, kinds) {
  const best = bestPoint(m, kinds);
  return named(signed(best.excess), best);
}

/** By the best match of slots, beside words. */
function found({ nextSpan }, recall) {
  return `${interval(nextSpan.match[recall])} (TF-IDF ${nextSpan.tfIdf[recall].value.toFixed(2)})`;
}

function factors({ sharedFactor }) {
  if (!sharedFactor) return "";
  const { match, tfIdf, chance } = sharedFactor.precisionAt5;
  return `${interval(match)} (TF-IDF ${tfIdf.value.toFixed(2)}, chance ${chance.toFixed(2)})`;
}

function repeated({ written, texts }) {
  return `${percent(written.repeatedGrams.value)} (${percent(texts.repeatedGrams.value)})`;
}

function topics({ topicKept, plainTopicKept }) {
  return `${percent(topicKept.value)} (${percent(plainTopicKept.value)})`;
}

function measures() {
  const rows = ROWS.map(([what, file, figure, ...wanted]) => {
    const [generated, natural] = TEXTS.map((text) => figure(measured(`${text}-${file}`), text));
    return [what, generated, wanted[0], natural, wanted[1]];
  });
  return table([["", "(a) generated", "wanted", "(b) natural", "wanted"], ...rows]);
}

function labels() {
  const [a, d, plain] = [measured("arithmetic"), measured("disentanglement"), measured("plain-sentences")];
  const { sound, runs } = soundParagraphs(folder);
  const exact = Math.round(plain.exactMatch.value * plain.sentences);
  return `Plain sentences, \`bigvae eval --data data/plain-sentences.txt --measure sentences\`: ${exact} of ${plain.sentences} come back as they were (wanted: 50), edit similarity ${interval(plain.editSimilarity)}.
Arithmetic, \`bigvae eval --measure arithmetic\`: z3 + z2 - z1, which should change one labelled factor, does so in ${interval(a.changed)} of
${a.cases} cases (wanted: 0.45; z3 alone: ${interval(a.changedByChance)}) and keeps ${interval(a.kept)} of the other factors (z3 alone: ${interval(a.keptUnchanged)}).
Disentanglement, \`bigvae eval --measure disentanglement\`: z-min-var ${d.zMinVar.toFixed(2)} over ${d.sentences} labelled sentences, ${d.shuffled.toFixed(2)} with
exchanged labels, chance ${d.chance.toFixed(2)}.
The paragraph of \`bigvae demo\`, seeds 0 to 9: ${sound} of ${runs} have no empty span, no word that the corpus does not have, and no four words twice.

Half-way points by rule, \`bigvae eval --measure blends\`, of spans and with \`--unit sentence\` of sentences; guided: the base mends them.

${blendTable(measured)}

Points that no text has, \`bigvae eval --measure space\`: base loss over that of the texts' own spans, nats.

${pointTable()}

Averaged prose by preset of avg and rule, \`bigvae eval --measure prose --preset NAME --averaging RULE\`: three spans from the beginnings of twelve texts, four
drafts each. Plain sampling by the base is beside them; losses are the base's, nats per token.

${proseTable()}`;
}

/** Presets and rules of avg, with their files. */
const PROSE = {
  "thread, mean": "prose-thread",
  "thread, mean at its norm": "prose-thread-normKept",
  "thread, medoid": "prose-thread-medoid",
  "thread, one draft": "prose-thread-one",
  "repository, mean": "prose-repository",
};

function proseTable() {
  const rows = Object.entries(PROSE).flatMap(([name, file]) =>
    TEXTS.map((text) => {
      const m = measured(`${text}-${file}`);
      const { knownWords, repeatedGrams } = m.written;
      return [name, text, signed(m.lossAbovePlain), interval(knownWords, 3), percent(repeatedGrams.value), topics(m)];
    }),
  );
  return table([
    ["preset, rule", "texts", "loss over plain sampling's", "known words", "repeated 4-grams", "topic kept (plain)"],
    ...rows,
  ]);
}

function pointTable() {
  const [generated, natural] = TEXTS.map((text) => measured(`${text}-space`));
  const rows = generated.points.map((each, i) => [
    ruleName(each),
    signed(each.excess),
    signed(natural.points[i].excess),
  ]);
  const own = ["the texts' own loss", interval(generated.lossOwn), interval(natural.lossOwn)];
  return table([["point", "generated", "natural"], own, ...rows]);
}

function pairs() {
  const cell = (text) => text.split(/\s+/).join(" ").replaceAll("|", "\\|").trim();
  const report = measured("generated-blends");
  const best = report.blends.indexOf(bestOfSpans(report, "generated"));
  const rows = report.examples.map(({ from, between, to }) => [from, between[best], to].map(cell));
  return table([["from", `half-way, ${ruleName(report.blends[best])}`, "to"], ...rows]);
}

fill(join(model, "README.md"), { measures: measures(), labels: labels(), pairs: pairs() });
