/**
 * How near the gradients of a VAE in int8 are to those in fp32, on a real base: npx tsc -p bench && node dist-bench/bench/gradientError.js MODEL [ROWS].
 * One batch of rows of data/plain-sentences.txt, adapters of rank 32 as training begins with them ("new") and with noise in place of their zeros ("random"),
 * 16 slots. Prints cosines of all gradients, of those of encoder, decoder and head, and the loss in both.
 */
import { readFileSync } from "node:fs";
import { inputSizes } from "../src/engine/int8.js";
import { int8Sample } from "../src/host/int8Sample.js";
import { findModel, openBase } from "../src/host/modelFiles.js";
import { blockLinears } from "../src/model/weights.js";
import { Rng } from "../src/rng.js";
import { onnxNodeRuntime } from "../src/runtime/onnxNode.js";
import type { FlatTensors } from "../src/train/loop/flatTensors.js";
import { GradientRunner } from "../src/train/loop/gradientRunner.js";
import { ropeFeeds } from "../src/train/objectives/attentionFeeds.js";
import { frozenBase } from "../src/train/objectives/frozenBase.js";
import { overlapObjective } from "../src/train/objectives/overlapObjective.js";
import { RowOrder } from "../src/train/objectives/rowOrder.js";

const [model = "pocket", count = "8"] = process.argv.slice(2);
const SPAN = 32;
const SLOTS = 16;
const runtime = onnxNodeRuntime({ threads: 2 });
const { base: path } = await findModel(model, undefined);
const { base, tokenizer } = await openBase(path, "none");
const { config } = base;
const ids = tokenizer.encode(readFileSync("data/plain-sentences.txt", "utf8"));
const sizes = await inputSizes(
  runtime,
  { config, tensors: base.weights.tensors },
  await int8Sample(runtime, tokenizer, config.maxPositionEmbeddings),
);

async function gradientsOf(compute: "fp32" | "int8", adapters: "new" | "random") {
  const rng = Rng.fromSeed("gradient error");
  const { tensors, packing } = frozenBase(base, compute === "int8" ? sizes : undefined);
  const lora = { rank: 32, alpha: 32, targets: Object.keys(blockLinears(config)) };
  const row = async (at: number) => ({
    inputIds: Int32Array.from(ids.slice(at * SPAN, (at + 2) * SPAN)),
    attentionMask: new Int32Array(2 * SPAN).fill(1),
  });
  const rowCount = Math.floor(ids.length / SPAN) - 2;
  const objective = overlapObjective({
    shape: { config, zDim: 32 * SLOTS, slots: SLOTS, encoder: lora, writer: lora, packing },
    frozen: { ...tensors, ...ropeFeeds(config, 256, 4) },
    rows: new RowOrder({ rowCount, row }, Number(count), 1, rng),
    ...{ span: SPAN, gap: 0, klWeight: 0.01, klRampSteps: 1, noise: { scale: 1, start: 0.2, rampSteps: 1000 } },
    ...{
      dropPrefix: 1,
      shiftedSpans: false,
      encodeLast: false,
      maskedPrefix: false,
      shortSpans: 0,
      edgeWeights: false,
    },
    rng,
  });
  if (adapters === "random") {
    for (const [name, { data }] of Object.entries(objective.parameters.tensors))
      if (name.includes("lora_B"))
        (data as Float32Array).set(
          rng
            .fork(name)
            .normals(data.length)
            .map((x) => 0.02 * x),
        );
  }
  const runner = new GradientRunner(runtime, objective);
  const { loss } = await runner.run(await objective.microbatch(1, 0));
  const gradients = runner.gradients;
  await runner.release();
  return { loss, gradients };
}

function cosine(a: FlatTensors, b: FlatTensors, prefix: string): number {
  let [product, ofA, ofB] = [0, 0, 0];
  for (const name of a.shapes.keys()) {
    if (!name.startsWith(prefix)) continue;
    const [x, y] = [a.values(name), b.values(name)];
    for (let i = 0; i < x.length; i++) {
      product += x[i]! * y[i]!;
      ofA += x[i]! ** 2;
      ofB += y[i]! ** 2;
    }
  }
  return Number((product / Math.sqrt(ofA * ofB)).toFixed(4));
}

for (const adapters of ["new", "random"] as const) {
  const [exact, rounded] = [await gradientsOf("fp32", adapters), await gradientsOf("int8", adapters)];
  const cosines = Object.fromEntries(
    ["", "encoder", "decoder", "vae"].map((prefix) => [
      prefix || "all",
      cosine(exact.gradients, rounded.gradients, prefix),
    ]),
  );
  process.stdout.write(`${JSON.stringify({ adapters, losses: [exact.loss, rounded.loss], cosines })}\n`);
}
await base.weights.close();
