/** The thread that runs the engine, so that the caller's event loop stays free: ONNX Runtime blocks the thread that calls it. */
import { parentPort } from "node:worker_threads";
import { answering } from "../remote/answering.js";
import { openEngine } from "./openEngine.js";

const port = parentPort!;
const send = (reply: unknown) => port.postMessage(reply);
port.on("message", answering({ open: openEngine, send, tellsStacks: !!process.env.BIGVAE_DEBUG }));
