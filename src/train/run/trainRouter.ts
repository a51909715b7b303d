/** `train router`: the router on a trained VAE, which is copied beside it. */
import { readVae, usualLosses, writeVae } from "../../checkpoint/vae.js";
import { type Adapter, headShape, type VaeAdapters } from "../../engine/adapters.js";
import { Engine } from "../../engine/engine.js";
import { BigVaeError } from "../../errors.js";
import { findAdapters } from "../../host/modelFiles.js";
import type { ModelConfig } from "../../model/config.js";
import type { HostTensors } from "../../runtime/runtime.js";
import type { VaeShape } from "../../vae/loss.js";
import { ropeSteps } from "../../vae/rowLayout.js";
import { ropeFeeds } from "../objectives/attentionFeeds.js";
import type { FrozenBase } from "../objectives/frozenBase.js";
import { routerBatches, routerObjective } from "../objectives/routerObjective.js";
import { adapterFacts, type RouterFacts } from "./facts.js";
import { checkSameBase, checkShape, fedBase, hashVae, openTrainingBase, type TrainingBase } from "./open.js";
import { ROUTER_OPTIONS } from "./options/router.js";
import type { PlannedOptions, RunOptions, Settled } from "./options/table.js";
import type { RunPlan } from "./plan.js";
import { checkWindow, dataFacts, latentHeldOut, withRows } from "./runData.js";
import type { PreparedRun } from "./runTraining.js";
import { continuations } from "./samples.js";
import { planOf, type RunContext, type RunControl, type RunType, startRun } from "./start.js";

/** Options of `trainRouter`, each with its default and what it means in `TRAIN_OPTIONS.router`. */
export type TrainRouterOptions = RunOptions<typeof ROUTER_OPTIONS>;

/** Options of `planRouter`: those of `trainRouter`; `output` may be left out. */
export type PlanRouterOptions = PlannedOptions<typeof ROUTER_OPTIONS>;

/**
 * Trains the router on prepared rows and the VAE at `startFrom`, and writes it into `output` with encoder, decoder and head beside it.
 * Returns whether the run is finished; false where `signal` ended it, to be resumed.
 * @throws BigVaeError: "usage" and "mismatch" naming the option, "format", "memory", "locked", "disk", "diverged".
 */
export function trainRouter(options: TrainRouterOptions, control: RunControl = {}): Promise<boolean> {
  return startRun(routerRun, options, control);
}

/** What `trainRouter` would take; nothing is written. @throws BigVaeError as `trainRouter` does. */
export function planRouter(options: PlanRouterOptions, control: Pick<RunControl, "onReport"> = {}): Promise<RunPlan> {
  return planOf(routerRun, options, control);
}

type Options = Settled<typeof ROUTER_OPTIONS>;

/** Trains the router. */
const routerRun: RunType<Options> = {
  command: "router",
  table: ROUTER_OPTIONS,
  async prepare(context, use) {
    const { machine, options } = context;
    const { contextLength: columns, batchSize, indexStep, dropout, latentNoise } = options;
    const opened = await openTrainingBase(options, "model", machine);
    const { base, tokenizer, baseSha256 } = opened;
    const vae = await openStart(context, opened);
    const { span } = vae;
    checkRows(columns, span, base.config);
    const kept = await fedBase(opened, machine.runtime);
    const shape = routerShape(base.config, vae, options, kept);
    const frozen: HostTensors = {
      ...kept.tensors,
      ...vae.adapters.encoder.tensors,
      ...vae.head,
      ...ropeFeeds(base.config, columns + 1, ropeSteps(vae.slots)),
    };
    const data = { ...options, tokenizer };
    return withRows(data, { columns, lowers: "contextLength", minTokens: columns }, async (rows) => {
      const { held, rng } = rows;
      const endId = tokenizer.eosId;
      const trained = { frozen, contextLength: columns, span, indexStep, endId, noiseScale: latentNoise, shape };
      const objective = routerObjective({ ...trained, rows: rows.rows, rng });
      // A folder without router/ has been given the decoder in its place.
      for (const [name, { data }] of Object.entries(vae.adapters.router.tensors))
        objective.parameters.set(name, data as Float32Array);
      const evaluated = {
        ...trained,
        shape: { ...shape, dropout: 0, packing: kept.evaluationPacking },
        rows: held,
        rng: rng.fork("held out"),
      };
      const router: Adapter = { role: "router", shape: shape.writer, tensors: objective.parameters.tensors };
      const finished = { ...vae, adapters: { ...vae.adapters, router } };
      const engine = new Engine({ runtime: machine.runtime, base, vae: finished, form: "unmerged" });
      const { rank, alpha } = shape.writer;
      const facts = {
        ...{ kind: "router" as const, context: columns, span, endId, vaeSha256: hashVae(vae) },
        ...adapterFacts(options, { rank, alpha, baseSha256 }),
        ...dataFacts(data, rows),
      } satisfies RouterFacts;
      try {
        const run: PreparedRun = {
          objective,
          settled: { compute: opened.compute },
          ...(await latentHeldOut(held, (shuffled) => routerBatches({ ...evaluated, shuffled }))),
          schedule: rows.schedule,
          facts,
          samples: (signal) => continuations({ engine, tokenizer, span }, signal),
          finish(step) {
            const names = Object.keys(finished.adapters);
            const measured = { aeScale: vae.facts.ae_scale, usualLosses: usualLosses(vae.facts) };
            const last = { step, klWeight: 0 };
            return writeVae(options.output, finished, { base, baseSha256, names, dropout, ...measured, ...last });
          },
        };
        const reads = () => ({ rows: batchSize, tokens: batchSize * columns });
        return await use(run, { rowCount: rows.rows.source.rowCount, tokensPerRow: columns, reads });
      } finally {
        await engine.close();
      }
    });
  },
};

/** The VAE that the router is trained on: of this base, and of this rank and alpha where they are given. */
async function openStart({ options, explicit }: RunContext<Options>, { base, baseSha256 }: TrainingBase) {
  const { model, rank, alpha, span } = options;
  const startFrom = await findAdapters(options.startFrom, "startFrom");
  await checkSameBase(model, startFrom, baseSha256);
  const vae = await readVae(startFrom, base);
  const { shape } = vae.adapters.router;
  checkShape({ rank, alpha }, { rank: shape.rank, alpha: shape.alpha }, explicit);
  return { ...vae, span: span ?? vae.span };
}

/** Rows hold a context, the span that z encodes and the next one; the router reads them and z. */
function checkRows(contextLength: number, span: number, { maxPositionEmbeddings }: ModelConfig): void {
  checkWindow("`contextLength`", contextLength + 1, maxPositionEmbeddings);
  if (contextLength > 2 * span) return;
  throw new BigVaeError("usage", {
    subject: "`contextLength`",
    expected: `more tokens than two spans, ${2 * span}`,
    got: contextLength,
    remedy: "give a longer one, or a shorter `span`",
  });
}

function routerShape(config: ModelConfig, vae: VaeAdapters, options: Options, { packing }: FrozenBase): VaeShape {
  const { dropout, gradientCheckpointing: checkpointing } = options;
  const { encoder, router } = vae.adapters;
  return { config, ...headShape(vae), encoder: encoder.shape, writer: router.shape, dropout, checkpointing, packing };
}
