/** Many named tensors in one flat array, so that optimiser, clipping and accumulation are single passes over memory. */
import { float32, type HostTensor } from "../../runtime/runtime.js";

export class FlatTensors {
  /** All values, tensor after tensor in the order of `shapes`. */
  readonly data: Float32Array;
  /** Views of `data`, by name. */
  readonly tensors: Readonly<Record<string, HostTensor>>;

  constructor(readonly shapes: ReadonlyMap<string, readonly number[]>) {
    const sizes = Array.from(shapes.values(), (shape) => shape.reduce((size, dim) => size * dim, 1));
    this.data = new Float32Array(sizes.reduce((sum, size) => sum + size, 0));
    let start = 0;
    this.tensors = Object.fromEntries(
      Array.from(shapes, ([name, shape], i) => {
        const end = start + sizes[i]!;
        const view = this.data.subarray(start, end);
        start = end;
        return [name, float32(view, ...shape)];
      }),
    );
  }

  /** The values of one tensor, a view. */
  values(name: string): Float32Array {
    return this.tensors[name]!.data as Float32Array;
  }

  /** Copies values into the tensor `name`. */
  set(name: string, values: ArrayLike<number>): void {
    this.values(name).set(values);
  }
}
