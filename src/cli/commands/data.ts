/** `bigvae data`: stories from the generator, a tokenizer, and shards of token rows. */
import { Command } from "@commander-js/extra-typings";
import { plainSentences } from "../../corpus/plain/sentences.js";
import { stories, storyStatistics } from "../../corpus/stories/index.js";
import { KNOWN_ENDINGS, prepare, readFiles, requireText, splitOf } from "../../data/index.js";
import { writeFileAtomic } from "../../formats/index.js";
import { findTokenizer, openTokenizer } from "../../host/modelFiles.js";
import { loadTokenizer, trainBpe, WordCounts } from "../../tokenizer/index.js";
import { refuseUnused } from "../flags.js";
import { textFiles, warnLeftOut, withTexts } from "../input.js";
import { interruptSignal, wholeNumber } from "../options.js";
import { progress } from "../progress.js";
import { printJson, reportWritten, warn, withOutput } from "../shared.js";

export function dataCommand() {
  return new Command("data")
    .description("Make and prepare training text.")
    .addCommand(storiesCommand())
    .addCommand(sentencesCommand())
    .addCommand(tokenizerCommand())
    .addCommand(prepareCommand());
}

function storiesCommand() {
  return withOutput(
    new Command("stories").description(
      "Generate stories, labelled with their factors; the same seed always gives the same stories.",
    ),
  )
    .option("--seed <n>", "seed of the generator", wholeNumber(), 1)
    .option("--count <n>", "number of stories", wholeNumber(1), 1000)
    .option("--start <n>", "number of the first story", wholeNumber(), 0)
    .option("--statistics", "print bits per byte, vocabulary and repetition instead of the stories", false)
    .option("--output <file>", "JSON lines file to write; default: standard output")
    .addHelpText("after", "\nExample:\n  bigvae data stories --count 20000 --output data/generated.jsonl")
    .action(async ({ seed, count, start, statistics, output, ...flags }) => {
      if (statistics) {
        refuseUnused((name) => name === "output", "stories to write", "--statistics, printed in their place");
        const measured = storyStatistics(seed, count, start);
        if (flags.json) printJson(measured);
        else process.stdout.write(`${JSON.stringify(measured, null, 2)}\n`);
        return;
      }
      const lines: string[] = [];
      for (const { id, kind, text, factors, bits } of stories(seed, count, start)) {
        lines.push(
          `${JSON.stringify({ id, kind, split: splitOf({ id, text }), bits: Number(bits.toFixed(2)), factors, text })}\n`,
        );
      }
      if (await writeLines(lines, output)) {
        reportWritten(flags, { output, stories: lines.length }, `${output}: ${lines.length} stories`);
      }
    });
}

function sentencesCommand() {
  return withOutput(
    new Command("sentences").description(
      "Generate plain sentences of everyday words; the same seed always gives the same sentences.",
    ),
  )
    .option("--seed <n>", "seed of the generator", wholeNumber(), 1)
    .option("--count <n>", "number of texts", wholeNumber(1), 1000)
    .option("--start <n>", "number of the first text", wholeNumber(), 0)
    .option("--per-text <n>", "sentences per text", wholeNumber(1), 1)
    .option("--output <file>", "JSON lines file to write; default: standard output")
    .addHelpText("after", "\nExample:\n  bigvae data sentences --count 200000 --output data/plain.jsonl")
    .action(async ({ seed, count, start, perText, output, ...flags }) => {
      const lines = Array.from(
        plainSentences(seed, count, start, perText),
        ({ id, text }) => `${JSON.stringify({ id, split: splitOf({ id, text }), text })}\n`,
      );
      if (await writeLines(lines, output)) {
        reportWritten(flags, { output, texts: lines.length }, `${output}: ${lines.length} texts`);
      }
    });
}

/** Writes to `output`, or to standard output without one; whether it was a file. */
async function writeLines(lines: string[], output: string | undefined): Promise<boolean> {
  if (output) await writeFileAtomic(output, new TextEncoder().encode(lines.join("")));
  else process.stdout.write(lines.join(""));
  return Boolean(output);
}

function tokenizerCommand() {
  return withTexts(withOutput(new Command("tokenizer").description("Train a byte-level BPE tokenizer on text files.")))
    .argument("<inputs...>", `files (${KNOWN_ENDINGS}) or folders of them`)
    .requiredOption("--output <file>", "tokenizer.json to write")
    .option("--vocab-size <n>", "vocabulary size", wholeNumber(257), 4096)
    .addHelpText("after", "\nExample:\n  bigvae data tokenizer my-texts/ --vocab-size 8192 --output tokenizer.json")
    .action(async (inputs, { output, vocabSize, ...flags }) => {
      const files = await textFiles(inputs, flags);
      await requireText(files, flags);
      const words = new WordCounts();
      for await (const { text } of readFiles(files, flags)) words.add(text);
      const json = trainBpe(words, { vocabSize, specialTokens: [END_OF_TEXT] });
      await writeFileAtomic(output, new TextEncoder().encode(`${JSON.stringify(json)}\n`));
      const found = loadTokenizer(json).vocabSize;
      if (found < vocabSize) warn(flags, `the text gave ${found} tokens, fewer than the ${vocabSize} of --vocab-size`);
      reportWritten(flags, { output, vocabSize: found, texts: words.texts }, `${output}: ${found} tokens`);
    });
}

/** The one special token of tokenizers trained here: it ends a text, begins a context, and pads. */
const END_OF_TEXT = "<|endoftext|>";

function prepareCommand() {
  return withTexts(withOutput(new Command("prepare").description("Tokenise texts into shards of token rows.")))
    .argument("<inputs...>", `files (${KNOWN_ENDINGS}) or folders of them`)
    .requiredOption("--tokenizer <path>", "tokenizer.json, a model's folder, a .gguf file or a hub name")
    .requiredOption("--output <folder>", "folder of the shards")
    .option("--length <n>", "tokens of a row", wholeNumber(1), 512)
    .option("--sentences", "one sentence per text, for train vae --sentences", false)
    .addHelpText("after", "\nExample:\n  bigvae data prepare data/stories --tokenizer pocket --output runs/rows")
    .action(async (inputs, { tokenizer, output, length, field, whole, sentences, ...flags }) => {
      const path = await findTokenizer(tokenizer);
      const bar = progress(flags.quiet);
      const summary = await prepare({
        inputs,
        tokenizer: await openTokenizer(path),
        output,
        length,
        field,
        whole,
        sentences,
        onLeftOut: (what) => warnLeftOut(flags, what),
        signal: interruptSignal(),
        onProgress: ({ bytesDone, bytesTotal, tokens }) => bar.update(bytesDone, bytesTotal, `${tokens} tokens`),
      }).finally(() => bar.stop());
      const counts = Object.entries(summary.tokens).map(([split, tokens]) => `${tokens} tokens ${split}`);
      reportWritten(flags, summary, `${output}: ${summary.records} texts, ${counts.join(", ")}`);
    });
}
