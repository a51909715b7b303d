/** In what products with a dense base are computed where "auto" leaves it to the machine: measured once, and kept. */
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import type { Compute } from "../engine/int8.js";
import { makeFolder } from "../formats/fileOps.js";
import { writeFileAtomic } from "../formats/index.js";
import { readJsonObject } from "../formats/readFiles.js";
import { input, linear, packedInput, packedLinear, type StoredData, type Value } from "../graph/index.js";
import type { ModelConfig } from "../model/config.js";
import { RUNTIME_VERSION } from "../runtime/onnxNode.js";
import { float32, type HostTensors, type Runtime } from "../runtime/runtime.js";
import { packColumns, type Quant, saturatesInInt8, weightTensors } from "../weights/index.js";
import { userCache } from "./userCache.js";

/** How products are to be computed: "auto" takes int8 where this machine is exact and faster in it. */
export type ComputeChoice = Compute | "auto";

/** What a choice depends on. */
export interface ComputeMachine {
  runtime: Runtime;
  /** Default: all cores. */
  threads?: number | undefined;
  /** Whether the model fits the memory in int8; default: true. */
  fits?: boolean;
  /** Where measurements are kept. */
  folder?: string;
}

/** int8 has to be this many times as fast: below it, rounding is not worth its gain. */
const LEAST_GAIN = 1.3;
/** Rows of x: as many as a batch of a few texts has tokens. */
const ROWS = 256;
/** Runs of each kind, in turns; the best of each counts, which other work on the machine disturbs least. */
const RUNS = 12;
const FILE = "int8Speed.json";

/** fp32 or int8, as `choice` says or as the machine does. A packed base and a GPU have one way alone, which counts as fp32. */
export async function settleCompute(
  choice: ComputeChoice,
  quant: Quant,
  config: ModelConfig,
  machine: ComputeMachine,
): Promise<Compute> {
  if (choice !== "auto") return choice;
  if (quant !== "none" || machine.fits === false || machine.runtime.device !== "cpu") return "fp32";
  return chosenFor(await int8Gain(config, machine));
}

/** What "auto" takes where int8 is so many times as fast as fp32. */
export function chosenFor(gain: number): Compute {
  return gain >= LEAST_GAIN ? "int8" : "fp32";
}

/** How many times as fast as in fp32 the machine multiplies by a base's largest linear layer in int8; 0 where its sums are cut off. */
export async function int8Gain(
  { hiddenSize, intermediateSize }: Pick<ModelConfig, "hiddenSize" | "intermediateSize">,
  { runtime, threads, folder = userCache() }: ComputeMachine,
): Promise<number> {
  const shape = [intermediateSize, hiddenSize] as const;
  const key = [cpus()[0]?.model ?? "", threads ?? availableParallelism(), RUNTIME_VERSION, ...shape].join(" | ");
  const known = await measurements(folder);
  const kept = known[key];
  if (typeof kept === "number" && kept >= 0) return kept;
  const gain = (await saturatesInInt8(runtime)) ? 0 : await measureGain(runtime, shape);
  await keep(folder, { ...known, [key]: Number(gain.toFixed(2)) });
  return gain;
}

async function measurements(folder: string): Promise<Record<string, unknown>> {
  return readJsonObject(folder, FILE).then(
    (found) => ({ ...found }),
    () => ({}),
  );
}

/** A cache that cannot be written costs a measurement at each start. */
async function keep(folder: string, known: object): Promise<void> {
  try {
    await makeFolder(folder);
    await writeFileAtomic(join(folder, FILE), JSON.stringify(known, undefined, 1));
  } catch {}
}

async function measureGain(runtime: Runtime, [out, width]: readonly [number, number]): Promise<number> {
  const spread = (length: number) => Float32Array.from({ length }, (_, i) => ((i * 7919) % 127) / 127 - 0.5);
  const weight = spread(out * width);
  const packed = packColumns(weight, [out, width]);
  const x = input("x", [ROWS, width]);
  const ways: [Value, HostTensors][] = [
    [linear(x, input("w", [out, width])), { w: float32(weight, out, width) }],
    [packedLinear(x, packedInput("w", packed.format, packed.shape)), weightTensors("w", packed)],
  ];
  const values = float32(spread(ROWS * width), ROWS, width);
  const sessions = await Promise.all(
    ways.map(async ([y, stored]) => {
      const data = new Map(Object.entries(stored).map(([name, { data }]) => [name, data as StoredData]));
      return runtime.createSession({ y }, { stored: data });
    }),
  );
  const best = sessions.map(() => Number.POSITIVE_INFINITY);
  for (let run = 0; run < RUNS; run++) {
    for (const [i, session] of sessions.entries()) {
      const start = performance.now();
      await session.run({ x: values });
      best[i] = Math.min(best[i]!, performance.now() - start);
    }
  }
  for (const session of sessions) await session.release();
  return best[0]! / best[1]!;
}
