/** `train router` as a library call: the router on a trained VAE, which is copied beside it. */
import { createHash } from "node:crypto";
import type { CheckpointFacts } from "../../checkpoint/facts.js";
import { usualLosses, writeVae } from "../../checkpoint/vae.js";
import { type Adapter, headShape, type VaeAdapters } from "../../engine/adapters.js";
import { Engine } from "../../engine/engine.js";
import { BigVaeError } from "../../errors.js";
import { Rng } from "../../rng.js";
import type { HostTensors, Runtime } from "../../runtime/runtime.js";
import type { VaeShape } from "../../vae/loss.js";
import { ropeSteps } from "../../vae/rowLayout.js";
import { ropeFeeds } from "../objectives/attentionFeeds.js";
import { routerBatches, routerObjective } from "../objectives/routerObjective.js";
import { type PlanOptions, planRun, type RunPlan } from "./plan.js";
import { checkWindow, dataFacts, latentLooks, withRows } from "./runData.js";
import { type PreparedRun, runTraining } from "./runTraining.js";
import { adapterFacts, type VaeRunOptions } from "./vaeRunOptions.js";

export interface TrainRouterOptions extends Omit<VaeRunOptions, "rank" | "alpha"> {
  /** The trained VAE; its decoder is the router's start. */
  vae: VaeAdapters & { facts: Pick<CheckpointFacts, "ae_scale" | "decoder_loss" | "base_loss"> };
  /** Tokens of a row. */
  context: number;
  /** Contexts are multiples of this long. */
  indexStep: number;
  /** Texts that are written and continued from their z at every look. */
  sampleTexts: readonly string[];
}

/** Trains the router; encoder, decoder and head are copied beside it. Returns whether the run is finished. */
export async function trainRouter(runtime: Runtime, options: TrainRouterOptions): Promise<boolean> {
  return withRouterRun(runtime, options, (run) => runTraining(runtime, run, options));
}

/** What `trainRouter` would take; nothing is written. */
export async function planRouter(runtime: Runtime, options: TrainRouterOptions, plan: PlanOptions): Promise<RunPlan> {
  return withRouterRun(runtime, options, (run, rowCount) =>
    planRun(runtime, run, { ...options, rowCount, columns: options.context }, plan),
  );
}

async function withRouterRun<T>(
  runtime: Runtime,
  options: TrainRouterOptions,
  use: (run: PreparedRun, rowCount: number) => Promise<T>,
): Promise<T> {
  const { base, vae, context } = options;
  const { span } = vae;
  checkRows(options);
  const shape = routerShape(options);
  const frozen: HostTensors = {
    ...base.weights,
    ...vae.adapters.encoder.tensors,
    ...vae.head,
    ...ropeFeeds(base.config, context + 1, ropeSteps(vae.slots)),
  };
  return withRows(options, { columns: context, setBy: "context", minTokens: context }, async (data) => {
    const { rows, held, schedule, rng } = data;
    const endId = options.tokenizer.eosId;
    const objective = routerObjective({ ...options, shape, frozen, rows, span, endId, rng });
    // A folder without router/ has been given the decoder in its place.
    for (const [name, { data }] of Object.entries(vae.adapters.router.tensors))
      objective.parameters.set(name, data as Float32Array);
    const looks = {
      ...options,
      shape: { ...shape, dropout: 0 },
      frozen,
      rows: held,
      span,
      endId,
      rng: rng.fork("held out"),
    };
    const router: Adapter = { role: "router", shape: shape.writer, tensors: objective.parameters.tensors };
    const { rank, alpha } = shape.writer;
    const trained = { ...vae, adapters: { ...vae.adapters, router } };
    const engine = new Engine({ runtime, base, vae: trained, form: "unmerged" });
    const run: PreparedRun = {
      objective,
      ...(await latentLooks(held, (shuffled) => routerBatches({ ...looks, shuffled }))),
      schedule,
      facts: {
        kind: "router",
        context,
        span,
        endId,
        vaeSha256: hashVae(vae),
        ...adapterFacts({ ...options, rank, alpha }),
        ...dataFacts(options, data),
      },
      samples: (signal) => continuations(engine, options, signal),
      finish: (step) => finishRouter(trained, step, options),
    };
    try {
      return await use(run, rows.source.rowCount);
    } finally {
      await engine.close();
    }
  });
}

/** What tells one VAE from another: the values that the router is trained on and those that are copied beside it. */
function hashVae({ head, adapters: { encoder, decoder } }: VaeAdapters): string {
  const hash = createHash("sha256").update(JSON.stringify([encoder.shape, decoder.shape]));
  for (const tensors of [encoder.tensors, decoder.tensors, head]) {
    for (const name of Object.keys(tensors).sort()) {
      const { shape, data } = tensors[name]!;
      hash.update(JSON.stringify([name, shape])).update(data as Float32Array);
    }
  }
  return hash.digest("hex");
}

/** The fixed texts, and what the router writes from their z without a context: the text again, and how it goes on. */
async function continuations(
  engine: Engine,
  { sampleTexts, tokenizer, vae: { span } }: TrainRouterOptions,
  signal: AbortSignal | undefined,
) {
  const encodings = await engine.encode(
    sampleTexts.map((text) => ({ ids: tokenizer.encode(text).slice(0, span) })),
    signal,
  );
  const rngKey = Rng.fromSeed(0).key;
  const written = await engine.write(
    encodings.map(({ mean }) => ({ z: mean, rngKey })),
    { writer: "router", context: [], nTokens: 2 * span, tau: 0, stopId: tokenizer.eosId, signal },
  );
  return sampleTexts.map((text, i) => ({ text, continuation: tokenizer.decode(written[i]!, { skipSpecial: true }) }));
}

/** Rows hold a context, the span that z encodes and the next one; the router reads them and z. */
function checkRows({ base, vae, context }: TrainRouterOptions): void {
  checkWindow("`context`", context + 1, base.config.maxPositionEmbeddings);
  if (context > 2 * vae.span) return;
  throw new BigVaeError(
    "usage",
    `\`context\`: expected more tokens than two spans, ${2 * vae.span}, got ${context}; give a longer one, or a VAE of a shorter \`vae.span\``,
  );
}

function routerShape({ base, vae, dropout, checkpointing }: TrainRouterOptions): VaeShape {
  return {
    config: base.config,
    ...headShape(vae),
    encoder: vae.adapters.encoder.shape,
    writer: vae.adapters.router.shape,
    dropout,
    checkpointing,
  };
}

async function finishRouter(
  vae: TrainRouterOptions["vae"],
  step: number,
  { output, base, baseSha256, dropout = 0 }: TrainRouterOptions,
): Promise<void> {
  const names = ["encoder", "decoder", "router"] as const;
  const measured = { aeScale: vae.facts.ae_scale, usualLosses: usualLosses(vae.facts) };
  await writeVae(output, vae, { base, baseSha256, names, dropout, ...measured, step, klWeight: 0 });
}
