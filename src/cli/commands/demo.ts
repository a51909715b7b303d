/** `bigvae demo`: the tour. A sentence encoded and rebuilt, two sentences blended, a paragraph by the card's averaging sampler. */
import { Command } from "@commander-js/extra-typings";
import type { BigVae } from "../../bigVae.js";
import { wholeNumber } from "../options.js";
import { hasColours, shaded } from "../shade.js";
import { type ModelFlags, useModel, withModel } from "../shared.js";
import { drive, traceLine } from "./generate.js";

const SENTENCE = "The little fox found a shiny key under the old bridge.";
const ENDS = [
  "The baker was sad because the bread had burned.",
  "The children were happy and danced by the river.",
] as const;
const TOPIC = "One rainy morning, Nora the bear went into the forest to look for honey.";

export function demoCommand() {
  return withModel(new Command("demo").description("A tour of the latent space in under two minutes."))
    .option("--seed <n>", "seed of the paragraph", wholeNumber(), 1)
    .addHelpText("after", "\nExample:\n  bigvae demo --seed 2")
    .action(async (flags) => {
      await useModel(flags, (vae) => tour(vae, flags));
    });
}

async function tour(vae: BigVae, { model, seed }: ModelFlags & { seed: number }): Promise<void> {
  heading(`1. A sentence becomes a latent (model "${model}", z of ${vae.zDim} values)`);
  const [encoded] = await vae.encode([SENTENCE]);
  const colours = hasColours();
  print(shaded(encoded!, (ids) => vae.tokenizer.decode(ids), colours));
  print(
    colours
      ? "The brighter a token, the more of z was taken from it."
      : "z was taken mostly from the tokens in brackets.",
  );

  heading("2. The latent becomes text again");
  print(await vae.decode(encoded!.mean));

  heading("3. From one sentence to another");
  const [a, b] = await vae.encode(ENDS);
  const ts = [0, 0.25, 0.5, 0.75, 1];
  const texts = await vae.decodeAll(ts.map((t) => vae.interpolate(a!.mean, b!.mean, t)));
  for (const [i, t] of ts.entries()) print(`${t.toFixed(2)}  ${texts[i]}`);

  heading("4. A paragraph by the averaging sampler: four drafts a span, written from their mean");
  print(TOPIC);
  await paragraph(vae, seed);

  heading("Go on");
  print('  bigvae encode "your own sentence"        the latent of a text');
  print('  bigvae interpolate "one" "another"       what lies between two texts');
  print('  bigvae generate --prompt "a beginning"   a text, span by span');
  print("  bigvae --help                            everything else");
}

async function paragraph(vae: BigVae, seed: number): Promise<void> {
  const stream = vae.tokenizer.stream({ skipSpecial: true });
  const onToken = (id: number) => void process.stdout.write(stream.push(id));
  let count = 0;
  const sampler = vae.generate("avg", {
    prompt: TOPIC,
    preset: "repository",
    nSteps: 3,
    nAvg: 4,
    tau: 0.6,
    noise: 0.1,
    seed,
    onToken,
  });
  await drive(sampler, (span) => {
    process.stdout.write(`${stream.end()}\n${traceLine(++count, span)}\n`);
  });
}

function heading(text: string): void {
  process.stdout.write(`\n${hasColours() ? `\x1b[1m${text}\x1b[0m` : text}\n`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
