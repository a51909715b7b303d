/** Work in turn: a long call takes a turn for each of its parts, so that a short one that was made later comes in between. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `part` when all that asked before it are done; not where the signal aborts while it waits. */
  take<T>(part: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const result = this.#last.then(() => {
      signal?.throwIfAborted();
      return part();
    });
    this.#last = result.catch(() => undefined);
    return result;
  }
}
