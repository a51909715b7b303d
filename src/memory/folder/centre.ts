/**
 * Keys as an index keeps them: less a mean of them. The keys of one corpus are alike, and their signs would mostly be those of what they have in
 * common. By the cosine, it is directions that are kept.
 */
import { type Latent, norm } from "../../latent/index.js";
import type { Metric } from "../types.js";
import type { CodeQuery } from "./codeTable.js";

export class Centre {
  private constructor(
    readonly metric: Metric,
    /** [width] */
    readonly mean: Float32Array,
    /** Keys that it is the mean of. */
    readonly keys: number,
  ) {}

  /** Of some keys; none for the first ones of an index. */
  static of(metric: Metric, width: number, keys: readonly Latent[]): Centre {
    const mean = new Float32Array(width);
    for (const key of keys) {
      const compared = comparedBy(metric, key);
      for (let i = 0; i < width; i++) mean[i]! += compared[i]! / keys.length;
    }
    return new Centre(metric, mean, keys.length);
  }

  /** One that was kept, from its JSON form. */
  static read(metric: Metric, { mean, keys }: { mean: string; keys: number }): Centre {
    const bytes = Uint8Array.from(Buffer.from(mean, "base64"));
    return new Centre(metric, new Float32Array(bytes.buffer), keys);
  }

  toJSON(): { mean: string; keys: number } {
    const { buffer, byteOffset, byteLength } = this.mean;
    return { mean: Buffer.from(buffer, byteOffset, byteLength).toString("base64"), keys: this.keys };
  }

  /** What is kept of a key. */
  less(key: Latent): Float32Array {
    return comparedBy(this.metric, key).map((value, i) => value - this.mean[i]!);
  }

  /** What is asked for with a key: of directions and by the l2 distance, |q - k|^2 = |q - m|^2 - 2 <q - m, k - m> + |k - m|^2. */
  query(key: Latent): CodeQuery {
    if (this.metric === "inner") return { vector: key, pull: 1, push: 0 };
    return { vector: this.less(key), pull: 2, push: 1 };
  }
}

function comparedBy(metric: Metric, key: Latent): Float32Array {
  if (metric !== "cosine") return key;
  const length = norm(key);
  return length === 0 ? key : key.map((value) => value / length);
}
