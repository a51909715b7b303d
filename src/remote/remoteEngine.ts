/** An engine elsewhere, as the caller sees it: in a thread or a process of its own, or behind another link. */
import type { Encoding, PooledRow, Score, ScoreRow, TokenRow, WriteOptions, WriteRow } from "../engine/engine.js";
import type { WriterName } from "../engine/sessions.js";
import { BigVaeError } from "../errors.js";
import type { Connect, Link } from "./link.js";
import { onAbort } from "./onAbort.js";
import type { CallName, Calls, EngineFacts, OpenArguments, Reply } from "./protocol.js";

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
  /** Stops listening to the caller's signal. */
  release(): void;
  onToken?(row: number, tokenId: number): void;
}

export class RemoteEngine {
  readonly #pending = new Map<number, Pending>();
  #nextId = 0;
  /** Why no call can be answered any more. */
  #ended: BigVaeError | undefined;

  /** What calls go over. */
  readonly link: Link;
  #tellEnd: () => void = () => undefined;
  /** Settles once the other side is gone, called for or not. */
  readonly ended = new Promise<void>((resolve) => {
    this.#tellEnd = resolve;
  });

  private constructor(
    connect: Connect,
    /** Facts of the opened model. */
    public facts: EngineFacts,
  ) {
    this.link = connect({ receive: (reply) => this.#receive(reply), ended: (got) => this.#end(got) });
    this.link.hold(false);
  }

  /** Starts the other side and loads the model there. Where `args` are a promise, it starts while they settle, and ends where they are refused. */
  static async open(connect: Connect, args: OpenArguments | Promise<OpenArguments>): Promise<RemoteEngine> {
    const engine = new RemoteEngine(connect, undefined as never);
    try {
      engine.facts = await engine.#call("open", await args);
      return engine;
    } catch (error) {
      await engine.link.close();
      throw error;
    }
  }

  encode(rows: readonly TokenRow[], signal?: AbortSignal): Promise<Encoding[]> {
    return this.#call("encode", { rows }, signal);
  }

  embed(rows: readonly PooledRow[], causal: boolean, signal?: AbortSignal): Promise<Float32Array[]> {
    return this.#call("embed", { rows, causal }, signal);
  }

  write(rows: readonly WriteRow[], { signal, onToken, ...options }: WriteOptions): Promise<number[][]> {
    return this.#call("write", { rows, options }, signal, onToken);
  }

  score(
    rows: readonly ScoreRow[],
    writer: WriterName,
    context: readonly number[],
    signal?: AbortSignal,
  ): Promise<Score[]> {
    return this.#call("score", { rows, writer, context }, signal);
  }

  /** Aborts the calls under way, frees the model and ends the other side. A second time does nothing. */
  async close(): Promise<void> {
    if (this.#ended) return;
    const freed = this.#call("close", undefined);
    this.#ended = new BigVaeError("usage", {
      subject: "engine",
      expected: "an open model",
      got: "a closed one",
      remedy: "load it again",
    });
    // An engine that died has nothing left to free.
    await freed.catch(() => undefined);
    await this.link.close();
  }

  async #call<C extends CallName>(
    call: C,
    args: Calls[C]["args"],
    signal?: AbortSignal,
    onToken?: Pending["onToken"],
  ): Promise<Calls[C]["result"]> {
    if (this.#ended) throw this.#ended;
    if (signal?.aborted) throw aborted();
    const id = this.#nextId++;
    // The other side keeps the process alive only while a call is under way.
    if (this.#pending.size === 0) this.link.hold(true);
    return new Promise<unknown>((resolve, reject) => {
      const release = signal ? onAbort(signal, () => this.#abort(id, aborted())) : () => undefined;
      this.#pending.set(id, { resolve, reject, release, ...(onToken ? { onToken } : {}) });
      try {
        this.link.post({ id, call, args });
      } catch (cause) {
        this.#fail(id, notSendable(call, cause));
      }
    }) as Promise<Calls[C]["result"]>;
  }

  /** Ends a call on both sides. */
  #abort(id: number, error: Error): void {
    if (!this.#pending.has(id)) return;
    this.link.post({ id, abort: true });
    this.#fail(id, error);
  }

  #fail(id: number, error: Error): void {
    const pending = this.#pending.get(id);
    this.#settle(id);
    pending?.reject(error);
  }

  /** An error of the callback, thrown or rejected, is the call's. */
  #tell(id: number, onToken: Pending["onToken"], { row, tokenId }: { row: number; tokenId: number }): void {
    const fail = (error: unknown) => this.#abort(id, error as Error);
    try {
      const returned: unknown = onToken?.(row, tokenId);
      if (returned instanceof Promise) returned.catch(fail);
    } catch (error) {
      fail(error);
    }
  }

  #receive(reply: Reply): void {
    const pending = this.#pending.get(reply.id);
    if (!pending) return;
    if ("token" in reply) {
      this.#tell(reply.id, pending.onToken, reply.token);
      return;
    }
    this.#settle(reply.id);
    if ("aborted" in reply) pending.reject(aborted());
    else if ("error" in reply) pending.reject(new BigVaeError(reply.error.kind, reply.error.detail));
    else pending.resolve(reply.result);
  }

  #settle(id: number): void {
    this.#pending.get(id)?.release();
    this.#pending.delete(id);
    if (this.#pending.size === 0) this.link.hold(false);
  }

  /** No call is answered from here on: those that wait are told why. */
  #end(got: string): void {
    this.#ended ??= new BigVaeError("unavailable", {
      subject: "engine",
      expected: "one that runs",
      got,
      remedy: "load the model again",
    });
    this.#tellEnd();
    for (const id of this.#pending.keys()) this.#fail(id, this.#ended);
  }
}

function notSendable(call: CallName, cause: unknown): BigVaeError {
  const reason = cause instanceof Error ? cause.message.replace(/\.$/, "") : String(cause);
  return new BigVaeError(
    "usage",
    {
      subject: call,
      expected: "plain data for the engine",
      got: `something else (${reason})`,
      remedy: "await promises and leave functions out",
    },
    { cause },
  );
}

function aborted(): BigVaeError {
  return new BigVaeError("aborted", "aborted by the caller");
}
