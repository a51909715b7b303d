/** Steps 3 and 4 of the tour: a paragraph by averaging drafts, and a text that passes the waypoints of a plan. */
import type { BigVae, GeneratedSpan } from "../../bigVae.js";
import { planOfTexts } from "../../operations/plans.js";
import { drive, result } from "../../operations/writing.js";
import { onOneLine } from "../shade.js";
import { type ModelFlags, printJson } from "../shared.js";
import { heading, show } from "./printing.js";

const TOPIC = `One rainy morning, Nora the bear went into the forest to look for honey. The path was muddy, and the trees dripped on \
her nose. She looked under the old log and behind the big stones, but there was no honey anywhere.`;

const BEGINNING = "The old king lived in a castle by the sea.";
const WAYPOINTS = ["A storm came up in the night.", "In the morning the king was very happy."] as const;

/** Step 3: a paragraph, streamed span by span with its trace in words; one object at the end with --json. */
export async function paragraph(vae: BigVae, { seed, json }: ModelFlags): Promise<void> {
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

/** Step 4: from a beginning past two places. */
export async function planned(vae: BigVae, { seed, json }: ModelFlags): Promise<void> {
  if (!json)
    show([
      heading("4. A plan leads a text past places, here two:"),
      ...WAYPOINTS.map((text, i) => `  ${i + 1}. ${text}`),
      "",
      BEGINNING,
    ]);
  const plan = await planOfTexts(vae, WAYPOINTS);
  const spans: GeneratedSpan[] = [];
  const sampler = vae.generate("policy", { plan, context: BEGINNING, nSteps: 4, nAvg: 8, tau: 0.7, seed });
  const written = await drive(sampler, (span) => {
    spans.push(span);
    if (!json) show([onOneLine(span.text.trim()), passed(span)]);
  });
  if (json) printJson({ step: "plan", waypoints: WAYPOINTS, ...result(written, spans) });
}

/** How near a span came to the waypoint that it was for. */
function passed({ plan }: GeneratedSpan): string {
  const { waypoint, distance, isReached } = plan!;
  return `  (For waypoint ${waypoint}, ${distance.toFixed(2)} away${isReached ? ": reached" : ""}.)`;
}
