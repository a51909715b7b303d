/** The verbs of the command, one per file in commands/. */
import { Command } from "@commander-js/extra-typings";
import { nameFlagsOf } from "./flags.js";
import { help } from "./help.js";
import { packageVersion } from "./version.js";

/** The verbs in the order of the help text. Each is loaded when it is named: most of what a command takes to begin is reading its modules. */
const COMMANDS: Readonly<Record<string, () => Promise<unknown>>> = {
  demo: async () => (await import("./commands/demo.js")).demoCommand(),
  encode: async () => (await import("./commands/encode.js")).encodeCommand(),
  decode: async () => (await import("./commands/decode.js")).decodeCommand(),
  similar: async () => (await import("./commands/similar.js")).similarCommand(),
  memory: async () => (await import("./commands/memory.js")).memoryCommand(),
  expert: async () => (await import("./commands/expert.js")).expertCommand(),
  reconstruct: async () => (await import("./commands/latents.js")).reconstructCommand(),
  interpolate: async () => (await import("./commands/latents.js")).interpolateCommand(),
  mix: async () => (await import("./commands/latents.js")).mixCommand(),
  generate: async () => (await import("./commands/generate.js")).generateCommand(),
  plan: async () => (await import("./commands/plan.js")).planCommand(),
  strategy: async () => (await import("./commands/strategy.js")).strategyCommand(),
  "task-vector": async () => (await import("./commands/latents.js")).taskVectorCommand(),
  serve: async () => (await import("./commands/serve.js")).serveCommand(),
  studio: async () => (await import("./commands/studio.js")).studioCommand(),
  data: async () => (await import("./commands/data.js")).dataCommand(),
  train: async () => (await import("./commands/train.js")).trainCommand(),
  eval: async () => (await import("./commands/eval.js")).evalCommand(),
  pack: async () => (await import("./commands/pack.js")).packCommand(),
  pull: async () => (await import("./commands/pull.js")).pullCommand(),
  list: async () => (await import("./commands/models.js")).listCommand(),
  show: async () => (await import("./commands/show.js")).showCommand(),
  rm: async () => (await import("./commands/models.js")).rmCommand(),
  doctor: async () => (await import("./commands/doctor.js")).doctorCommand(),
};

const VERSION = ["-V", "--version"];

/** The command with the verb of that name; with all of them where none has it. */
export async function commandTree(verb = ""): Promise<Command> {
  const command = new Command("bigvae")
    .description("Work in the latent space of a language model: encode, blend, plan and write text.")
    .version(packageVersion(), VERSION.join(", "))
    .showSuggestionAfterError()
    .hook("preAction", (_, command) => nameFlagsOf(command));
  // Help and suggestions know all of them.
  const wanted = Object.hasOwn(COMMANDS, verb) ? [verb] : VERSION.includes(verb) ? [] : Object.keys(COMMANDS);
  for (const name of wanted) command.addCommand((await COMMANDS[name]!()) as Command);
  configure(command);
  return command;
}

/** Mistakes on the command line are thrown, so that all errors leave by one door, and begin like all others. */
function configure(command: Command): void {
  command
    .configureHelp(help)
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => write(text.replace(/^error: /, "bigvae: ")),
    });
  for (const verb of command.commands) configure(verb as Command);
}
