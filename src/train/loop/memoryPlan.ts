/** How much memory a run takes: from its graphs, before any of it is taken. */
import { BigVaeError } from "../../errors.js";
import { topologicalOrder } from "../../graph/index.js";
import type { HostTensors } from "../../runtime/runtime.js";
import type { LossGraph } from "../../vae/loss.js";
import { lossAndGradients } from "./gradientRunner.js";
import { activationBytes } from "./memoryEstimate.js";
import type { Microbatch, Objective } from "./objective.js";
import { heldBytes } from "./shapeSessions.js";

/** Bytes that a run takes, by what they are needed for. */
export interface MemoryPlan {
  /** Frozen and trained weights. */
  weights: number;
  /** Of the trained weights, twice where microbatches are added up. */
  gradients: number;
  /** Mean and square of Adam. */
  optimizer: number;
  /** What lies between the layers while a microbatch runs; the session of each shape of microbatch keeps its own. */
  activations: number;
  /** Node, ONNX Runtime and this library. */
  process: number;
  /** The sum of the others. */
  total: number;
}

/** Measured: peak memory of six graphs, within 13 % with these. */
const PROCESS_BYTES = 145e6;
/** What a session holds for each node of its graph. */
const NODE_BYTES = 7e3;

/**
 * What sessions may hold of the free memory: half of what weights and optimiser leave, the other half is for evaluation.
 * @throws BigVaeError("memory") where the largest microbatch does not go into all of it.
 */
export async function roomForSessions(
  objective: Objective,
  { memoryBytes, accumulation }: { memoryBytes?: number | undefined; accumulation: number },
): Promise<number | undefined> {
  if (memoryBytes === undefined) return undefined;
  const { shapes } = await someMicrobatches(objective);
  const { weights, total } = planMemory(objective, shapes.slice(0, 1), accumulation, 0);
  const need = total - weights;
  if (need <= memoryBytes) return (memoryBytes - trainedBytes(objective, accumulation)) / 2;
  const megabytes = (bytes: number) => `${Math.ceil(bytes / 1e6)} MB`;
  throw new BigVaeError("memory", {
    subject: "train",
    expected: `${megabytes(need)} of free memory beside the weights`,
    got: megabytes(memoryBytes),
    remedy: "lower `batchSize`, or add `gradientCheckpointing`",
  });
}

/** Steps whose microbatches are made for a plan: lengths are drawn, and memory is what the longest takes. */
const PLANNED_STEPS = 32;

/** The middle one of some microbatches by the tokens and masks that are fed, and one of each shape, the largest first. */
export async function someMicrobatches(objective: Objective): Promise<{ middle: Microbatch; shapes: Microbatch[] }> {
  const sized: { microbatch: Microbatch; size: number }[] = [];
  for (let step = 1; step <= PLANNED_STEPS; step++) {
    const microbatch = await objective.microbatch(step, 0);
    sized.push({ microbatch, size: elements(microbatch.feeds) });
  }
  sized.sort((a, b) => a.size - b.size);
  const shapes = new Map(sized.map(({ microbatch }) => [microbatch.shapeKey, microbatch]));
  return { middle: sized[PLANNED_STEPS / 2]!.microbatch, shapes: [...shapes.values()].reverse() };
}

/** What a run takes in all, where its microbatches have these shapes, the largest first. */
export function planMemory(
  objective: Objective,
  shapes: readonly Microbatch[],
  accumulation: number,
  availableBytes: number,
): MemoryPlan {
  const trained = objective.parameters.data.byteLength;
  const graphs = shapes.map(({ graph }) => Object.values(lossAndGradients(graph())));
  const nodes = topologicalOrder(graphs[0]!).length * graphs.length;
  const room = (availableBytes - trainedBytes(objective, accumulation)) / 2;
  const parts = {
    weights: bytesOf(objective.frozen) + trained,
    gradients: trainedBytes(objective, accumulation) - 2 * trained,
    optimizer: 2 * trained,
    activations: heldBytes(graphs.map(activationBytes), room),
    process: PROCESS_BYTES + NODE_BYTES * nodes,
  };
  return { ...parts, total: Object.values(parts).reduce((sum, bytes) => sum + bytes, 0) };
}

/** Gradients, and mean and square of Adam. */
function trainedBytes({ parameters }: Objective, accumulation: number): number {
  return parameters.data.byteLength * (accumulation > 1 ? 4 : 3);
}

function bytesOf(tensors: HostTensors): number {
  return Object.values(tensors).reduce((sum, { data }) => sum + data.byteLength, 0);
}

/** Values in all tensors. */
export function elements(tensors: HostTensors): number {
  return Object.values(tensors).reduce((sum, { data }) => sum + data.length, 0);
}

/** Measured on whole runs beside their graphs: rows of text, and what shows samples and measures latents beside its weights. */
const RUN_BYTES = 100e6;

/**
 * What a run takes that has one shape of microbatch, to its end: with its evaluation, and with twice what it trains while the
 * finished model is written. `trained`, `frozen`, `stored`: bytes of what it trains, of what it is fed beside that, and of the base in the sessions that show
 * samples.
 */
export function memoryOfShape(
  graph: LossGraph,
  { trained, frozen, stored }: Record<"trained" | "frozen" | "stored", number>,
): number {
  const steps = Object.values(lossAndGradients(graph));
  const evaluated = [graph.loss, ...Object.values(graph.metrics)];
  const nodes = topologicalOrder(steps).length + topologicalOrder(evaluated).length;
  // Weights, gradients, mean and square of Adam, and two copies.
  const held = frozen + stored + 6 * trained;
  // An evaluation uses again what the activations of small steps leave free.
  const passing = Math.max(activationBytes(steps), RUN_BYTES) + activationBytes(evaluated);
  return held + passing + PROCESS_BYTES + NODE_BYTES * nodes;
}
