/** Writes the sequences of all calls together: at each step every one of them gets a token. */
import type { BatchRow } from "./batch.js";
import type { Turns } from "./turns.js";

/** A text in the course of being written. */
export interface Sequence {
  /** Its row in the batch of its writer and, where the base guides it, that in the base's. */
  readonly rows: readonly BatchRow[];
  /** Chooses the next token from the logits of its rows; undefined where that was the last one. */
  choose(logits: readonly Float32Array[]): number | undefined;
}

/** The sequences of a call. */
interface Submission {
  readonly sequences: Set<Sequence>;
  readonly signal: AbortSignal | undefined;
  resolve(): void;
  reject(error: unknown): void;
}

export class Scheduler {
  readonly #submissions = new Set<Submission>();
  #isRunning = false;

  constructor(
    /** A step takes one of them. */
    readonly turns: Turns,
  ) {}

  /** Writes sequences to their ends, beside those of other calls. Their rows are left behind in no case. */
  submit(sequences: readonly Sequence[], signal?: AbortSignal): Promise<void> {
    if (sequences.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#submissions.add({ sequences: new Set(sequences), signal, resolve, reject });
      void this.#run();
    });
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    while (this.#submissions.size > 0) await this.turns.take(() => this.#step());
    this.#isRunning = false;
  }

  async #step(): Promise<void> {
    for (const submission of this.#submissions)
      if (submission.signal?.aborted) this.#fail(submission, submission.signal.reason);
    const batches = new Map<BatchRow["batch"], Set<Submission>>();
    for (const submission of this.#submissions) {
      for (const { batch } of Array.from(submission.sequences).flatMap(({ rows }) => rows))
        batches.set(batch, (batches.get(batch) ?? new Set()).add(submission));
    }
    for (const [batch, submissions] of batches) {
      // Only a call that is alone may end a step that is under way.
      const [only] = submissions.size === 1 ? submissions : [];
      try {
        await batch.step(only?.signal);
      } catch (error) {
        for (const submission of submissions) this.#fail(submission, error);
      }
    }
    for (const submission of this.#submissions) this.#choose(submission);
  }

  #choose(submission: Submission): void {
    const { sequences } = submission;
    try {
      for (const sequence of sequences) {
        const token = sequence.choose(sequence.rows.map(({ logits }) => logits));
        if (token === undefined) {
          sequences.delete(sequence);
          leave(sequence);
        } else for (const row of sequence.rows) row.token = token;
      }
    } catch (error) {
      this.#fail(submission, error);
      return;
    }
    if (sequences.size > 0) return;
    this.#submissions.delete(submission);
    submission.resolve();
  }

  #fail(submission: Submission, error: unknown): void {
    if (!this.#submissions.delete(submission)) return;
    for (const sequence of submission.sequences) leave(sequence);
    submission.reject(error);
  }
}

function leave({ rows }: Sequence): void {
  for (const row of rows) row.batch.leave(row);
}
