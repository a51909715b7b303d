/** `train router` as a library call: the router on a trained VAE, which is copied beside it. */
import type { Adapter, VaeAdapters } from "../engine/adapters.js";
import { BigVaeError } from "../errors.js";
import type { HostTensors, Runtime } from "../runtime/runtime.js";
import type { VaeShape } from "../vae/loss.js";
import { type PlanOptions, planRun, type RunPlan } from "./plan.js";
import { type PreparedRun, runTraining } from "./run.js";
import { checkWindow, dataFacts, latentLooks, withRows } from "./runData.js";
import { ropeFeeds } from "./trainBase.js";
import { routerBatches, routerObjective } from "./trainRouter.js";
import { writeVae } from "./vaeFolder.js";
import { adapterFacts, type VaeRunOptions } from "./vaeRunOptions.js";

export interface TrainRouterOptions extends Omit<VaeRunOptions, "rank" | "alpha"> {
  /** The trained VAE; its decoder is the router's start. */
  vae: VaeAdapters & { facts: { ae_scale: number } };
  /** Tokens of a row. */
  context: number;
  /** Contexts are multiples of this long. */
  indexStep: number;
}

/** Trains the router; encoder, decoder and head are copied beside it. Returns whether the run is finished. */
export async function trainRouter(runtime: Runtime, options: TrainRouterOptions): Promise<boolean> {
  return withRouterRun(options, (run) => runTraining(runtime, run, options));
}

/** What `trainRouter` would take; nothing is written. */
export async function planRouter(runtime: Runtime, options: TrainRouterOptions, plan: PlanOptions): Promise<RunPlan> {
  return withRouterRun(options, (run, rowCount) =>
    planRun(runtime, run, { ...options, rowCount, columns: options.context }, plan),
  );
}

async function withRouterRun<T>(
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
    ...ropeFeeds(base.config, context + 1),
  };
  return withRows(options, { columns: context, minTokens: context }, async (data) => {
    const { rows, held, schedule, rng } = data;
    const objective = routerObjective({ ...options, shape, frozen, rows, span, rng });
    // A folder without router/ has been given the decoder in its place.
    for (const [name, { data }] of Object.entries(vae.adapters.router.tensors))
      objective.parameters.set(name, data as Float32Array);
    const looks = { ...options, shape: { ...shape, dropout: 0 }, frozen, rows: held, span, rng: rng.fork("held out") };
    const router: Adapter = { shape: shape.writer, tensors: objective.parameters.tensors };
    const { rank, alpha } = shape.writer;
    const run: PreparedRun = {
      objective,
      ...(await latentLooks(held, (shuffled) => routerBatches({ ...looks, shuffled }))),
      schedule,
      facts: {
        kind: "router",
        context,
        span,
        ...adapterFacts({ ...options, rank, alpha }),
        ...dataFacts(options, data),
      },
      finish: (step) => finishRouter({ ...vae, adapters: { ...vae.adapters, router } }, step, options),
    };
    return use(run, rows.source.rowCount);
  });
}

/** Rows hold a context, the span that z encodes and the next one; the router reads them and z. */
function checkRows({ base, vae, context }: TrainRouterOptions): void {
  checkWindow("--context", context + 1, base.config.maxPositionEmbeddings);
  if (context > 2 * vae.span) return;
  throw new BigVaeError(
    "usage",
    `--context: expected more tokens than two spans, ${2 * vae.span}, got ${context}; give a longer one, or a shorter --vae-context`,
  );
}

function routerShape({ base, vae, dropout, checkpointing }: TrainRouterOptions): VaeShape {
  return {
    config: base.config,
    zDim: vae.zDim,
    encoder: vae.adapters.encoder.shape,
    writer: vae.adapters.router.shape,
    dropout,
    checkpointing,
    learnedVariance: "vae.w_s.weight" in vae.head,
  };
}

async function finishRouter(
  vae: TrainRouterOptions["vae"],
  step: number,
  { output, base, baseSha256, dropout = 0 }: TrainRouterOptions,
): Promise<void> {
  const names = ["encoder", "decoder", "router"] as const;
  const aeScale = vae.facts.ae_scale;
  await writeVae(output, vae, { base, baseSha256, names, dropout, aeScale, step, klWeight: 0 });
}
