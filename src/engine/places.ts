/** Room for a number of rows at a time: who finds too little of it waits in line. */
export class Places {
  #free: number;
  /** Who waits: how many rows, and what lets them in. */
  readonly #line: { rows: number; enter: () => void }[] = [];

  constructor(rows: number) {
    this.#free = rows;
  }

  /** Runs `work` while there is room for its rows, at most as many as there is room for in all; not where the signal aborts while it waits. */
  async hold<T>(rows: number, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await new Promise<void>((enter) => {
      this.#line.push({ rows, enter });
      this.#admit();
    });
    try {
      signal?.throwIfAborted();
      return await work();
    } finally {
      this.#free += rows;
      this.#admit();
    }
  }

  #admit(): void {
    for (let first = this.#line[0]; first && first.rows <= this.#free; first = this.#line[0]) {
      this.#line.shift();
      this.#free -= first.rows;
      first.enter();
    }
  }
}
