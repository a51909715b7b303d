/** Opening what the options of a run name: bases, known to fit the memory before they are read, tokenizers, adapters. */
import { createHash } from "node:crypto";
import { baseSha256, checkBaseHash } from "../../checkpoint/hashes.js";
import type { VaeAdapters } from "../../engine/adapters.js";
import { type Compute, inputSizes } from "../../engine/int8.js";
import { BigVaeError } from "../../errors.js";
import type { Device } from "../../graph/index.js";
import { checkCompute } from "../../host/checkCall.js";
import { type ComputeChoice, settleCompute } from "../../host/computeChoice.js";
import { int8Sample } from "../../host/int8Sample.js";
import { checkFedFits, fedBytesNeeded } from "../../host/memory.js";
import { findModel, type OpenedBase, openBase, readConfig } from "../../host/modelFiles.js";
import type { Runtime } from "../../runtime/runtime.js";
import type { Quant } from "../../weights/index.js";
import { type FrozenBase, frozenBase } from "../objectives/frozenBase.js";
import type { Machine } from "./start.js";

/** A base, its tokenizer, and what tells it from others. */
export interface TrainingBase extends OpenedBase {
  /** sha256 of the base's weights. */
  baseSha256: string;
  /** In what products with it are computed. */
  compute: Compute;
}

/**
 * Opens the base that `option` names, all of it into memory.
 * @throws BigVaeError: "usage" where there is none or the options do not go together, "memory" where it does not fit into `availableBytes`, and as reading it does.
 */
export async function openTrainingBase(
  { model, quant = "none", compute: choice = "fp32", device = "cpu", threads }: BaseOptions,
  option: string,
  { runtime, availableBytes }: Machine,
): Promise<TrainingBase> {
  checkCompute({ quant, compute: choice, device });
  const { base } = await findModel(model, undefined, option);
  const config = await readConfig(base);
  const available = availableBytes();
  const fits = fedBytesNeeded(config, quant, "int8") <= available;
  const compute = await settleCompute(choice, quant, config, { runtime, threads, fits });
  checkFedFits(config, quant, compute, available);
  return { ...(await openBase(base, quant)), baseSha256: await baseSha256(base), compute };
}

/** What says which base a run takes, and how. */
interface BaseOptions {
  model: string;
  quant?: Quant;
  compute?: ComputeChoice;
  device?: Device;
  threads?: number | undefined;
}

/** A run's base as its losses are fed it. Throws "unsupported" where the processor does not multiply int8 exactly. */
export async function fedBase({ base, tokenizer, compute }: TrainingBase, runtime: Runtime): Promise<FrozenBase> {
  if (compute === "fp32") return frozenBase(base);
  const { config, weights } = base;
  const ids = await int8Sample(runtime, tokenizer, config.maxPositionEmbeddings);
  return frozenBase(base, await inputSizes(runtime, { config, tensors: weights.tensors }, ids));
}

/** Throws "mismatch" where the adapters at `startFrom` were trained on another base than the one at `model`. */
export async function checkSameBase(model: string, startFrom: string, sha256: string): Promise<void> {
  await checkBaseHash({ base: model, adapters: startFrom }, sha256);
}

/** Adapters may be trained further on another base than theirs; they then begin with a higher loss, of which `warn` is told. */
export async function warnOfOtherBase(
  model: string,
  startFrom: string,
  sha256: string,
  warn: (text: string) => void,
): Promise<void> {
  try {
    await checkSameBase(model, startFrom, sha256);
  } catch (error) {
    if (!(error instanceof BigVaeError && error.kind === "mismatch")) throw error;
    warn(`\`startFrom\`: trained on another base than \`model\`; ${error.message}`);
  }
}

/** What tells one VAE from another: the shapes and values of encoder, decoder and head. */
export function hashVae({ head, adapters: { encoder, decoder } }: VaeAdapters): string {
  const hash = createHash("sha256").update(JSON.stringify([encoder.shape, decoder.shape]));
  for (const tensors of [encoder.tensors, decoder.tensors, head]) {
    for (const name of Object.keys(tensors).sort()) {
      const { shape, data } = tensors[name]!;
      hash.update(JSON.stringify([name, shape])).update(data as Float32Array);
    }
  }
  return hash.digest("hex");
}

/** Throws "mismatch" naming the first option that was given as something else than the adapters at `startFrom` have. */
export function checkShape<Name extends string>(
  given: Readonly<Record<Name, number>>,
  own: Readonly<Record<Name, number>>,
  explicit: ReadonlySet<string>,
): void {
  const name = (Object.keys(own) as Name[]).find((option) => explicit.has(option) && given[option] !== own[option]);
  if (name === undefined) return;
  throw new BigVaeError("mismatch", {
    subject: `\`${name}\``,
    expected: `${own[name]}, that of the adapters in \`startFrom\``,
    got: given[name],
    remedy: "leave it out",
  });
}
