/** `bigvae demo`: the tour. A sentence encoded and rebuilt, two sentences blended, a paragraph by the card's averaging sampler. */
import { Command } from "@commander-js/extra-typings";
import type { BigVae, GeneratedSpan } from "../../bigVae.js";
import { hasColours, onOneLine, shaded } from "../shade.js";
import { type ModelFlags, printJson, useModel, withModel } from "../shared.js";
import { drive, result, traceLine } from "./generate.js";

const SENTENCE = "The little fox found a shiny key under the old bridge.";
const ENDS = [
  "The baker was sad because the bread had burned.",
  "The children were happy and danced by the river.",
] as const;
/** About a span long: the latent of a short text asks for a short text. */
const TOPIC = `One rainy morning, Nora the bear went into the forest to look for honey. The path was muddy, and the trees dripped on \
her nose. She looked under the old log and behind the big stones, but there was no honey anywhere. Then she heard a small \
voice above her.`;

export function demoCommand() {
  return withModel(new Command("demo").description("A tour of the latent space in under two minutes."))
    .addHelpText("after", "\nExample:\n  bigvae demo --seed 2")
    .action(async (flags) => {
      await useModel(flags, (vae) => tour(vae, flags));
    });
}

async function tour(vae: BigVae, flags: ModelFlags): Promise<void> {
  const show = (step: object, lines: () => string[]) => {
    if (flags.json) printJson(step);
    else process.stdout.write(`${lines().join("\n")}\n`);
  };
  const [encoded] = await vae.encode([SENTENCE]);
  show({ step: "encode", ...encoded }, () => [
    heading(`1. A sentence becomes a latent (model "${flags.model}", z of ${vae.zDim} values)`),
    shaded(encoded!, vae.tokenizer.stream(), hasColours()),
    hasColours()
      ? "The brighter a token, the more of z was taken from it."
      : "Of the tokens in brackets, z holds clearly more than of the others.",
  ]);

  const reconstruction = await vae.decode(encoded!.mean);
  show({ step: "reconstruct", text: SENTENCE, reconstruction }, () => [
    heading("2. The latent becomes text again"),
    onOneLine(reconstruction),
  ]);

  const [a, b] = await vae.encode(ENDS);
  const ts = [0, 0.25, 0.5, 0.75, 1];
  const texts = await vae.decodeAll(ts.map((t) => vae.interpolate(a!.mean, b!.mean, t)));
  const blends = ts.map((t, i) => ({ t, text: texts[i] }));
  show({ step: "interpolate", from: ENDS[0], to: ENDS[1], blends }, () => [
    heading("3. From one sentence to another"),
    ...blends.map(({ t, text }) => `${t.toFixed(2)}  ${onOneLine(text)}`),
  ]);

  await paragraph(vae, flags);
  if (flags.json) return;
  process.stdout.write(`${heading("Go on")}
  bigvae encode "your own sentence"        the latent of a text
  bigvae interpolate "one" "another"       what lies between two texts
  bigvae generate --prompt "a beginning"   a text, span by span
  bigvae --help                            everything else
`);
}

/** Streamed on a terminal, span by span with its trace; one object at the end with --json. */
async function paragraph(vae: BigVae, { seed, json }: ModelFlags): Promise<void> {
  if (!json) {
    const title = "4. A paragraph by the model card's averaging sampler: four drafts a span, written from their mean";
    process.stdout.write(`${heading(title)}\n${TOPIC}\n`);
  }
  const stream = vae.tokenizer.stream({ skipSpecial: true });
  const fromWord = firstWordOn();
  const onToken = (id: number) => void process.stdout.write(fromWord(stream.push(id)));
  const spans: GeneratedSpan[] = [];
  const sampler = vae.generate("avg", {
    prompt: TOPIC,
    preset: "card",
    nSteps: 2,
    nAvg: 4,
    tau: 0.7,
    noise: 1,
    seed,
    ...(json ? {} : { onToken }),
  });
  const written = await drive(sampler, (span) => {
    spans.push(span);
    if (!json) process.stdout.write(`${stream.end()}\n${traceLine(spans.length, span)}\n`);
  });
  if (json) printJson({ step: "generate", ...result(written, spans) });
}

/** Leaves out the rest of a word that a text begins with. */
function firstWordOn(): (text: string) => string {
  let hasBegun = false;
  return (text) => {
    if (hasBegun) return text;
    const start = text.search(/[\s\p{Lu}]/u);
    hasBegun = start >= 0;
    return hasBegun ? text.slice(start).trimStart() : "";
  };
}

function heading(text: string): string {
  return `\n${hasColours() ? `\x1b[1m${text}\x1b[0m` : text}`;
}
