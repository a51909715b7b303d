/** `bigvae encode`: the latents of texts or tokens, shown or written to a file. */
import { Command } from "@commander-js/extra-typings";
import type { BigVae, Confidence, EncodedText } from "../../bigVae.js";
import { BigVaeError } from "../../errors.js";
import type { NamedLatent } from "../../host/latentFiles.js";
import { batches } from "../../operations/batches.js";
import { confidencesOf, NO_CONFIDENCE_HELP, noteDoubt } from "../doubt.js";
import { CHUNK_HELP, encodeTexts, piecesOf, summary } from "../encoding.js";
import { refuseUnused } from "../flags.js";
import { inputTexts, type Line, parseJson, placed, refuseTextFlags, withFile } from "../input.js";
import { checkOutput, OUTPUT_HELP, writeOutput } from "../latentInput.js";
import { hasColours, onOneLine, shaded } from "../shade.js";
import { type OutputFlags, printJson, useModel, warnLong, withModel } from "../shared.js";
import { checkPool, meanVectors, type PoolFlags, type Vector, withPool } from "../vectors.js";

export function encodeCommand() {
  return withPool(
    withFile(
      withModel(
        new Command("encode").description(
          "Encode texts to latents, and show which tokens each latent was pooled from.",
        ),
      ),
    ),
  )
    .argument("[texts...]", "texts; default: those of --file, or standard input")
    .option("--ids", 'read lines of {"ids": [...], "mask": [...]} instead of texts', false)
    .option("--chunk", CHUNK_HELP, false)
    .option("--output <path>", OUTPUT_HELP)
    .option("--no-confidence", NO_CONFIDENCE_HELP)
    .addHelpText(
      "after",
      `
Examples:
  bigvae encode "The fox found a lamp."
  bigvae encode --file lines.txt --output latents.jsonl
  bigvae encode --file book.txt --whole --chunk --output book.npy
  bigvae encode --model SmolLM2-135M --pool mean --file lines.txt --output means.npy

The confidence is the probability that the decoder gives a token of the text from its latent. Not with --output, --ids and --pool.
--pool mean needs no adapters: the mean over the tokens of a text, not scaled to any length; a beginning token of the tokenizer's own
is read before them and not counted.`,
    )
    .action(async (given, flags) => {
      const { ids: isTokens, chunk, output } = flags;
      if (isTokens) refuseTextFlags("--ids, lines of tokens");
      checkPool(flags);
      refuseConfidence(flags);
      await checkOutput(output);
      const lines = await inputTexts(given, { ...flags, asLines: isTokens });
      if (flags.pool !== undefined) return useModel(flags, (vae) => encodeMeans(flags, vae, lines), "base");
      await useModel(flags, async (vae) => {
        const latents: NamedLatent[] = [];
        for await (const batch of batches(piecesOf(vae, lines, chunk))) {
          const encoded = await (isTokens ? encodeIds : encodeTexts)(flags, vae, batch);
          if (output !== undefined) {
            latents.push(...encoded.map(({ text, mean: z }) => ({ text, z })));
            continue;
          }
          const confidences = isTokens ? undefined : await confidencesOf(flags, vae, encoded);
          for (const [i, item] of encoded.entries()) {
            const { line, piece } = batch[i]!;
            const confidence = confidences?.[i];
            if (flags.json || isTokens) printJson({ ...item, ...confidence, line, ...(chunk ? { piece } : {}) });
            else process.stdout.write(shown(vae, item, confidence));
            if (!item.longerThanSpan) noteDoubt(flags, vae, confidence);
          }
        }
        if (output !== undefined) await writeOutput(flags, output, latents);
      });
    });
}

interface EncodeFlags extends OutputFlags, PoolFlags {
  ids: boolean;
  chunk: boolean;
  output?: string;
}

/** Throws "usage" for --no-confidence where there is no confidence that it could skip. */
function refuseConfidence({ ids, output, pool }: EncodeFlags): void {
  const [without] = [pool && "--pool", ids && "--ids", output !== undefined && "--output"].filter(Boolean);
  if (without) refuseUnused((name) => name === "confidence", "confidences to skip", `none with ${without}`);
}

/** The means of the base's hidden states, shown or written as latents are. */
async function encodeMeans(flags: EncodeFlags, vae: BigVae, lines: AsyncIterable<Line>): Promise<void> {
  const { ids: isTokens, chunk, output } = flags;
  const vectors = meanVectors(vae, flags);
  const found: NamedLatent[] = [];
  for await (const batch of batches(piecesOf(vae, lines, chunk))) {
    const means = await (isTokens ? meansOfIds(flags, vae, batch) : vectors.of(batch));
    if (output !== undefined) {
      found.push(...means.map(({ text, mean: z }) => ({ text, z })));
      continue;
    }
    for (const [i, { text, ids, mean }] of means.entries()) {
      const { line, piece } = batch[i]!;
      if (flags.json || isTokens) printJson({ text, ids, mean, line, ...(chunk ? { piece } : {}) });
      else process.stdout.write(`${onOneLine(text)}\n  mean: ${summary(vectors.space, mean)}\n`);
    }
  }
  if (output !== undefined) await writeOutput(flags, output, found);
}

/** Of tokens as they are: nothing is read before them. */
async function meansOfIds({ causal }: EncodeFlags, vae: BigVae, batch: readonly Line[]): Promise<Vector[]> {
  const { tokenizer, engine } = vae;
  const rows = batch.map((line) => tokenRow(line, tokenizer.vocabSize));
  const means = await placed(batch, engine.embed(rows, causal));
  return rows.map(({ ids }, i) => ({ text: tokenizer.decode(ids), ids, mean: means[i]! }));
}

async function encodeIds(flags: { quiet: boolean }, vae: BigVae, batch: readonly Line[]): Promise<EncodedText[]> {
  const { tokenizer, engine, span } = vae;
  const rows = batch.map((line) => tokenRow(line, tokenizer.vocabSize));
  const encodings = await placed(batch, engine.encode(rows));
  const encoded = rows.map(({ ids }, i) => ({
    text: tokenizer.decode(ids),
    ids,
    ...encodings[i]!,
    longerThanSpan: ids.length > span,
  }));
  warnLong(flags, vae, encoded);
  return encoded;
}

function tokenRow({ text, where }: Line, vocabSize: number): { ids: number[]; mask?: number[] } {
  const { ids, mask } = (parseJson(text, () => undefined) ?? {}) as { ids?: unknown; mask?: unknown };
  const below = (list: unknown, end: number): list is number[] =>
    Array.isArray(list) && list.every((item) => Number.isInteger(item) && item >= 0 && item < end);
  if (below(ids, vocabSize) && mask === undefined) return { ids };
  if (below(ids, vocabSize) && below(mask, 2) && mask.length === ids.length) return { ids, mask };
  throw new BigVaeError("usage", {
    subject: where,
    expected: `{"ids": [...], "mask": [...]} of equal lengths, ids from 0 to ${vocabSize - 1} and a mask of 0 and 1`,
    got: text.slice(0, 60),
    remedy: "write one object a line",
  });
}

function shown(vae: BigVae, item: EncodedText, confidence: Confidence | undefined): string {
  const kept = confidence ? `, confidence ${confidence.confidence.toFixed(2)}` : "";
  return `${shaded(item, vae.tokenizer.stream(), hasColours())}\n  z: ${summary(vae.space, item.mean)}${kept}\n`;
}
