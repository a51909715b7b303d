import { expect, it } from "vitest";
import { parseConfig } from "../model/config.js";
import { Rng } from "../rng.js";
import { float32, type HostTensor } from "../runtime/runtime.js";
import { KvCache } from "./kvCache.js";

const [LAYERS, KV, WIDTH] = [2, 2, 4];
const config = parseConfig({
  ...{
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    vocab_size: 16,
    hidden_size: 16,
    intermediate_size: 16,
  },
  ...{ num_hidden_layers: LAYERS, num_attention_heads: 4, num_key_value_heads: KV, rms_norm_eps: 1e-5 },
  ...{ hidden_act: "silu", max_position_embeddings: 512 },
});

/** An entry is a number; its keys and values in each layer and head follow from it. */
const numberOf = (entry: number, layer: number, part: string, head: number, i: number) =>
  entry * 100 + layer * 40 + (part === "key" ? 20 : 0) + head * WIDTH + i;

/** The outputs of a step in which row b reads the entries of rows[b], padded to the longest. */
function outputsOf(rows: readonly (readonly number[])[]): Record<string, HostTensor> {
  const time = Math.max(...rows.map(({ length }) => length));
  const outputs: Record<string, HostTensor> = {};
  for (let layer = 0; layer < LAYERS; layer++) {
    for (const part of ["key", "value"]) {
      const data = new Float32Array(rows.length * KV * time * WIDTH).fill(Number.NaN);
      for (const [row, entries] of rows.entries())
        for (let head = 0; head < KV; head++)
          for (const [t, entry] of entries.entries())
            for (let i = 0; i < WIDTH; i++)
              data[((row * KV + head) * time + t) * WIDTH + i] = numberOf(entry, layer, part, head, i);
      outputs[`new_${part}.${layer}`] = float32(data, rows.length, KV, time, WIDTH);
    }
  }
  return outputs;
}

function append(cache: KvCache, rows: readonly (readonly number[])[]): void {
  const time = Math.max(...rows.map(({ length }) => length));
  const positions = new Float32Array(rows.length * time);
  for (const [row, entries] of rows.entries()) positions.set(entries, row * time);
  cache.append(
    outputsOf(rows),
    rows.map(({ length }) => length),
    positions,
  );
}

/** Expects that the rows hold these entries, in what the graph is fed and in their positions. */
function expectRows(cache: KvCache, rows: readonly (readonly number[])[]): void {
  expect(cache.lengths).toEqual(rows.map(({ length }) => length));
  for (const [name, { data, shape }] of Object.entries(cache.feeds("past"))) {
    const [, part, layer] = /^past_(key|value)\.(\d)$/.exec(name)!;
    expect(shape).toEqual([rows.length, KV, cache.capacity, WIDTH]);
    for (const [row, entries] of rows.entries())
      for (let head = 0; head < KV; head++)
        for (const [t, entry] of entries.entries()) {
          const start = ((row * KV + head) * cache.capacity + t) * WIDTH;
          const expected = Array.from({ length: WIDTH }, (_, i) => numberOf(entry, Number(layer), part!, head, i));
          expect(Array.from(data as Float32Array).slice(start, start + WIDTH)).toEqual(expected);
        }
  }
  for (const [row, entries] of rows.entries())
    for (const [t, entry] of entries.entries()) expect(cache.positionOf(row, t)).toBe(entry);
}

it("keeps what each row has read while rows come, grow, lose entries and go", () => {
  const rng = Rng.fromSeed("cache");
  const cache = new KvCache(config, 0);
  let next = 1;
  const entries = (count: number) => Array.from({ length: count }, () => next++ % 100_000);
  const rows: number[][] = [];
  for (let round = 0; round < 60; round++) {
    const action = rng.integer(5);
    const row = rows.length > 0 ? rng.integer(rows.length) : 0;
    if (action === 0 || rows.length === 0) {
      // A row that was read elsewhere joins with a part of its entries.
      const source = new KvCache(config, 2);
      const read = [entries(3), entries(20 + rng.integer(80))];
      append(source, read);
      cache.extend(cache.addRow(), source, 1, 5, 15);
      rows.push(read[1]!.slice(5, 15));
    } else if (action === 1 && rows.length > 2) {
      cache.removeRow(row);
      rows[row] = rows.at(-1)!;
      rows.pop();
    } else if (action === 2) {
      const begin = rng.integer(rows[row]!.length + 1);
      const end = begin + rng.integer(rows[row]!.length - begin + 1);
      cache.removeEntries(row, begin, end);
      rows[row]!.splice(begin, end - begin);
    } else {
      const read = rows.map(() => entries(1 + rng.integer(9)));
      append(cache, read);
      for (const [i, own] of read.entries()) rows[i]!.push(...own);
    }
    expectRows(cache, rows);
  }
});

it("gives its memory back when the last row has gone", () => {
  const cache = new KvCache(config, 1);
  append(cache, [[1, 2, 3]]);
  expect(cache.capacity).toBeGreaterThan(0);
  cache.removeRow(0);
  expect(cache.capacity).toBe(0);
  expectRows(cache, []);
});
