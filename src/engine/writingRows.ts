/** Rows in the course of being written, and how the tokens chosen for them are read next. */
import type { ModelRunner, RowInput } from "./modelRunner.js";

/** What each row reads next, and the position after that. */
export class WritingRows {
  constructor(
    readonly runner: ModelRunner,
    public inputs: readonly RowInput[],
    /** Position of the next token. */
    public next: number,
  ) {}

  /** Reads what is pending; logits [V] of the next token of each row. */
  async advance(): Promise<Float32Array[]> {
    return (await this.runner.forward(this.inputs)).map((logits) => logits[0]!);
  }

  /** Hands over the chosen tokens; rows not `kept` are finished and dropped. */
  push(ids: readonly number[], kept: readonly number[]): void {
    if (kept.length < ids.length) this.runner.select(kept);
    this.inputs = kept.map((k) => ({ items: [{ id: ids[k]! }], positions: [this.next] }));
    this.next++;
  }

  /** Reads what is pending and then `targets` at once; logits of the first target token and of each next one. */
  async advanceOver(targets: readonly (readonly number[])[]): Promise<Float32Array[][]> {
    const pending = this.inputs[0]!.items.length;
    const inputs = this.inputs.map(({ items, positions }, row) => ({
      items: [...items, ...targets[row]!.map((id) => ({ id }))],
      positions: [...positions, ...targets[row]!.map((_, t) => this.next + t)],
    }));
    return (await this.runner.forward(inputs, "all")).map((logits) => logits.slice(pending - 1));
  }
}
