/** `bigvae studio`: the loom in the browser, served by this machine alone. */
import { spawn } from "node:child_process";
import { homedir } from "node:os";
import { join } from "node:path";
import { Command } from "@commander-js/extra-typings";
import { withMostDrafts } from "../memories.js";
import { wholeNumber } from "../options.js";
import { STRATEGIES_HELP } from "../plans.js";
import { modelOptions, untilStopped } from "../server.js";
import { MODEL_HELP, note, printJson, withModel } from "../shared.js";

export function studioCommand() {
  return withMostDrafts(
    withModel(new Command("studio").description("Write, branch and blend texts in the browser."), {
      help: MODEL_HELP,
    }),
  )
    .option("--project <folder>", "where the texts are kept", join(homedir(), ".bigvae", "studio"))
    .option(
      "--memory <place>",
      "memory, a folder or lance:PATH, s3://BUCKET/PATH and the like, that is shown on the map, and whose drafts branches may recall; begun if there is none",
    )
    .option("--experts <folder>", "experts that branches may be written by")
    .option("--strategies <folder>", STRATEGIES_HELP, "strategies")
    .option("--runs <folder>", "training runs that are shown: the folder that theirs lie in", "runs")
    .option("--port <n>", "port to listen at; 0 is any that is free", wholeNumber(), 3002)
    .option("--no-open", "do not open the browser")
    .addHelpText(
      "after",
      `
--seed makes branches repeatable by their order; default: other ones each time. The page and the model stay on this machine. Every change is kept at once; Ctrl-C ends the server.

Examples:
  bigvae studio
  bigvae studio --project tales --no-open`,
    )
    .action(async (flags, command) => {
      const { port, project, runs, memory, memoryDrafts, experts, strategies, open } = flags;
      // The server's packages are loaded for the commands that need them alone.
      const { serve } = await import("../../server/serve.js");
      const server = await serve({
        ...modelOptions(flags, command),
        ...{ port, project, runs, memory, memoryDrafts, experts, strategies },
        maxBodyBytes: 2 ** 28,
      });
      await untilStopped(server, (url) => {
        if (flags.json) printJson({ url, project });
        else process.stdout.write(`${url}\n`);
        note(flags, `bigvae: the studio is at ${url}, its texts in ${project}; Ctrl-C ends it`);
        if (open) openBrowser(url);
      });
    });
}

/** Opens a page in the browser that the system prefers; where there is none, the address was printed. */
function openBrowser(url: string): void {
  const [command, ...args] =
    process.platform === "darwin"
      ? ["open", url]
      : process.platform === "win32"
        ? ["cmd", "/c", "start", "", url]
        : ["xdg-open", url];
  const child = spawn(command!, args, { stdio: "ignore", detached: true });
  child.on("error", () => undefined);
  child.unref();
}
