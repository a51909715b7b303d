/** `bigvae generate --base`: plain sampling from the base alone, streamed span by span. */
import { type BigVae, type CompletedSpan, SAMPLING_DEFAULTS } from "../bigVae.js";
import { BigVaeError } from "../errors.js";
import { drive, joined } from "../operations/writing.js";
import { refuseUnused, withFlags } from "./flags.js";
import { parseLatentInput } from "./latentInput.js";
import { interruptSignal } from "./options.js";
import { MODEL_FLAGS, type ModelFlags, printJson, stopped, useModel, warn } from "./shared.js";
import { printStopped, spanPrinter, warnEnded } from "./spans.js";

interface BaseFlags extends ModelFlags {
  context: string;
  prompt: readonly string[];
  steps?: number;
  span?: number;
  tau?: number;
  ignoreEos: boolean;
}

/** What plain sampling takes, by the names of the flags in code. */
const OF_BASE = ["base", "context", "prompt", "steps", "span", "tau", "ignoreEos", ...MODEL_FLAGS];

/** Goes on from the context and, behind it, the prompt. */
export async function runBase(flags: BaseFlags): Promise<void> {
  refuseUnused((name) => !OF_BASE.includes(name), "a sampler with latents", "--base");
  const before = `${flags.context}${promptText(flags.prompt)}`;
  const { steps: nSteps, span, tau, seed, ignoreEos } = flags;
  const write = async (vae: BigVae) => {
    const printer = spanPrinter(flags);
    const spans: CompletedSpan[] = [];
    const options = {
      ...{ nSteps, span, tau, seed, ignoreEos },
      signal: interruptSignal(),
      onWarning: (text: string) => warn(flags, text),
      ...(flags.json ? {} : { onText: printer.text }),
    };
    const { text, ids } = await drive(vae.complete(before, options), (written) => {
      spans.push(written);
      if (flags.json) printJson({ span: spans.length, text: written.text, ids: written.ids });
      printer.span(`  [span ${spans.length}: ${written.ids.length} tokens of the base]`);
    })
      .catch((thrown: Error) => {
        const error = stopped(thrown);
        if (flags.json) printStopped(spans, {}, withFlags(error.message));
        throw error;
      })
      .finally(printer.end);
    warnEnded(flags, spans, nSteps ?? SAMPLING_DEFAULTS.nSteps, vae.tokenizer.eosId);
    if (flags.json) printJson({ ...joined(spans), original: { text, ids } });
  };
  await useModel(flags, write, "base");
}

/** The text of --prompt; none is empty. Throws "usage" for several, and for the place of a latent. */
function promptText([given = "", ...more]: readonly string[]): string {
  if (more.length > 0)
    throw new BigVaeError("usage", {
      subject: "--prompt",
      expected: "one, since a base goes on from one text",
      got: 1 + more.length,
      remedy: "write them as one text, or leave out --base",
    });
  const input = parseLatentInput(given);
  if ("text" in input) return input.text;
  throw new BigVaeError("usage", {
    subject: "--prompt",
    expected: "a text, since a base has no latents",
    got: JSON.stringify(given),
    remedy: "write the text itself, or leave out --base",
  });
}
