/** Server-sent events of one answer: begun with the first event, so that what fails before it has a status of its own. */
import type { FastifyReply } from "fastify";
import type { FailedAnswer } from "./failures.js";

/** Bytes that wait for a slow reader at most. */
const MAX_WAITING_BYTES = 1_000_000;
/** A comment comes at least that often, so that nothing on the way takes the connection for dead. */
const HEARTBEAT_MS = 15_000;

export class EventStream {
  #heartbeat: NodeJS.Timeout | undefined;

  constructor(
    readonly reply: FastifyReply,
    /** Called where the reader is too slow: nothing more can be sent. */
    readonly giveUp: () => void,
  ) {
    this.#heartbeat = setInterval(() => this.#write(": still at work\n\n"), HEARTBEAT_MS);
  }

  /** Whether the answer has begun. */
  get hasBegun(): boolean {
    return this.reply.raw.headersSent;
  }

  /** Sends a value as JSON; floats of latents as plain numbers. */
  send(data: unknown, event?: string): void {
    this.#write(`${event ? `event: ${event}\n` : ""}data: ${JSON.stringify(data, plainFloats)}\n\n`);
  }

  /** Begins the answer before there is anything to tell. */
  open(): void {
    this.#write(": open\n\n");
  }

  fail({ body }: FailedAnswer): void {
    this.send(body, "error");
  }

  /** Ends the answer, behind a last line of data where the reader expects one. */
  end(last?: string): void {
    clearInterval(this.#heartbeat);
    if (last !== undefined) this.#write(`data: ${last}\n\n`);
    this.reply.raw.end();
  }

  /** Stops the heartbeat of an answer that has not begun. */
  drop(): void {
    clearInterval(this.#heartbeat);
  }

  #write(text: string): void {
    const { raw } = this.reply;
    if (raw.destroyed) return;
    if (!this.hasBegun) this.#begin();
    raw.write(text);
    if (raw.writableLength <= MAX_WAITING_BYTES) return;
    clearInterval(this.#heartbeat);
    this.giveUp();
    raw.destroy();
  }

  #begin(): void {
    const { reply } = this;
    reply.hijack();
    reply.raw.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
      connection: "keep-alive",
    });
  }
}

/** Arrays of floats become plain ones. */
export function plainFloats(_: string, value: unknown): unknown {
  return value instanceof Float32Array ? Array.from(value) : value;
}
