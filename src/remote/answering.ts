/** The engine's end of a link: answers requests, aborts those that are called off. */
import type { Engine } from "../engine/engine.js";
import { BigVaeError, type ErrorDetail, type ErrorKind } from "../errors.js";
import type { CallName, Calls, EngineFacts, OpenArguments, Reply, Request } from "./protocol.js";

/** What answers besides the engine. */
export interface Surroundings {
  open(args: OpenArguments): Promise<{ engine: Engine; facts: EngineFacts }>;
  /** Sends to the caller. */
  send(reply: Reply): void;
  /** Whether errors of the library's own tell where they were thrown. */
  tellsStacks: boolean;
}

type Handler<C extends CallName> = (
  args: Calls[C]["args"],
  id: number,
  signal: AbortSignal,
) => Promise<Calls[C]["result"]>;

/** Takes the requests of one caller. */
export function answering({ open, send, tellsStacks }: Surroundings): (request: Request) => void {
  const running = new Map<number, AbortController>();
  let engine: Engine | undefined;
  const opened = (): Engine => {
    if (engine) return engine;
    throw new BigVaeError("internal", {
      subject: "engine",
      expected: "an open model",
      got: "a closed one",
      remedy: "load it again",
    });
  };
  const handlers: { [C in CallName]: Handler<C> } = {
    async open(args) {
      const { engine: made, facts } = await open(args);
      engine = made;
      return facts;
    },
    encode: ({ rows }, _id, signal) => opened().encode(rows, signal),
    embed: ({ rows, causal }, _id, signal) => opened().embed(rows, causal, signal),
    write: ({ rows, options }, id, signal) =>
      opened().write(rows, { ...options, signal, onToken: (row, tokenId) => send({ id, token: { row, tokenId } }) }),
    score: ({ rows, writer, context }, _id, signal) => opened().score(rows, writer, context, signal),
    async close() {
      for (const controller of running.values()) controller.abort();
      await engine?.close();
      await engine?.base.weights.close();
      engine = undefined;
      return undefined;
    },
  };

  async function answer<C extends CallName>(id: number, call: C, args: unknown): Promise<void> {
    const controller = new AbortController();
    running.set(id, controller);
    try {
      send({ id, result: await handlers[call](args as Calls[C]["args"], id, controller.signal) });
    } catch (error) {
      send({ id, ...failure(error, tellsStacks) });
    } finally {
      running.delete(id);
    }
  }

  return (request) => {
    if ("abort" in request) running.get(request.id)?.abort();
    else void answer(request.id, request.call, request.args);
  };
}

/** How a call failed, without its id. */
function failure(
  error: unknown,
  tellsStacks: boolean,
): { error: { kind: ErrorKind; detail: ErrorDetail } } | { aborted: true } {
  if (error instanceof BigVaeError && error.detail) return { error: { kind: error.kind, detail: error.detail } };
  if (error instanceof Error && (error.name === "AbortError" || error instanceof BigVaeError)) return { aborted: true };
  const debug = tellsStacks && error instanceof Error;
  const detail = {
    subject: "engine",
    expected: "no error of its own",
    got: debug ? `${error.stack}` : `${error}`,
    remedy: debug ? "report it" : "set BIGVAE_DEBUG=1 to see where",
  };
  return { error: { kind: "internal", detail } };
}
