/** A server on the command line: its options, and its life until a signal ends it. */
import { randomInt } from "node:crypto";
import type { Command } from "@commander-js/extra-typings";
import type { ServeOptions, Server } from "../server/serve.js";
import type { ModelFlags } from "./shared.js";
import { packageVersion } from "./version.js";

/** What the flags of the model say. Without --seed, answers differ each time. */
export function modelOptions(
  { model, adapters, quant, compute, device, threads, seed }: ModelFlags,
  command: Pick<Command, "getOptionValueSource">,
): Pick<ServeOptions, "model" | "load" | "seed" | "version"> {
  return {
    model,
    load: { quant, compute, device, ...(adapters ? { adapters } : {}), ...(threads ? { threads } : {}) },
    seed: command.getOptionValueSource("seed") === "cli" ? seed : randomInt(2 ** 31),
    version: packageVersion(),
  };
}

/** Tells the address once the model is loaded, waits for Ctrl-C or SIGTERM, and closes in order; a second signal ends the process at once. */
export async function untilStopped(server: Server, onLoaded: (url: string) => void): Promise<void> {
  const stop = new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const)
      process.once(signal, () => {
        process.once(signal, () => process.exit(130));
        resolve();
      });
  });
  try {
    await Promise.race([server.loaded, stop]);
    // A signal may come first.
    if (server.model.isReady) onLoaded(server.url);
    await stop;
  } finally {
    server.loaded.catch(() => undefined);
    await server.close();
  }
}
