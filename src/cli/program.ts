/** The verbs of the command, one per file in commands/, and how they end. */
import { Command, CommanderError } from "@commander-js/extra-typings";
import { BigVaeError, EXIT_CODES } from "../errors.js";
import { diskError } from "../formats/fileOps.js";
import { dataCommand } from "./commands/data.js";
import { decodeCommand } from "./commands/decode.js";
import { demoCommand } from "./commands/demo.js";
import { doctorCommand } from "./commands/doctor.js";
import { encodeCommand } from "./commands/encode.js";
import { evalCommand } from "./commands/eval.js";
import { generateCommand, planCommand } from "./commands/generate.js";
import { interpolateCommand, mixCommand, reconstructCommand, taskVectorCommand } from "./commands/latents.js";
import { memoryCommand } from "./commands/memory.js";
import { listCommand, rmCommand } from "./commands/models.js";
import { packCommand } from "./commands/pack.js";
import { pullCommand } from "./commands/pull.js";
import { serveCommand } from "./commands/serve.js";
import { showCommand } from "./commands/show.js";
import { similarCommand } from "./commands/similar.js";
import { studioCommand } from "./commands/studio.js";
import { trainCommand } from "./commands/train.js";
import { nameFlagsOf, withFlags } from "./flags.js";
import { help } from "./help.js";
import { interrupt } from "./options.js";
import { packageVersion } from "./version.js";

function program(): Command {
  const command = new Command("bigvae")
    .description("Work in the latent space of a language model: encode, blend, plan and write text.")
    .version(packageVersion(), "-V, --version")
    .showSuggestionAfterError()
    .hook("preAction", (_, command) => nameFlagsOf(command));
  const commands = [
    demoCommand(),
    encodeCommand(),
    decodeCommand(),
    similarCommand(),
    memoryCommand(),
    reconstructCommand(),
    interpolateCommand(),
    mixCommand(),
    generateCommand(),
    planCommand(),
    taskVectorCommand(),
    serveCommand(),
    studioCommand(),
    dataCommand(),
    trainCommand(),
    evalCommand(),
    packCommand(),
    pullCommand(),
    listCommand(),
    showCommand(),
    rmCommand(),
    doctorCommand(),
  ];
  for (const verb of commands) command.addCommand(verb as Command);
  configure(command);
  return command;
}

/** Whoever reads a stream may leave (`| head`), which is no mistake; a disk may be full. The command then stops as at Ctrl-C. */
let outputError: NodeJS.ErrnoException | undefined;
process.stdout.on("error", (error) => {
  outputError ??= error;
  interrupt();
});
process.stderr.on("error", interrupt);

try {
  await program().parseAsync();
} catch (error) {
  process.exitCode = outputError ? 0 : report(error);
}
if (outputError && outputError.code !== "EPIPE")
  process.exitCode = report(await diskError("standard output", 0, outputError));

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

/** Prints one sentence to standard error; returns the exit code. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_CODES.usage;
  if (error instanceof BigVaeError) {
    process.stderr.write(`bigvae: ${withFlags(error.message)}\n`);
    return error.exitCode;
  }
  if (error instanceof Error && error.name === "AbortError") {
    process.stderr.write("bigvae: stopped before the end\n");
    return EXIT_CODES.aborted;
  }
  const text = process.env.BIGVAE_DEBUG ? (error as Error).stack : `${error}; set BIGVAE_DEBUG=1 to see where`;
  process.stderr.write(`bigvae: ${text}\n`);
  return EXIT_CODES.internal;
}
