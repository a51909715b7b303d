/** Room for a number of rows, or of what else there is a limit of: who finds too little of it waits in line. */
export class Places<T = number> {
  /** What is at work. */
  readonly #inside: { readonly wanted: T }[] = [];
  /** Who waits, and what lets them in. */
  readonly #line: { readonly wanted: T; enter: () => void }[] = [];

  constructor(
    /** Whether there is room beside what is at work; where nothing is, there must be for whoever asks. */
    readonly hasRoom: (inside: readonly T[], wanted: T) => boolean,
  ) {}

  /** Runs `work` while there is room for it; not where the signal aborts while it waits. */
  async hold<R>(wanted: T, work: () => Promise<R>, signal?: AbortSignal): Promise<R> {
    const own = { wanted };
    await new Promise<void>((resolve) => {
      const enter = () => {
        this.#inside.push(own);
        resolve();
      };
      this.#line.push({ wanted, enter });
      this.#admit();
    });
    try {
      signal?.throwIfAborted();
      return await work();
    } finally {
      this.#inside.splice(this.#inside.indexOf(own), 1);
      this.#admit();
    }
  }

  #admit(): void {
    const inside = () => this.#inside.map(({ wanted }) => wanted);
    for (let first = this.#line[0]; first && this.hasRoom(inside(), first.wanted); first = this.#line[0]) {
      this.#line.shift();
      first.enter();
    }
  }
}

/** Room for so many rows. */
export function rowPlaces(most: number): Places {
  return new Places((inside, rows) => inside.reduce((sum, each) => sum + each, rows) <= most);
}
