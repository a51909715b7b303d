/** Feeds of attention that are the same at every step: rotary tables and the causal mask. */
import { causalMask } from "../../model/causalMask.js";
import type { ModelConfig } from "../../model/config.js";
import { ropeTables } from "../../model/rope.js";
import { float32 } from "../../runtime/runtime.js";

/** Feeds `rope_cos` and `rope_sin` for positions 0..length-1, `steps` rows a position. */
export function ropeFeeds(config: ModelConfig, length: number, steps = 1) {
  const { cos, sin } = ropeTables(config, length, steps);
  const half = config.headDim / 2;
  return { rope_cos: float32(cos, length * steps, half), rope_sin: float32(sin, length * steps, half) };
}

/** The feed [1, 1, G * T, T] of a causal mask. */
export function foldedCausalMask(config: ModelConfig, time: number) {
  const group = config.numAttentionHeads / config.numKeyValueHeads;
  return float32(causalMask([...Array(time).keys()], group, config.slidingWindow), 1, 1, group * time, time);
}
