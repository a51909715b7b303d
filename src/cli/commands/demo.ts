/** `bigvae demo`: the tour. Sentences rebuilt from their latents, two sentences blended, a paragraph by averaging drafts. */
import { Command } from "@commander-js/extra-typings";
import type { BigVae, GeneratedSpan } from "../../bigVae.js";
import { drive, result } from "../../operations/writing.js";
import { hasColours, onOneLine } from "../shade.js";
import { type ModelFlags, printJson, useModel, withModel } from "../shared.js";
import { markDifferences } from "../wordMarks.js";

const SENTENCES = [
  "My brother fixed the old radio.",
  "The little fox found a shiny key under the old bridge.",
  "We missed the last train, so we walked home in the rain.",
] as const;
const ENDS = [
  "The old king was very tired after the long war.",
  "The young girl was very happy after the long trip.",
] as const;
const STEPS = [0, 0.25, 0.5, 0.75, 1];
const TOPIC = `One rainy morning, Nora the bear went into the forest to look for honey. The path was muddy, and the trees dripped on \
her nose. She looked under the old log and behind the big stones, but there was no honey anywhere.`;

/** Of a paragraph without a broken sentence; pocket/README.md counts how many of ten seeds give one. */
const SEED = 3;

export function demoCommand() {
  return withModel(new Command("demo").description("A tour of the latent space in under a minute."), { seed: SEED })
    .addHelpText("after", "\nExample:\n  bigvae demo --seed 2")
    .action(async (flags) => {
      await useModel(flags, async (vae) => {
        await rebuild(vae, flags);
        await blend(vae, flags);
        await paragraph(vae, flags);
        if (!flags.json) process.stdout.write(GO_ON);
      });
    });
}

const GO_ON = `
Go on
  npx bigvae reconstruct "Type your own sentence."
  npx bigvae interpolate "I love the sea." "I am afraid of the dark."
  npx bigvae generate --prompt "One night, the owl lost her lamp."
  npx bigvae --help
`;

/** Step 1: what comes back of a sentence. */
async function rebuild(vae: BigVae, { json, model }: ModelFlags): Promise<void> {
  const encoded = await vae.encode(SENTENCES);
  const rebuilt = await vae.decodeAll(encoded.map(({ mean }) => mean));
  if (json) {
    for (const [i, each] of encoded.entries())
      printJson({ step: "reconstruct", text: SENTENCES[i], reconstruction: rebuilt[i], z: each.mean });
    return;
  }
  const lines = SENTENCES.flatMap((text, i) => {
    const { before, after, same } = markDifferences(text, onOneLine(rebuilt[i]!), hasColours());
    return same ? [`  ${text}`, `  = ${after}`] : [`  ${before}`, `  ≠ ${after}`];
  });
  show([
    heading(`1. A sentence becomes ${vae.width} numbers, and the numbers become a sentence (model "${model}")`),
    ...lines,
  ]);
}

/** Step 2: what lies between two sentences. */
async function blend(vae: BigVae, { json }: ModelFlags): Promise<void> {
  const [a, b] = await vae.encode(ENDS);
  const zs = STEPS.map((t) => vae.interpolate(a!.mean, b!.mean, t));
  const texts = await vae.decodeAll(zs, { cfgScale: STEPS.map((t) => vae.space.mixScale([1 - t, t])) });
  const blends = STEPS.map((t, i) => ({ t, text: texts[i]! }));
  if (json) printJson({ step: "interpolate", from: ENDS[0], to: ENDS[1], blends });
  else
    show([
      heading("2. From one sentence to another, a quarter of the way at a time"),
      ...blends.map(({ t, text }) => `  ${t.toFixed(2)}  ${onOneLine(text)}`),
    ]);
}

/** Step 3: a paragraph, streamed span by span with its trace in words; one object at the end with --json. */
async function paragraph(vae: BigVae, { seed, json }: ModelFlags): Promise<void> {
  if (!json) show([heading("3. A paragraph by averaging drafts, from this beginning:"), TOPIC, ""]);
  const words = fromFirstWord();
  const spans: GeneratedSpan[] = [];
  const sampler = vae.generate("avg", {
    prompt: TOPIC,
    preset: "thread",
    nSteps: 2,
    nAvg: 4,
    tau: 0.5,
    noise: 1,
    seed,
    ...(json ? {} : { onText: (piece: string) => void process.stdout.write(words(piece)) }),
  });
  const written = await drive(sampler, (span) => {
    spans.push(span);
    if (!json) process.stdout.write(`\n${explained(span)}\n`);
  });
  if (json) printJson({ step: "generate", ...result(written, spans) });
}

/** Where a span's latent came from, as a sentence. */
function explained({ latent, drafts }: GeneratedSpan): string {
  const share = (role: string) => latent.parents.find(({ latent: { role: of } }) => of === role)?.weight ?? 0;
  const percent = (weight: number) => `${Math.round(100 * weight)} %`;
  return `  (Written from a latent that is ${percent(share("mix"))} the mean of ${drafts.length} drafts of what comes next and ${percent(share("prompt"))} the beginning, which holds the topic.)\n`;
}

/** Pieces of a text; what it begins with in the middle of a word is left out. */
function fromFirstWord(): (piece: string) => string {
  let hasBegun = false;
  return (piece) => {
    if (hasBegun) return piece;
    const text = piece.replace(/^[^\s\p{Lu}]*\s*/u, "");
    hasBegun = text !== "";
    return text;
  };
}

function show(lines: readonly string[]): void {
  process.stdout.write(`${lines.join("\n")}\n`);
}

function heading(text: string): string {
  return `\n${hasColours() ? `\x1b[1m${text}\x1b[0m` : text}`;
}
