/** A Llama's forward pass in plain loops and double precision, one text at a time: slow, and made of nothing that the engine is made of. */
import type { BaseModel } from "../../src/engine/baseModel.js";

type Vector = Float64Array;

/** Last hidden states behind the final norm, [T][D]. `sees(t, j)` says whether token t sees token j. */
export function slowHiddenStates(
  { config, weights }: BaseModel,
  ids: readonly number[],
  sees: (t: number, j: number) => boolean,
): Vector[] {
  const { hiddenSize, headDim, numAttentionHeads: heads, numKeyValueHeads: keyHeads } = config;
  const tensor = (name: string) => weights.tensors[`model.${name}.weight`]!.data as Float32Array;
  const times = (name: string, x: Vector): Vector => {
    const matrix = tensor(name);
    return Float64Array.from({ length: matrix.length / x.length }, (_, row) =>
      x.reduce((sum, value, i) => sum + value * matrix[row * x.length + i]!, 0),
    );
  };
  const norm = (name: string, x: Vector): Vector => {
    const scale = tensor(name);
    const rms = Math.sqrt(x.reduce((sum, value) => sum + value * value, 0) / x.length + config.rmsNormEps);
    return x.map((value, i) => (value / rms) * scale[i]!);
  };
  /** Rotates each pair (i, i + Dh/2) of a head by position * theta^(-2i/Dh). */
  const rotated = (x: Vector, position: number): Vector =>
    x.map((value, at) => {
      const [head, i] = [at - (at % headDim), at % headDim];
      const half = headDim / 2;
      const angle = position * config.ropeTheta ** (-(2 * (i % half)) / headDim);
      const other = i < half ? -x[head + i + half]! : x[head + i - half]!;
      return value * Math.cos(angle) + other * Math.sin(angle);
    });
  const plus = (a: Vector, b: Vector) => a.map((value, i) => value + b[i]!);

  const table = tensor("embed_tokens");
  let states = ids.map((id) => Float64Array.from(table.subarray(id * hiddenSize, (id + 1) * hiddenSize)));
  for (let layer = 0; layer < config.numHiddenLayers; layer++) {
    const path = `layers.${layer}`;
    const read = states.map((x) => norm(`${path}.input_layernorm`, x));
    const queries = read.map((x, t) => rotated(times(`${path}.self_attn.q_proj`, x), t));
    const keys = read.map((x, t) => rotated(times(`${path}.self_attn.k_proj`, x), t));
    const values = read.map((x) => times(`${path}.self_attn.v_proj`, x));
    states = states.map((x, t) => {
      const attended = new Float64Array(heads * headDim);
      for (let head = 0; head < heads; head++) {
        const from = Math.floor((head * keyHeads) / heads) * headDim;
        const part = (vector: Vector, start: number) => vector.subarray(start, start + headDim);
        const query = part(queries[t]!, head * headDim);
        const scores = keys.map((key, j) => {
          const product = part(key, from).reduce((sum, value, i) => sum + value * query[i]!, 0);
          return sees(t, j) ? product / Math.sqrt(headDim) : Number.NEGATIVE_INFINITY;
        });
        const most = Math.max(...scores);
        const shares = scores.map((score) => Math.exp(score - most));
        const total = shares.reduce((sum, share) => sum + share, 0);
        for (const [j, share] of shares.entries())
          for (const [i, value] of part(values[j]!, from).entries())
            attended[head * headDim + i]! += (share / total) * value;
      }
      const after = plus(x, times(`${path}.self_attn.o_proj`, attended));
      const mlp = norm(`${path}.post_attention_layernorm`, after);
      const [gate, up] = [times(`${path}.mlp.gate_proj`, mlp), times(`${path}.mlp.up_proj`, mlp)];
      return plus(
        after,
        times(
          `${path}.mlp.down_proj`,
          gate.map((value, i) => (value / (1 + Math.exp(-value))) * up[i]!),
        ),
      );
    });
  }
  return states.map((x) => norm("norm", x));
}

/** The mean of the states of some tokens, [D]. */
export function meanOf(states: readonly ArrayLike<number>[]): number[] {
  return Array.from(states[0]!, (_, i) => states.reduce((sum, state) => sum + state[i]!, 0) / states.length);
}
