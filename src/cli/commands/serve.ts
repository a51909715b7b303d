/** `bigvae serve`: the model over HTTP, for OpenAI's clients, for MiniLoom, and for what works with latents. */
import { Command } from "@commander-js/extra-typings";
import { withMostDrafts } from "../memories.js";
import { collected, wholeNumber } from "../options.js";
import { STRATEGIES_HELP } from "../plans.js";
import { modelOptions, untilStopped } from "../server.js";
import { MODEL_HELP, note, printJson, withModel } from "../shared.js";

const MEBIBYTE = 2 ** 20;

export function serveCommand() {
  return withMostDrafts(
    withModel(new Command("serve").description("Serve the model over HTTP: OpenAI's API, latents, MiniLoom."), {
      help: MODEL_HELP,
    }),
  )
    .option("--host <address>", "address to listen at; beyond this machine a key is required", "127.0.0.1")
    .option("--port <n>", "port to listen at; 0 is any that is free", wholeNumber(), 3001)
    .option("--key <key>", "key that requests must send; default: BIGVAE_API_KEY, if set")
    .option(
      "--cors <origin>",
      'origin of a page that may call, may be repeated; "null" is MiniLoom\'s',
      collected,
      [] as string[],
    )
    .option("--allowed-hosts <name>", "further name of this server, may be repeated", collected, [] as string[])
    .option(
      "--memory <place>",
      "memory that spans and drafts are kept in, a folder or lance:PATH, s3://BUCKET/PATH and the like; begun if there is none",
    )
    .option("--experts <folder>", "experts that requests may have write (the field experts of the samplers' routes)")
    .option("--strategies <folder>", STRATEGIES_HELP, "strategies")
    .option("--max-active <n>", "requests at work", wholeNumber(1), 64)
    .option("--max-waiting <n>", "requests that wait; further ones are refused", wholeNumber(), 64)
    .option("--max-body <MiB>", "size of a request", wholeNumber(1), 2)
    .addHelpText(
      "after",
      `
--seed makes answers without a seed of their own repeatable by their order; default: another one each time. A key on the command line is seen
by other users of the machine: BIGVAE_API_KEY is not. GET /openapi.json describes all routes.

Examples:
  bigvae serve
  bigvae serve --cors null
  BIGVAE_API_KEY=secret bigvae serve --host 0.0.0.0 --allowed-hosts my-machine`,
    )
    .action(async (flags, command) => {
      const {
        host,
        port,
        cors,
        allowedHosts,
        maxActive,
        maxWaiting,
        maxBody,
        memory,
        memoryDrafts,
        experts,
        strategies,
        key = process.env.BIGVAE_API_KEY,
      } = flags;
      // The server's packages are loaded for this command alone.
      const { serve } = await import("../../server/serve.js");
      const server = await serve({
        ...modelOptions(flags, command),
        ...{ host, port, cors, allowedHosts, maxActive, maxWaiting, key, memory, memoryDrafts, experts, strategies },
        maxBodyBytes: maxBody * MEBIBYTE,
        log: flags.quiet ? undefined : process.stderr,
      });
      await untilStopped(server, (url) => {
        if (flags.json) printJson({ url, model: server.model.name });
        else process.stdout.write(`${url}\n`);
        note(flags, `bigvae: ${server.model.name} is served at ${url}; Ctrl-C ends it`);
      });
    });
}
