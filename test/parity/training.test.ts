/** Twelve steps of the overlap objective and eight of the router's equal the original's: losses, gradients, final weights. */
import { beforeAll, describe, expect, it } from "vitest";
import { Adam } from "../../src/train/loop/adam.js";
import { FlatTensors } from "../../src/train/loop/flatTensors.js";
import { GradientRunner } from "../../src/train/loop/gradientRunner.js";
import type { Microbatch, Objective } from "../../src/train/loop/objective.js";
import { ropeFeeds } from "../../src/train/objectives/attentionFeeds.js";
import { overlapExample } from "../../src/train/objectives/overlapExamples.js";
import { overlapMicrobatch } from "../../src/train/objectives/overlapObjective.js";
import { klWeight } from "../../src/train/objectives/overlapSchedules.js";
import { routerExample, routerMicrobatch } from "../../src/train/objectives/routerObjective.js";
import { keptFirst, type VaeExample } from "../../src/train/objectives/vaeFeeds.js";
import { overlapParameterShapes, routerParameterShapes } from "../../src/vae/loss.js";
import type { WriterRole } from "../../src/vae/roles.js";
import { logitsOf } from "./innerValues.js";
import { loadTinyAdapters, loadTinyBase, maxDifference, openCases, runtime } from "./reference.js";

const ADAM = { betas: [0.9, 0.99] as const, eps: 1e-8, weightDecay: 0 };
const SPAN = 16;
const KL_WEIGHT = 0.1;
const KL_RAMP_STEPS = 20;

let cases: Awaited<ReturnType<typeof openCases>>;
let base: Awaited<ReturnType<typeof loadTinyBase>>;
let vae: Awaited<ReturnType<typeof loadTinyAdapters>>;

beforeAll(async () => {
  cases = await openCases();
  base = await loadTinyBase();
  vae = await loadTinyAdapters(base.config);
  return () => cases.close();
});

/** The name of a trained value in the reference file. */
function referenceName(kind: string, name: string): string {
  const lora = /^(encoder|decoder|router)\.(.*)\.(lora_[AB])$/.exec(name);
  return lora ? `${kind}.model.model.${lora[2]}.${lora[3]}.${lora[1]}.weight` : `${kind}.${name}`;
}

/** `f.bias` shifts a softmax: its true gradient is 0, and Adam makes a step of the rounding noise. */
const names = (parameters: FlatTensors) => [...parameters.shapes.keys()].filter((name) => name !== "vae.f.bias");

/** |a - b| / |b|, Euclidean. */
function relativeError(a: Float32Array, b: Float32Array): number {
  return Math.sqrt(a.reduce((sum, x, i) => sum + (x - b[i]!) ** 2, 0) / b.reduce((sum, x) => sum + x * x, 0));
}

/** Rows in the order of the graph, and eps in the same order. */
function ordered(examples: VaeExample[], eps: Float32Array) {
  const width = eps.length / examples.length;
  const sorted = keptFirst(examples);
  const rows = sorted.map((example) => examples.indexOf(example));
  return {
    examples: sorted,
    eps: Float32Array.from(rows.flatMap((row) => Array.from(eps.subarray(row * width, (row + 1) * width)))),
  };
}

async function rowsOf(prefix: string) {
  const ids = await cases.rows(`${prefix}.input_ids`);
  const masks = cases.has(`${prefix}.attention_mask`)
    ? await cases.rows(`${prefix}.attention_mask`)
    : ids.map((row) => row.map(() => 1));
  return ids.map((row, i) => ({ inputIds: Int32Array.from(row), attentionMask: Int32Array.from(masks[i]!) }));
}

/** rec and kl of every step as the reference has them: its kl is weighted, ours is not. */
async function checkParts(step: number, { rec, kl }: Record<string, number>) {
  const [recs, kls] = [await cases.floats("overlap.rec"), await cases.floats("overlap.kl")];
  expect(Math.abs(rec! - recs[step - 1]!)).toBeLessThan(1e-4);
  expect((kl! * klWeight(KL_WEIGHT, KL_RAMP_STEPS, step)) / kls[step - 1]!).toBeCloseTo(1, 4);
}

/** Runs the steps and checks losses, the gradients of the first step, and the weights after the last. */
async function check(kind: "overlap" | "router", objective: Objective, steps: number) {
  const adam = new Adam(objective.parameters, ADAM);
  const runner = new GradientRunner(runtime, objective);
  const losses = await cases.floats(`${kind}.loss`);
  for (let step = 1; step <= steps; step++) {
    runner.reset();
    const { loss, ...parts } = await runner.run(await objective.microbatch(step, 0));
    expect(Math.abs(loss! - losses[step - 1]!)).toBeLessThan(1e-4);
    if (kind === "overlap") await checkParts(step, parts);
    if (step === 1) {
      for (const name of names(objective.parameters)) {
        const expected = await cases.floats(referenceName(`${kind}.grad`, name));
        expect(relativeError(runner.gradients.values(name), expected), name).toBeLessThan(1e-5);
      }
    }
    adam.apply(runner.gradients, step, 1e-3, 1);
  }
  for (const name of names(objective.parameters)) {
    const expected = await cases.floats(referenceName(`${kind}.final`, name));
    expect(maxDifference(objective.parameters.values(name), expected), name).toBeLessThan(1e-4);
  }
  await runner.release();
}

describe("training equals the original", () => {
  const frozen = () => ({ ...base.weights.tensors, ...ropeFeeds(base.config, 128) });
  const shapeOf = (writer: WriterRole) => ({
    config: base.config,
    zDim: vae.zDim,
    encoder: vae.adapters.encoder.shape,
    writer: vae.adapters[writer].shape,
  });
  const filled = (shapes: Map<string, readonly number[]>, values: Record<string, { data: unknown }>) => {
    const parameters = new FlatTensors(shapes);
    for (const name of shapes.keys()) parameters.set(name, values[name]!.data as Float32Array);
    return parameters;
  };

  /** The overlap objective from the stored adapters, with the rows, drops and noise of the reference. */
  const overlap = (): Objective => {
    const shape = shapeOf("decoder");
    const { encoder, decoder } = vae.adapters;
    const parameters = filled(overlapParameterShapes(shape), { ...encoder.tensors, ...decoder.tensors, ...vae.head });
    const microbatch = async (step: number): Promise<Microbatch> => {
      const prefix = `overlap.${step - 1}`;
      const drop = await cases.booleans(`${prefix}.drop`);
      const unordered = (await rowsOf(prefix)).map((row, i) =>
        overlapExample(row, SPAN, { drop: drop[i]!, maskedPrefix: true }),
      );
      const { examples, eps } = ordered(unordered, await cases.floats(`${prefix}.eps`));
      return overlapMicrobatch(
        { shape, gap: SPAN, noiseScale: 1, edgeWeights: true },
        examples,
        eps,
        klWeight(KL_WEIGHT, KL_RAMP_STEPS, step),
      );
    };
    return { parameters, frozen: frozen(), microbatch };
  };

  it("overlap objective: 12 steps", () => check("overlap", overlap(), 12));

  it("overlap objective: the logits of the first step's targets", async () => {
    const { parameters, frozen, microbatch } = overlap();
    const { graph, feeds } = await microbatch(1, 0);
    const session = await runtime.createSession({ logits: logitsOf(graph().loss) });
    const { logits } = await session.run({ ...frozen, ...parameters.tensors, ...feeds });
    const expected = await cases.floats("overlap.0.logits");
    const drop = await cases.booleans("overlap.0.drop");
    // Rows with their prefix come first in the graph.
    const rows = [...drop.keys()].sort((a, b) => Number(drop[a]) - Number(drop[b]));
    const masks = await cases.rows("overlap.0.attention_mask");
    const v = base.config.vocabSize;
    for (const [k, row] of rows.entries()) {
      for (let t = 0; t < SPAN; t++) {
        if (!masks[row]![SPAN + t]) continue;
        const ours = (logits!.data as Float32Array).subarray((k * SPAN + t) * v, (k * SPAN + t + 1) * v);
        const at = (row * 2 * SPAN + SPAN + t) * v;
        expect(maxDifference(ours, expected.subarray(at, at + v)), `row ${row}, target ${t}`).toBeLessThan(1e-4);
      }
    }
    await session.release();
  });

  it("router objective: 8 steps", async () => {
    const shape = shapeOf("router");
    const parameters = filled(routerParameterShapes(shape), vae.adapters.router.tensors);
    const microbatch = async (step: number): Promise<Microbatch> => {
      const prefix = `router.${step - 1}`;
      const drop = await cases.booleans(`${prefix}.drop`);
      const index = await cases.scalar(`${prefix}.index`);
      const unordered = (await rowsOf(prefix)).map((row, i) => routerExample(row, index, 8, drop[i]!));
      const { examples, eps } = ordered(unordered, await cases.floats(`${prefix}.eps`));
      return routerMicrobatch({ shape, noiseScale: 1 }, examples, eps);
    };
    const fixed = { ...frozen(), ...vae.adapters.encoder.tensors, ...vae.head };
    await check("router", { parameters, frozen: fixed, microbatch }, 8);
  });
});
