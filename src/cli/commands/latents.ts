/** Commands on single texts and latents: encode, similar, reconstruct, interpolate, mix, task-vector. */
import { Command, Option } from "@commander-js/extra-typings";
import type { BigVae, EncodedText } from "../../bigVae.js";
import { KNOWN_ENDINGS } from "../../data/index.js";
import { BigVaeError } from "../../errors.js";
import { LatentSearch, LOWEST_SCALE } from "../../latent/index.js";
import { Rng } from "../../rng.js";
import {
  inputTexts,
  type Line,
  notBoth,
  parseJson,
  placed,
  readTask,
  type TextFlags,
  withFile,
  withTexts,
} from "../input.js";
import { realNumber, wholeNumber } from "../options.js";
import { hasColours, onOneLine, shaded } from "../shade.js";
import { printJson, useModel, warnLong, warnLongExamples, withModel } from "../shared.js";
import { markDifferences } from "../wordMarks.js";

/** Texts encoded at a time, so that input of any length takes constant memory. */
const BATCH = 64;

export function encodeCommand() {
  return withFile(
    withModel(new Command("encode").description("Latents of texts, with the tokens that each was taken from.")),
  )
    .argument("[texts...]", "texts; else those of --file or of standard input")
    .option("--ids", 'the lines are {"ids": [...], "mask": [...]} instead of texts', false)
    .addHelpText(
      "after",
      '\nExamples:\n  bigvae encode "The fox found a lamp."\n  bigvae encode --json < lines.txt > latents.jsonl',
    )
    .action(async (given, flags) => {
      if (flags.ids) refuseWith("--ids", flags);
      const lines = await inputTexts(given, { ...flags, asLines: flags.ids });
      await useModel(flags, async (vae) => {
        for await (const batch of batches(lines)) {
          const encoded = await (flags.ids ? encodeIds(vae, batch) : encodeTexts(vae, batch));
          warnLong(flags, vae, encoded);
          for (const [i, item] of encoded.entries()) {
            if (flags.json || flags.ids) printJson({ ...item, line: batch[i]!.line });
            else
              process.stdout.write(
                `${shaded(item, vae.tokenizer.stream(), hasColours())}\n  z: ${summary(vae, item.mean)}\n`,
              );
          }
        }
      });
    });
}

/** Lines of tokens are no texts. */
function refuseWith(option: string, { field, whole }: TextFlags): void {
  const other = whole ? "--whole" : field === undefined ? undefined : "--field";
  if (other === undefined) return;
  throw new BigVaeError(
    "usage",
    `${other}: expected texts to read, got ${option}, lines of tokens; leave out ${other}`,
  );
}

function encodeTexts(vae: BigVae, batch: readonly Line[]): Promise<EncodedText[]> {
  return placed(batch, vae.encode(batch.map(({ text }) => text)));
}

async function encodeIds({ tokenizer, engine, span }: BigVae, batch: readonly Line[]): Promise<EncodedText[]> {
  const rows = batch.map((line) => tokenRow(line, tokenizer.vocabSize));
  const encodings = await placed(batch, engine.encode(rows));
  return rows.map(({ ids }, i) => ({
    text: tokenizer.decode(ids),
    ids,
    ...encodings[i]!,
    longerThanSpan: ids.length > span,
  }));
}

function summary({ space }: BigVae, z: Float32Array): string {
  const first = Array.from(z.subarray(0, 6), (value) => value.toFixed(2)).join(" ");
  return `[${first} ...] ${z.length} values, norm ${space.norm(z).toFixed(2)}`;
}

function tokenRow({ text, where }: Line, vocabSize: number): { ids: number[]; mask?: number[] } {
  const { ids, mask } = (parseJson(text, () => undefined) ?? {}) as { ids?: unknown; mask?: unknown };
  const below = (list: unknown, end: number): list is number[] =>
    Array.isArray(list) && list.every((item) => Number.isInteger(item) && item >= 0 && item < end);
  if (below(ids, vocabSize) && mask === undefined) return { ids };
  if (below(ids, vocabSize) && below(mask, 2) && mask.length === ids.length) return { ids, mask };
  throw new BigVaeError(
    "usage",
    `${where}: expected {"ids": [...], "mask": [...]} of equal lengths, ids from 0 to ${vocabSize - 1} and a mask of 0 and 1, got ${text.slice(0, 60)}; write one object a line`,
  );
}

async function* batches<T>(items: AsyncIterable<T>): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

interface SearchedText {
  text: string;
  line: number;
  longerThanSpan: boolean;
}

const SIMILAR_HELP = `
A latent may have several parts (slots). "match" looks for the most similar part of the other text for each part of one text, and
takes the mean of their cosines; of more than 2,000 texts it does so for the best 100 by their keys. "key" compares the means
of the parts by their cosine. With one part both are the cosine of the latents. A small model such as the pocket finds texts that
share words and phrases with the text, more than lines that mean the same in other words.

Example:
  bigvae similar "A boat on a lake" --file sentences.txt --count 3`;

export function similarCommand() {
  return withTexts(
    withModel(new Command("similar").description("The texts of a file nearest to a text, by their latents.")),
  )
    .argument("<text>", "the text")
    .requiredOption("--file <path>", `texts that are compared (${KNOWN_ENDINGS}); "-" is standard input`)
    .option("--count <n>", "texts shown", wholeNumber(1), 5)
    .addOption(
      new Option("--by <what>", "what is compared: part by part (match), or the means of the parts (key)")
        .choices(["match", "key"] as const)
        .default("match" as const),
    )
    .addHelpText("after", SIMILAR_HELP)
    .action(async (text, flags) => {
      const lines = await inputTexts([], flags);
      await useModel(flags, async (vae) => {
        const [query] = await vae.encode([text]);
        warnLong(flags, vae, [query!]);
        const search = new LatentSearch<SearchedText>(vae.space, query!.mean, flags.count, flags.by);
        for await (const batch of batches(lines)) {
          const encoded = await encodeTexts(vae, batch);
          warnLong(flags, vae, encoded);
          for (const [i, { text, mean, longerThanSpan }] of encoded.entries())
            search.add({ text, line: batch[i]!.line!, longerThanSpan }, mean);
        }
        for (const { item, similarity } of search.found()) {
          const { text, line, longerThanSpan } = item;
          if (flags.json) printJson({ text, similarity, line, longerThanSpan });
          else process.stdout.write(`${similarity.toFixed(3)}  ${text}\n`);
        }
      });
    });
}

export function reconstructCommand() {
  return withFile(
    withModel(new Command("reconstruct").description("What the model makes of texts: encoded and decoded again.")),
  )
    .argument("[texts...]", "texts; else those of --file or of standard input")
    .option("--tau <x>", "temperature; 0 is greedy", realNumber(0), 0)
    .option("--noise <x>", "variance of the noise on z; 0 takes the mean", realNumber(0), 0)
    .addHelpText("after", '\nExample:\n  bigvae reconstruct "The bear looked for the honey."')
    .action(async (given, flags) => {
      const lines = await inputTexts(given, flags);
      await useModel(flags, async (vae) => {
        const rng = Rng.fromSeed(flags.seed);
        let count = 0;
        for await (const batch of batches(lines)) {
          const encoded = await encodeTexts(vae, batch);
          warnLong(flags, vae, encoded);
          // The noise of a text belongs to its place among all of them, not within a batch.
          const seeds = encoded.map(() => rng.fork(count++).integer(2 ** 32));
          const zs = encoded.map((posterior, i) => vae.sample(posterior, flags.noise, seeds[i]!));
          const rebuilt = await vae.decodeAll(zs, { tau: flags.tau, seed: seeds[0]! });
          for (const [i, { text, longerThanSpan }] of encoded.entries()) {
            if (flags.json) printJson({ text, reconstruction: rebuilt[i], longerThanSpan, line: batch[i]!.line });
            else process.stdout.write(`${besideOriginal(text, rebuilt[i]!)}\n`);
          }
        }
      });
    });
}

/** On a terminal the text and what became of it, one below the other with differing words marked; else the rebuilt text alone. */
function besideOriginal(text: string, rebuilt: string): string {
  const [original, result] = [onOneLine(text), onOneLine(rebuilt)];
  if (!process.stdout.isTTY) return result;
  const { before, after, same } = markDifferences(original, result, hasColours());
  return same ? `= ${after}` : `- ${before}\n+ ${after}`;
}

const BLEND_CFG = `guidance scale of an even mix (a text itself is not guided); below 1 the base mends the sentence; ${LOWEST_SCALE} by default, 1 for a model of one slot`;

export function interpolateCommand() {
  return withModel(new Command("interpolate").description("Texts between two texts."))
    .argument("<from>", "the text at t = 0")
    .argument("<to>", "the text at t = 1")
    .option("--steps <n>", "texts, the ends among them", wholeNumber(2), 5)
    .addOption(
      new Option("--kind <kind>", "how to go; lerp by default, normLerp for a model of one slot").choices([
        "normLerp",
        "lerp",
        "slerp",
      ] as const),
    )
    .option("--tau <x>", "temperature; 0 is greedy", realNumber(0), 0)
    .option("--cfg <x>", BLEND_CFG, realNumber(0))
    .addHelpText("after", '\nExample:\n  bigvae interpolate "The fox found a lamp." "The baker lost a key." --steps 7')
    .action(async (from, to, flags) => {
      await useModel(flags, async (vae) => {
        const [a, b] = await vae.encode([from, to]);
        warnLong(flags, vae, [a!, b!]);
        const longerThanSpan = a!.longerThanSpan || b!.longerThanSpan;
        const ts = Array.from({ length: flags.steps }, (_, i) => i / (flags.steps - 1));
        const zs = ts.map((t) => vae.interpolate(a!.mean, b!.mean, t, flags.kind));
        const cfgScale = ts.map((t) => vae.space.mixScale([1 - t, t], flags.cfg));
        const decoded = await vae.decodeAll(zs, { tau: flags.tau, seed: flags.seed, cfgScale });
        for (const [i, t] of ts.entries()) {
          if (flags.json) printJson({ t, text: decoded[i], z: zs[i], longerThanSpan });
          else process.stdout.write(`${t.toFixed(2)}  ${onOneLine(decoded[i]!)}\n`);
        }
      });
    });
}

export function mixCommand() {
  return (
    withModel(new Command("mix").description("The text of a weighted mix of texts; weights may be negative."))
      // A part may begin with a minus sign; an option that does not exist is refused as a part.
      .allowUnknownOption()
      .argument("<parts...>", 'WEIGHT:TEXT, such as "0.7:The fox ran." or "-1:The fox ran."')
      .addOption(
        new Option("--kind <kind>", "what is made of them")
          .choices(["normKept", "sum", "medoid"] as const)
          .default("normKept" as const),
      )
      .option("--tau <x>", "temperature; 0 is greedy", realNumber(0), 0)
      .option("--cfg <x>", BLEND_CFG, realNumber(0))
      .addHelpText(
        "after",
        '\nExample:\n  bigvae mix "1:The fox found a lamp." "1:The baker lost a key." "-1:The fox lost a key."',
      )
      .action(async (parts, flags) => {
        const parsed = parts.map(weightedText);
        if (parsed.every(({ weight }) => weight === 0))
          throw new BigVaeError("usage", "mix: expected a weight other than 0, got none; write for example 0.5:TEXT");
        await useModel(flags, async (vae) => {
          const encoded = await vae.encode(parsed.map(({ text }) => text));
          warnLong(flags, vae, encoded);
          const z = vae.mix(
            encoded.map(({ mean }) => mean),
            parsed.map(({ weight }) => weight),
            flags.kind,
          );
          const weights = flags.kind === "medoid" ? [1] : parsed.map(({ weight }) => weight);
          const cfgScale = vae.space.mixScale(weights, flags.cfg);
          const text = await vae.decode(z, { tau: flags.tau, seed: flags.seed, cfgScale });
          if (flags.json)
            printJson({
              text,
              z,
              parts: parsed.map((part, i) => ({ ...part, longerThanSpan: encoded[i]!.longerThanSpan })),
            });
          else process.stdout.write(`${onOneLine(text)}\n`);
        });
      })
  );
}

function weightedText(part: string): { weight: number; text: string } {
  const colon = part.indexOf(":");
  const weight = Number(part.slice(0, colon));
  if (colon > 0 && Number.isFinite(weight)) return { weight, text: part.slice(colon + 1) };
  if (part.startsWith("--"))
    throw new BigVaeError("usage", `mix: expected one of its options, got ${part}; bigvae mix --help names them`);
  throw new BigVaeError(
    "usage",
    `mix: expected WEIGHT:TEXT, got ${JSON.stringify(part)}; write for example "0.5:The fox ran."`,
  );
}

export function taskVectorCommand() {
  return withModel(new Command("task-vector").description("What example texts have in common, as a latent."))
    .argument("[texts...]", "texts")
    .option("--task <file>", "a JSON array of texts instead")
    .addHelpText("after", "\nExample:\n  bigvae task-vector --task examples.json --json")
    .action(async (given, flags) => {
      notBoth(given, "--task", flags.task);
      const examples = flags.task ? await readTask(flags.task) : given;
      await useModel(flags, async (vae) => {
        const longerThanSpan = warnLongExamples(flags, vae, examples);
        const z = await vae.taskVector(examples);
        if (flags.json) printJson({ z, texts: examples, longerThanSpan });
        else process.stdout.write(`${onOneLine(await vae.decode(z))}\n  z: ${summary(vae, z)}\n`);
      });
    });
}
