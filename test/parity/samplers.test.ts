/** Every sampler that has reference values writes the same tokens as the original, noise off. */
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { Engine } from "../../src/engine/engine.js";
import { Rng } from "../../src/rng.js";
import { AVG_PRESETS, avg, userAvg } from "../../src/sampling/avg.js";
import { generate } from "../../src/sampling/generate.js";
import { guide, task } from "../../src/sampling/guide.js";
import type { LatentModel, Sampler, SamplingOptions, Written } from "../../src/sampling/model.js";
import { paragraph } from "../../src/sampling/paragraph.js";
import { plan2 } from "../../src/sampling/plan.js";
import { paragraphTopic, prose } from "../../src/sampling/prose.js";
import { loadTokenizer, type Tokenizer } from "../../src/tokenizer/index.js";
import { loadTinyAdapters, loadTinyBase, readJson, runtime, tinyFolder } from "./reference.js";

interface Reference {
  task_samples: string[];
  samplers: Record<string, { inputs: Record<string, unknown>; ids: number[]; next_ids?: number[] }>;
}

let reference: Reference;
let tokenizer: Tokenizer;
let model: LatentModel;

beforeAll(async () => {
  reference = (await readJson(join(tinyFolder, "samplers.json"))) as Reference;
  const base = await loadTinyBase();
  const engine = new Engine({ runtime, base, vae: await loadTinyAdapters(base.config) });
  const folder = join(tinyFolder, "base");
  tokenizer = loadTokenizer(
    await readJson(join(folder, "tokenizer.json")),
    await readJson(join(folder, "tokenizer_config.json")),
  );
  // The original does not stop at the end token.
  model = {
    encode: (spans) => engine.encode(spans.map((ids) => ({ ids }))),
    write: (rows, context, options) => engine.write(rows, { ...options, writer: "router", context }),
    score: async () => [],
    tokenizer,
  };
  return () => engine.close();
});

async function finish(sampler: Sampler): Promise<Written> {
  for (;;) {
    const { value, done } = await sampler.next();
    if (done) return value;
  }
}

type Run = (
  inputs: Record<string, unknown>,
  options: SamplingOptions,
  ids: (text: unknown) => number[],
  examples: number[][],
) => Sampler;

const SAMPLERS: Record<string, Run> = {
  generate: (i, options, ids) => generate(model, ids(i.prompt), ids(i.context), options),
  guide: (i, options, ids) => guide(model, ids(i.prompt), ids(i.context), options),
  task: (i, options, ids, examples) => task(model, ids(i.prompt), ids(i.context), examples, options),
  prose: (i, options, ids) => prose(model, ids(i.prompt), ids(i.context), options),
  paragraph_topic: (i, options, ids, examples) =>
    paragraphTopic(model, ids(i.prompt), ids(i.context), examples, options),
  avg_repository: (i, options, ids) => avg(model, ids(i.prompt), ids(i.context), options, AVG_PRESETS.repository),
  avg_card: (i, options, ids) => avg(model, ids(i.prompt), ids(i.context), options, AVG_PRESETS.card),
  user_avg: (i, options, ids) => userAvg(model, (i.prompts as string[]).map(ids), ids(i.context), options),
  paragraph: (i, options, ids, examples) =>
    paragraph(model, ids(i.topic), ids(i.context), examples, { ...options, nSteps: 5 }),
  plan_2: (i, options, ids, examples) =>
    plan2(
      model,
      { terminal: ids(i.terminal), start: ids(i.start), context: ids(i.context), examples, aeScale: 1 },
      options,
    ),
};

describe("samplers equal the original", () => {
  it.each(Object.keys(SAMPLERS))("%s", async (name) => {
    const { inputs, ids, next_ids } = reference.samplers[name]!;
    const options: SamplingOptions = {
      rng: Rng.fromSeed(1),
      nSteps: (inputs.n_steps as number) ?? 1,
      nAvg: (inputs.n_avg as number) ?? 1,
      tau: 0,
      noise: 0,
      span: 64,
      cfgScale: (inputs.cfg_scale as number) ?? 1,
    };
    const examples = reference.task_samples.map((text) => tokenizer.encode(text));
    const written = await finish(
      SAMPLERS[name]!(inputs, options, (text) => tokenizer.encode(text as string), examples),
    );
    expect(written.ids).toEqual(ids);
    if (next_ids) expect(written.next).toEqual(next_ids);
  });

  it("covers every sampler of the reference", () => {
    expect(Object.keys(SAMPLERS).sort()).toEqual(Object.keys(reference.samplers).sort());
  });
});
