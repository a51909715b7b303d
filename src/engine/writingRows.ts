/** Rows in the course of being written, and how the tokens chosen for them are read next. */
import type { ModelRunner, RowInput, SharedContext } from "./modelRunner.js";
import type { WriterName } from "./sessions.js";

/** What each row reads next, and the position after that. */
export class WritingRows {
  constructor(
    readonly writer: WriterName,
    /** Theirs alone until they are done. */
    readonly context: SharedContext,
    readonly runner: ModelRunner,
    public inputs: readonly RowInput[],
    /** Position of the next token. */
    public next: number,
  ) {}

  /** Reads what is pending; logits [V] of the next token of each row. */
  async advance(signal?: AbortSignal): Promise<Float32Array[]> {
    return (await this.runner.forward(this.inputs, "last", signal)).map((logits) => logits[0]!);
  }

  /** Hands over the chosen tokens; rows not `kept` are finished and dropped. */
  push(ids: readonly number[], kept: readonly number[]): void {
    if (kept.length < ids.length) this.runner.select(kept);
    this.inputs = kept.map((k) => ({ items: [{ id: ids[k]! }], positions: [this.next] }));
    this.next++;
  }

  /** Reads what is pending and, at once, all of `targets` but their last tokens, which are pushed next; logits of each target token. */
  async advanceOver(targets: readonly (readonly number[])[], signal?: AbortSignal): Promise<Float32Array[][]> {
    const pending = this.inputs[0]!.items.length;
    const inputs = this.inputs.map(({ items, positions }, row) => {
      const read = targets[row]!.slice(0, -1);
      return {
        items: [...items, ...read.map((id) => ({ id }))],
        positions: [...positions, ...read.map((_, t) => this.next + t)],
      };
    });
    this.next += Math.max(...targets.map(({ length }) => length)) - 1;
    return (await this.runner.forward(inputs, "all", signal)).map((logits) => logits.slice(pending - 1));
  }
}
