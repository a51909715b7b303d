/** Where a base begins: GPT-2's initial values, and what is the loss of a model that knows nothing. */
import { expect, it } from "vitest";
import { runtime } from "../../../test/train/tiny.js";
import { parseConfig } from "../../model/config.js";
import { Rng } from "../../rng.js";
import { Evaluator } from "../loop/evaluator.js";
import { baseObjective } from "./baseObjective.js";
import { RowOrder } from "./rowOrder.js";

const VOCABULARY = 300;
const LAYERS = 2;
const config = parseConfig({
  model_type: "llama",
  vocab_size: VOCABULARY,
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: LAYERS,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  rms_norm_eps: 1e-5,
  max_position_embeddings: 64,
  tie_word_embeddings: true,
});
const rng = Rng.fromSeed("base");
const ids = rng.fork("rows");
const row = async () => ({
  inputIds: Int32Array.from({ length: 17 }, () => ids.integer(VOCABULARY)),
  attentionMask: new Int32Array(17).fill(1),
});
const rows = new RowOrder({ rowCount: 8, row }, 4, 1, rng.fork("order"));
const objective = baseObjective({ config, rows, contextLength: 16, batchSize: 4, rng });

it("matrices have a deviation of 0.02, those that write into the residual stream less, and norms are 1", () => {
  const { parameters } = objective;
  for (const [name, shape] of parameters.shapes) {
    const values = parameters.values(name);
    if (shape.length === 1) {
      expect(new Set(values), name).toEqual(new Set([1]));
      continue;
    }
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
    const expected = 0.02 * (/o_proj|down_proj/.test(name) ? 1 / Math.sqrt(2 * LAYERS) : 1);
    // Five standard errors of a deviation.
    expect(Math.abs(deviation / expected - 1), name).toBeLessThan(5 / Math.sqrt(2 * values.length));
  }
});

it("the loss is that of guessing among all tokens", async () => {
  const evaluator = new Evaluator(runtime, objective);
  const { loss } = await evaluator.evaluate([await objective.microbatch(1, 0)]).finally(() => evaluator.release());
  expect(Math.abs(loss! - Math.log(VOCABULARY))).toBeLessThan(0.05);
});

it("the labels of a row are its tokens, one to the right", async () => {
  const { feeds, tokens, weight } = await objective.microbatch(1, 0);
  const [input, labels] = [feeds.input_ids!.data, feeds.labels!.data] as BigInt64Array[];
  expect([tokens, weight]).toEqual([64, 64]);
  for (let at = 0; at < 64; at++) if (at % 16 < 15) expect(labels![at]).toBe(input![at + 1]);
});
