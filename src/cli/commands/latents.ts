/** Commands on single texts and latents: reconstruct, interpolate, mix, task-vector. */
import { Command, Option } from "@commander-js/extra-typings";
import type { BigVae, Confidence } from "../../bigVae.js";
import { joinPieces } from "../../data/index.js";
import { BigVaeError } from "../../errors.js";
import { EVEN_SCALE } from "../../latent/index.js";
import { batches } from "../../operations/batches.js";
import { lineBetween, mixOf } from "../../operations/blending.js";
import { Rebuilding } from "../../operations/rebuilding.js";
import { confidencesOf, leastConfident, NO_CONFIDENCE_HELP, noteDoubt } from "../doubt.js";
import { CHUNK_HELP, encodeTexts, piecesOf, summary } from "../encoding.js";
import { EXAMPLES_HELP, openExamples } from "../examples.js";
import { refuseUnused } from "../flags.js";
import { inputTexts, type Line, withFile } from "../input.js";
import {
  checkInputs,
  checkOutput,
  LATENT_HELP,
  type LatentInput,
  OUTPUT_HELP,
  parseLatentInput,
  takeLatents,
  writeOutput,
} from "../latentInput.js";
import { realNumber, wholeNumber } from "../options.js";
import { onOneLine } from "../shade.js";
import { printJson, useModel, warnLongExamples, withModel } from "../shared.js";
import { latentVectors } from "../vectors.js";
import { besideOriginal } from "../wordMarks.js";

export function reconstructCommand() {
  return withFile(withModel(new Command("reconstruct").description("Encode texts and decode them again.")))
    .argument("[texts...]", "texts; default: those of --file, or standard input")
    .option("--tau <x>", "temperature; 0 is greedy", realNumber(0), 0)
    .option("--noise <x>", "variance of the noise on z; 0 is the mean", realNumber(0), 0)
    .option("--chunk", `${CHUNK_HELP}; the results are joined again`, false)
    .option("--no-confidence", NO_CONFIDENCE_HELP)
    .addHelpText("after", '\nExample:\n  bigvae reconstruct "The bear looked for the honey."')
    .action(async (given, flags) => {
      const lines = await inputTexts(given, flags);
      await useModel(flags, async (vae) => {
        for await (const { text, reconstruction, confidence, ...result } of rebuilt(vae, lines, flags)) {
          if (flags.json) printJson({ text, reconstruction, ...confidence, ...result });
          else process.stdout.write(`${besideOriginal(text, reconstruction)}\n`);
          if (!result.longerThanSpan) noteDoubt(flags, vae, confidence);
        }
      });
    });
}

interface RebuildFlags {
  chunk: boolean;
  confidence: boolean;
  noise: number;
  quiet: boolean;
  seed: number;
  tau: number;
}

/** What comes back of each line; of one that is cut, its pieces put together. */
async function* rebuilt(vae: BigVae, lines: AsyncIterable<Line>, flags: RebuildFlags) {
  const rebuilding = new Rebuilding(vae, flags);
  let ofLine: { text: string; confidence: Confidence | undefined }[] = [];
  for await (const batch of batches(piecesOf(vae, lines, flags.chunk))) {
    const encoded = await encodeTexts(flags, vae, batch);
    const { zs, texts } = await rebuilding.next(encoded);
    const confidences = await confidencesOf(
      flags,
      vae,
      encoded.map((posterior, i) => ({ ...posterior, z: zs[i]! })),
    );
    for (const [i, { whole, pieces }] of batch.entries()) {
      ofLine.push({ text: texts[i]!, confidence: confidences?.[i] });
      if (ofLine.length < pieces.length) continue;
      const { text, line } = whole;
      const known = ofLine.flatMap(({ confidence }) => confidence ?? []);
      yield {
        text,
        reconstruction: joinPieces(
          text,
          pieces,
          ofLine.map((piece) => piece.text),
        ),
        confidence: known.length > 0 ? leastConfident(known) : undefined,
        longerThanSpan: encoded[i]!.longerThanSpan,
        line,
      };
      ofLine = [];
    }
  }
}

const BLEND_CFG = `guidance scale of an even mix; below 1 the base corrects the sentence; no effect on a text itself; default: ${EVEN_SCALE}, 1 for a model of one slot`;

export function interpolateCommand() {
  return withModel(new Command("interpolate").description("Write texts between two texts."))
    .argument("<from>", "the text at t = 0")
    .argument("<to>", "the text at t = 1")
    .option("--steps <n>", "number of texts, both ends included", wholeNumber(2), 5)
    .addOption(
      new Option("--kind <kind>", "path between the ends; default: lerp, normLerp for a model of one slot").choices([
        "normLerp",
        "lerp",
        "slerp",
      ] as const),
    )
    .option("--tau <x>", "temperature; 0 is greedy", realNumber(0), 0)
    .option("--cfg <x>", BLEND_CFG, realNumber(0))
    .addHelpText(
      "after",
      `
${LATENT_HELP}

Examples:
  bigvae interpolate "The fox found a lamp." "The baker lost a key." --steps 7
  bigvae interpolate "@z.npy#1" "@z.npy#2"`,
    )
    .action(async (from, to, flags) => {
      const ends = [from, to].map(parseLatentInput);
      await checkInputs("interpolate", ends);
      await useModel(flags, async (vae) => {
        const [a, b] = await takeLatents(latentVectors(flags, vae), ends);
        const longerThanSpan = a!.longerThanSpan || b!.longerThanSpan;
        const line = lineBetween(vae, a!.z, b!.z, flags);
        const decoded = await vae.decodeAll(
          line.map(({ z }) => z),
          { tau: flags.tau, seed: flags.seed, cfgScale: line.map(({ cfgScale }) => cfgScale) },
        );
        for (const [i, { t, z }] of line.entries()) {
          const text = decoded[i]!;
          const original = t === 0 ? a!.text : t === 1 ? b!.text : undefined;
          if (flags.json) printJson({ t, text, original, z, longerThanSpan });
          else process.stdout.write(`${besideTime(t, original, text)}\n`);
        }
      });
    });
}

/** "0.25  text"; at an end, what was given beside what became of it. */
function besideTime(t: number, original: string | undefined, text: string): string {
  const shown = original === undefined ? onOneLine(text) : besideOriginal(original, text);
  const mark = original === undefined && process.stdout.isTTY ? "  " : "";
  return `${t.toFixed(2)}  ${mark}${shown.replaceAll("\n", "\n      ")}`;
}

export function mixCommand() {
  return (
    withModel(new Command("mix").description("Write the text of a weighted mix of texts; weights may be negative."))
      // A part may begin with a minus sign; an option that does not exist is refused as a part.
      .allowUnknownOption()
      .argument("<parts...>", 'WEIGHT:TEXT, such as "0.7:The fox ran." or "-1:The fox ran."')
      .addOption(
        new Option("--kind <kind>", "how the latents are combined")
          .choices(["normKept", "sum", "medoid"] as const)
          .default("normKept" as const),
      )
      .option("--tau <x>", "temperature; 0 is greedy", realNumber(0), 0)
      .option("--cfg <x>", BLEND_CFG, realNumber(0))
      .addHelpText(
        "after",
        `
${LATENT_HELP}

Examples:
  bigvae mix "1:The fox found a lamp." "1:The baker lost a key." "-1:The fox lost a key."
  bigvae mix "1:The fox found a lamp." "0.5:@task.npy"`,
      )
      .action(async (parts, flags) => {
        const parsed = parts.map(weightedInput);
        if (parsed.every(({ weight }) => weight === 0))
          throw new BigVaeError("usage", {
            subject: "mix",
            expected: "a weight other than 0",
            got: "none",
            remedy: "write for example 0.5:TEXT",
          });
        if (flags.kind === "medoid")
          refuseUnused((name) => name === "cfg", "a mix to guide", "--kind medoid, one of the latents itself");
        await checkInputs("mix", parsed);
        await useModel(flags, async (vae) => {
          const taken = await takeLatents(latentVectors(flags, vae), parsed);
          const { z, cfgScale } = mixOf(
            vae,
            taken.map(({ z }) => z),
            parsed.map(({ weight }) => weight),
            flags,
          );
          const text = await vae.decode(z, { tau: flags.tau, seed: flags.seed, cfgScale });
          if (flags.json)
            printJson({
              text,
              z,
              parts: parsed.map((part, i) => ({ ...part, longerThanSpan: taken[i]!.longerThanSpan })),
            });
          else process.stdout.write(`${onOneLine(text)}\n`);
        });
      })
  );
}

function weightedInput(part: string): LatentInput & { weight: number } {
  const colon = part.indexOf(":");
  const weight = Number(part.slice(0, colon));
  if (colon > 0 && Number.isFinite(weight)) return { weight, ...parseLatentInput(part.slice(colon + 1)) };
  if (part.startsWith("--"))
    throw new BigVaeError("usage", {
      subject: "mix",
      expected: "one of its options",
      got: part,
      remedy: "bigvae mix --help names them",
    });
  throw new BigVaeError("usage", {
    subject: "mix",
    expected: "WEIGHT:TEXT",
    got: JSON.stringify(part),
    remedy: 'write for example "0.5:The fox ran."',
  });
}

export function taskVectorCommand() {
  return withModel(new Command("task-vector").description("Find what examples have in common, as a latent."))
    .argument("<examples...>", EXAMPLES_HELP)
    .option("--output <path>", `${OUTPUT_HELP}; the number of examples too, but for .npy`)
    .addHelpText(
      "after",
      `
Example:
  bigvae task-vector @examples.json --output task.npy && bigvae mix "1:The fox found a lamp." "0.5:@task.npy"`,
    )
    .action(async (given, flags) => {
      const openedExamples = await openExamples("task-vector", given);
      await checkOutput(flags.output);
      await useModel(flags, async (vae) => {
        const taken = await openedExamples(vae.space.width);
        const texts = taken.filter((example) => typeof example === "string");
        const examples = taken.reduce(
          (sum, each) => sum + (typeof each === "object" && "z" in each ? each.examples : 1),
          0,
        );
        const longerThanSpan = warnLongExamples(flags, vae, texts);
        const z = await vae.taskVector(taken);
        if (flags.output !== undefined) await writeOutput(flags, flags.output, [{ z, examples }]);
        else if (flags.json) printJson({ z, examples, texts, longerThanSpan });
        else process.stdout.write(`${onOneLine(await vae.decode(z))}\n  z: ${summary(vae.space, z)}\n`);
      });
    });
}
