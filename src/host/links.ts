/** Links to engines on this machine: in a thread of this process, and in a process of its own. */
import { fork } from "node:child_process";
import { Worker } from "node:worker_threads";
import "../runtime/noTelemetry.js";
import type { Connect } from "../remote/link.js";
import type { Reply } from "../remote/protocol.js";

/** ONNX Runtime recurses over the command line as it starts: in Node's default of 4 MB for threads it crashes beyond some 14,000 characters. */
const STACK_MB = 64;

/** An engine in a thread: quick to start, and it dies only with the process. */
export const threadLink: Connect = ({ receive, ended }) => {
  // Arguments of Node are for the program: a thread refuses --input-type.
  const options = { execArgv: [], resourceLimits: { stackSizeMb: STACK_MB } };
  const worker = new Worker(new URL("./engineWorker.js", import.meta.url), options);
  worker.on("message", (reply: Reply) => receive(reply));
  worker.on("error", (error) => ended(failed(error)));
  worker.on("exit", () => ended("one that ended"));
  return {
    post: (message) => worker.postMessage(message),
    hold: (isNeeded) => void (isNeeded ? worker.ref() : worker.unref()),
    close: async () => void (await worker.terminate()),
  };
};

/** An engine in a process: whatever ends it leaves this process as it is. */
export const processLink: Connect = ({ receive, ended }) => {
  const child = fork(new URL("./engineProcess.js", import.meta.url), [], {
    execArgv: [],
    serialization: "advanced",
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const gone = new Promise<void>((resolve) => {
    child.on("exit", (code, signal) => {
      ended(signal ? `one that ${signal} ended` : `one that exited with code ${code}`);
      resolve();
    });
    child.on("error", (error) => {
      ended(failed(error));
      if (child.pid === undefined) resolve();
    });
  });
  child.on("message", (reply) => receive(reply as Reply));
  return {
    ...(child.pid === undefined ? {} : { pid: child.pid }),
    // What could not be sent shows when the process ends.
    post: (message) => void (child.connected && child.send(message, undefined, {}, () => undefined)),
    hold(isNeeded) {
      for (const held of [child, child.channel]) void (isNeeded ? held?.ref() : held?.unref());
    },
    async close() {
      if (child.exitCode === null && child.signalCode === null) {
        child.ref();
        child.kill("SIGKILL");
      }
      await gone;
    },
  };
};

function failed(error: Error): string {
  return `one that failed (${error.message.replace(/\.$/, "")})`;
}
