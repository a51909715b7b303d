/** Rows of several calls in one batch: what waits while a batch is computed goes into the next one, where its length allows. */
import { batchesOfLikeLength } from "./encoding.js";
import { Turns } from "./turns.js";

interface Job<R, T> {
  readonly rows: readonly R[];
  readonly signal: AbortSignal | undefined;
  resolve(results: T[]): void;
  reject(error: unknown): void;
}

export class JointBatches<R, T> {
  #waiting: Job<R, T>[] = [];

  constructor(
    readonly lengthOf: (row: R) => number,
    readonly run: (rows: readonly R[], signal?: AbortSignal) => Promise<T[]>,
    /** A batch takes one of them. */
    readonly turns = new Turns(),
  ) {}

  /** Results of rows of like length, computed beside those of other calls. */
  submit(rows: readonly R[], signal?: AbortSignal): Promise<T[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ rows, signal, resolve, reject });
      void this.turns.take(() => this.#next());
    });
  }

  async #next(): Promise<void> {
    for (const { signal, reject } of this.#waiting) if (signal?.aborted) reject(signal.reason);
    const jobs: Job<R, T>[] = [];
    const left: Job<R, T>[] = [];
    for (const job of this.#waiting.filter(({ signal }) => !signal?.aborted)) {
      const together = [...jobs, job].flatMap(({ rows }) => rows);
      (jobs.length === 0 || batchesOfLikeLength(together.map(this.lengthOf)).length === 1 ? jobs : left).push(job);
    }
    this.#waiting = left;
    if (jobs.length > 0) await this.#compute(jobs);
  }

  async #compute(jobs: readonly Job<R, T>[]): Promise<void> {
    const [only] = jobs.length === 1 ? jobs : [];
    try {
      // Only a call that is alone may end a batch that is under way.
      const results = await this.run(
        jobs.flatMap(({ rows }) => rows),
        only?.signal,
      );
      let at = 0;
      for (const { rows, resolve } of jobs) resolve(results.slice(at, (at += rows.length)));
    } catch (error) {
      if (only) only.reject(error);
      // A call fails by its own fault alone.
      else for (const job of jobs) await this.#compute([job]);
    }
  }
}
