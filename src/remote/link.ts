/** How a caller and an engine elsewhere exchange messages: a thread, a process, whatever can send plain data. */
import type { Reply, Request } from "./protocol.js";

/** What the caller hears of the other side. */
export interface LinkEvents {
  receive(reply: Reply): void;
  /** Nothing comes any more; `got` says what was found in place of an engine that runs: "one that ended". */
  ended(got: string): void;
}

/** The caller's end of a connection to an engine. */
export interface Link {
  /** The process of the engine, where it has one of its own. */
  readonly pid?: number;
  /** Throws where the message is not plain data. What is posted to an end that is gone is lost. */
  post(message: Request): void;
  /** Whether a call is under way: the other side then keeps this process alive. */
  hold(isNeeded: boolean): void;
  /** Ends the other side. */
  close(): Promise<void>;
}

/** Starts the other side. */
export type Connect = (events: LinkEvents) => Link;
