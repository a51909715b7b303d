/** Runs the command, and says how it ended. */
import { CommanderError } from "@commander-js/extra-typings";
import { BigVaeError, EXIT_CODES } from "../errors.js";
import { diskError } from "../formats/fileOps.js";
import { commandTree } from "./commandTree.js";
import { withFlags } from "./flags.js";
import { interrupt } from "./options.js";

/** Whoever reads a stream may leave (`| head`), which is no mistake; a disk may be full. The command then stops as at Ctrl-C. */
let outputError: NodeJS.ErrnoException | undefined;
process.stdout.on("error", (error) => {
  outputError ??= error;
  interrupt();
});
process.stderr.on("error", interrupt);

try {
  await (await commandTree(process.argv[2])).parseAsync();
} catch (error) {
  process.exitCode = outputError ? 0 : report(error);
}
if (outputError && outputError.code !== "EPIPE")
  process.exitCode = report(await diskError("standard output", 0, outputError));

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
