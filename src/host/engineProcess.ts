/** The process that runs the engine: a native library that aborts ends this process, and not the caller's. */
import { answering } from "../remote/answering.js";
import { openEngine } from "./openEngine.js";

// Ctrl-C and a service manager signal the whole group: the caller decides when its engine ends.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => undefined);
process.on("disconnect", () => process.exit());

const answer = answering({
  open: openEngine,
  // A caller that is gone takes this process with it.
  send: (reply) => void (process.connected && process.send!(reply, undefined, {}, () => undefined)),
  tellsStacks: !!process.env.BIGVAE_DEBUG,
});
process.on("message", (request) => answer(request as Parameters<typeof answer>[0]));
