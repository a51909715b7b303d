import { expect, it } from "vitest";
import { Engine } from "../../src/engine/engine.js";
import { EMBEDDING } from "../../src/model/weights.js";
import { Rng } from "../../src/rng.js";
import { ropeFeeds } from "../../src/train/objectives/attentionFeeds.js";
import { frozenBase } from "../../src/train/objectives/frozenBase.js";
import { overlapObjective } from "../../src/train/objectives/overlapObjective.js";
import { RowOrder } from "../../src/train/objectives/rowOrder.js";
import { scaleSlots } from "../../src/train/run/slotScale.js";
import { liveVae } from "../../src/train/run/vaeAdapters.js";
import { loadTinyBase, runtime } from "../parity/reference.js";

const rms = (values: ArrayLike<number>) =>
  Math.sqrt(Array.from(values).reduce((sum, value) => sum + value * value, 0) / values.length);

it.each([1, 4])("fresh slots are as large as embeddings of tokens, %i of them", async (slots) => {
  const base = await loadTinyBase();
  const { config } = base;
  const lora = { rank: 4, alpha: 4, targets: ["mlp.up_proj"] };
  const rng = Rng.fromSeed("slots");
  const row = async () => ({ inputIds: new Int32Array(16).fill(7), attentionMask: new Int32Array(16).fill(1) });
  const objective = overlapObjective({
    shape: { config, zDim: 16 * slots, slots, encoder: lora, writer: lora },
    frozen: { ...frozenBase(base).tensors, ...ropeFeeds(config, 64) },
    rows: new RowOrder({ rowCount: 4, row }, 2, 1, rng),
    ...{
      span: 8,
      gap: 0,
      klWeight: 0,
      klRampSteps: 1,
      noise: { scale: 0, start: 0, rampSteps: 1 },
      edgeWeights: false,
    },
    ...{ dropPrefix: 0, shiftedSpans: false, encodeLast: false, maskedPrefix: false, shortSpans: 0 },
    rng,
  });
  const sizes = { zDim: 16 * slots, slots, span: 8, gap: 0 };
  const engine = new Engine({ runtime, base, vae: liveVae(objective.parameters, sizes, lora), form: "unmerged" });
  const spans = Array.from({ length: 8 }, (_, i) =>
    Array.from({ length: 8 }, () => 5 + rng.fork("ids", i).integer(400)),
  );
  await scaleSlots(engine, base, objective.parameters, spans);
  const decode = objective.parameters.values("vae.w_d.weight");
  const { hiddenSize } = config;
  const width = decode.length / hiddenSize;
  const latents = (await engine.encode(spans.map((ids) => ({ ids })))).map(({ mean }) => engine.space!.content(mean));
  const embeddings = latents.flatMap((z) =>
    Array.from({ length: slots * hiddenSize }, (_, at) => {
      const [slot, d] = [Math.floor(at / hiddenSize), at % hiddenSize];
      let sum = 0;
      for (let i = 0; i < width; i++) sum += decode[d * width + i]! * z[slot * width + i]!;
      return sum;
    }),
  );
  const tokens = rms(base.weights.tensors[EMBEDDING]!.data as Float32Array);
  expect(rms(embeddings) / tokens).toBeCloseTo(1, 3);
  await engine.close();
});
