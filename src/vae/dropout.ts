/** Dropout on what an adapter reads, as PEFT's lora_dropout: every linear layer of every adapter has a mask of its own. */
import { constant, input, keepMask, mul, type Value } from "../graph/index.js";
import { Rng } from "../rng.js";

/** The feed that holds the keys of an adapter's rows, int32 [M]: drawn anew for every microbatch. */
export function dropoutInput(adapter: string): string {
  return `${adapter}_dropout`;
}

/** x [M, in] with a share of its values dropped. Column keys are fixed by the layer's path, row keys are fed. */
export function loraDropout(adapter: string, rows: number, rate: number): (path: string, x: Value) => Value {
  const rowKeys = input(dropoutInput(adapter), [rows], "int32");
  const columnKeys = (path: string, width: number): Value =>
    constant(randomKeys(Rng.fromSeed(`dropout ${adapter}.${path}`), width), [width]);
  return (path, x) => mul(x, keepMask(rowKeys, columnKeys(path, x.shape[1] as number), rate, x.dtype));
}

/** Uniform over all 32-bit numbers. */
export function randomKeys(rng: Rng, count: number): Int32Array {
  return Int32Array.from({ length: count }, () => rng.integer(2 ** 32) | 0);
}
