/** Requests at work have a limit, and so have those that wait for a place. */
import { RequestError } from "./failures.js";

interface Waiting {
  enter(): void;
}

export class Queue {
  #active = 0;
  readonly #line: Waiting[] = [];

  constructor(
    readonly maxActive: number,
    readonly maxWaiting: number,
  ) {}

  /** Requests at work. */
  get active(): number {
    return this.#active;
  }

  /** Requests that wait. */
  get waiting(): number {
    return this.#line.length;
  }

  /** Runs `work` once there is a place. Throws a 429 where the line is full, and the signal's reason where it aborts in the line. */
  async run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    if (this.#active >= this.maxActive) await this.#wait(signal);
    else this.#active++;
    try {
      signal.throwIfAborted();
      return await work();
    } finally {
      // The place goes straight to the next in line.
      const next = this.#line.shift();
      if (next) next.enter();
      else this.#active--;
    }
  }

  #wait(signal: AbortSignal): Promise<void> {
    if (this.#line.length >= this.maxWaiting)
      throw new RequestError(
        429,
        "queue_full",
        {
          subject: "server",
          expected: `at most ${this.maxWaiting} waiting requests`,
          got: "one more",
          remedy: "try again later",
        },
        1,
      );
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#line.splice(this.#line.indexOf(waiting), 1);
        reject(signal.reason);
      };
      const waiting: Waiting = {
        enter() {
          signal.removeEventListener("abort", leave);
          resolve();
        },
      };
      this.#line.push(waiting);
      signal.addEventListener("abort", leave, { once: true });
    });
  }
}
