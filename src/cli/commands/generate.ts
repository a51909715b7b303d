/** `bigvae generate`: the samplers, streamed span by span. */
import { Command, Option } from "@commander-js/extra-typings";
import type { BigVae } from "../../bigVae.js";
import { replay } from "../../host/trace.js";
import { AVERAGING_RULES } from "../../sampling/averaging.js";
import { AVG_PRESETS, type AvgPresetName, pullsOf } from "../../sampling/avg.js";
import { type SamplerName, samplers } from "../../sampling/samplers.js";
import { runBase } from "../baseText.js";
import { refuseUnused } from "../flags.js";
import { LATENT_HELP } from "../latentInput.js";
import { collected, interruptSignal } from "../options.js";
import { JSON_TEXT, run, withSampling } from "../sampling.js";
import { MODEL_FLAGS, type ModelFlags, printJson, useModel, withModel } from "../shared.js";
import { spanPrinter } from "../spans.js";

const NAMES = Object.keys(samplers) as SamplerName[];
export const PRESETS = Object.keys(AVG_PRESETS) as AvgPresetName[];

export function generateCommand() {
  const list = NAMES.map((name) => `  ${name.padEnd(16)} ${samplers[name].summary}${weightsLine(name)}`).join("\n");
  return withSampling(withModel(new Command("generate").description("Write text with a sampler, span by span.")))
    .addOption(
      new Option(
        "--sampler <name>",
        "sampler; default: policy with a plan, task with a strategy that has a task vector alone, else avg",
      ).choices(NAMES),
    )
    .addOption(
      new Option(
        "--preset <name>",
        "spans and weights of avg; default: thread, which continues from span to span (card for a model of one slot)",
      ).choices(PRESETS),
    )
    .addOption(
      new Option("--averaging <rule>", "how avg combines its drafts into one latent; default: their mean").choices(
        AVERAGING_RULES,
      ),
    )
    .option("--plan <file>", "a plan to follow (bigvae plan make)")
    .option("--prompt <text>", "topic; give it several times for user-avg", collected, [] as string[])
    .addHelpText(
      "after",
      `
Samplers:
${list}

${LATENT_HELP}

${JSON_TEXT}

Examples:
  bigvae generate --sampler guide --prompt "The owl lost a button." --steps 3 --seed 7
  bigvae generate --sampler task --prompt "@z.npy#2" --task @task.safetensors
  bigvae generate --plan plan.json --context "The owl lost a button."
  bigvae generate --sampler bridge --start "The owl lost a button." --terminal "They all danced by the fire." --steps 3
  bigvae generate --base --model SmolLM2-135M --prompt "The owl lost" --steps 2`,
    )
    .option("--replay <folder>", "repeat a run saved by --trace; fails at the first token that differs")
    .option("--base", "the base alone goes on from --context and --prompt: plain sampling, without latents", false)
    .action((flags) => {
      if (flags.replay !== undefined) return runReplay(flags.replay, flags);
      return flags.base ? runBase(flags) : run(flags.sampler, flags);
    });
}

/** The weights of a sampler on a line of their own, as --weights takes them; of avg, a line for each preset. */
function weightsLine(name: SamplerName): string {
  const list = (weights: object) =>
    Object.entries(weights)
      .map((pair) => pair.join("="))
      .join(",");
  const lines =
    name === "avg"
      ? PRESETS.map((preset) => `${list(pullsOf(AVG_PRESETS[preset]))} (${preset})`)
      : [list(samplers[name].weights)];
  return lines.map((line) => (line === "" ? "" : `\n${" ".repeat(19)}${line}`)).join("");
}

/** What a replay takes: which model repeats the run, and how it is shown. */
const OF_REPLAY = ["replay", ...MODEL_FLAGS.filter((name) => name !== "seed")];

async function runReplay(folder: string, flags: ModelFlags): Promise<void> {
  refuseUnused((name) => !OF_REPLAY.includes(name), "a new run", "--replay, which repeats one as it was saved");
  const repeat = async (vae: BigVae) => {
    const printer = spanPrinter(flags);
    let count = 0;
    for await (const { written, text } of replay(folder, vae, interruptSignal())) {
      count++;
      if (flags.json) printJson({ span: count, text, ids: written });
      else printer.text(text);
      printer.span(`  [span ${count}: as saved]`);
    }
    printer.end();
  };
  // The trace knows which adapters it needs.
  await useModel(flags, repeat, "base");
}
