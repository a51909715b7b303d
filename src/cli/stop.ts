/** A server's life on the command line: until a signal ends it. */
import type { Server } from "../server/serve.js";

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
