/**
 * `expert train`: rows of some texts, the router trained on them from the model's own, and keys of their latents. Until all of it is done, it lies in run/ of the
 * expert's folder, and can be resumed.
 */
import { rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { STATE } from "../../checkpoint/layout.js";
import { readVae } from "../../checkpoint/vae.js";
import { listInputs, prepare, readFiles, splitOf, type TextOptions } from "../../data/index.js";
import { Engine } from "../../engine/engine.js";
import { BigVaeError } from "../../errors.js";
import { checkExpertName, isExpert, writeExpert } from "../../expert/index.js";
import { makeFolder } from "../../formats/fileOps.js";
import { lockFolder } from "../../formats/index.js";
import { readJsonObject } from "../../formats/readFiles.js";
import { openRuntime } from "../../host/device.js";
import { findModel, hashModel, openBase, openTokenizer } from "../../host/modelFiles.js";
import { kMeans, type Latent, type LatentShape, spaceOf } from "../../latent/index.js";
import { Rng } from "../../rng.js";
import { type EXPERT_OPTIONS, EXPERT_RUN_OPTIONS } from "./options/expert.js";
import { ROUTER_OPTIONS } from "./options/router.js";
import { settle } from "./options/settle.js";
import { SHARED_OPTIONS } from "./options/shared.js";
import type { NewRun, Settled } from "./options/table.js";
import { readRunFile, writeRunFile } from "./runFile.js";
import { lastHeldOutLoss } from "./runLog.js";
import type { RunControl } from "./start.js";
import { type TrainRouterOptions, trainRouter } from "./trainRouter.js";

/** Where an expert goes, and either the options of a new one or `resume`. */
export type TrainExpertOptions =
  | NewRun<typeof EXPERT_OPTIONS>
  | ({
      /** Name of the expert. */
      name: string;
      /** Folder of experts. */
      experts: string;
      /** Says that it was begun. */
      resume: true;
    } & Partial<NewRun<typeof EXPERT_OPTIONS>>);

type Options = Settled<typeof EXPERT_RUN_OPTIONS>;

/** Spans that the keys are centres of, at most: drawn evenly from all texts. */
const MOST_SPANS = 2048;

/**
 * Trains the model's router on some texts and keeps it as an expert, with the keys by which it is found. Returns whether it is finished; false where `signal`
 * ended it, to be resumed.
 * @throws BigVaeError: "usage" and "mismatch" naming the option, "format", "memory", "locked", "disk", "diverged".
 */
export async function trainExpert(given: TrainExpertOptions, control: RunControl = {}): Promise<boolean> {
  const { name, experts, ...rest } = given;
  const folder = placeOf(name, experts);
  if (await isExpert(folder))
    throw new BigVaeError("usage", {
      subject: `experts ${experts}`,
      expected: `no expert named ${name}`,
      got: "one that is finished",
      remedy: "remove it first, or choose another name",
    });
  const table = { ...EXPERT_RUN_OPTIONS, output: SHARED_OPTIONS.output };
  const settled = await settle<Options>({ command: "expert", table }, { ...rest, output: folder });
  await makeFolder(folder);
  const lock = await lockFolder(folder);
  try {
    await refuseBegun(folder, settled.options.resume);
    await writeRunFile(folder, settled.runFile);
    const finished = await train(name, folder, settled.options, control).catch(async (error) => {
      await forgetUnbegun(folder);
      throw error;
    });
    if (finished) await rm(join(folder, "run"), { recursive: true, force: true });
    if (finished) await rm(join(folder, "run.json"), { force: true });
    return finished;
  } finally {
    await lock.release();
    // Of a run that never began nothing is left.
    await rmdir(folder).catch(() => undefined);
  }
}

/** A run that has made no step can be begun anew with other options. */
async function forgetUnbegun(folder: string): Promise<void> {
  if ((await readRunFile(join(folder, "run", "router"))) !== undefined) return;
  await rm(join(folder, "run"), { recursive: true, force: true });
  await rm(join(folder, "run.json"), { force: true });
}

function placeOf(name: unknown, experts: unknown): string {
  for (const [option, value] of Object.entries({ name, experts })) {
    if (typeof value === "string" && value !== "") continue;
    const got = value === undefined ? "none" : JSON.stringify(value);
    throw new BigVaeError("usage", { subject: `\`${option}\``, expected: "a value", got, remedy: "give one" });
  }
  checkExpertName(name as string);
  return join(experts as string, name as string);
}

async function refuseBegun(folder: string, resume: boolean): Promise<void> {
  if (resume || !(await readRunFile(folder))) return;
  throw new BigVaeError("usage", {
    subject: "`name`",
    expected: "a new expert",
    got: `one that was begun in ${folder}`,
    remedy: "add `resume` to go on with it, or choose another name",
  });
}

/** All of the work; what an earlier call has done of it is not done again. */
async function train(name: string, folder: string, options: Options, control: RunControl): Promise<boolean> {
  const { model, adapters, on, contextLength, field, whole } = options;
  const paths = await findModel(model, adapters);
  const [rows, run] = [join(folder, "run", "rows"), join(folder, "run", "router")];
  const tokenizer = await openTokenizer(paths.base);
  const { signal } = control;
  const texts: TextOptions = { whole, ...(field === undefined ? {} : { field }) };
  const startFrom = paths.adapters;
  if (startFrom === undefined)
    throw new BigVaeError("usage", {
      subject: `\`model\` ${model}`,
      expected: "a model with adapters",
      got: "a base alone",
      remedy: "name their folder as `adapters`",
    });
  try {
    await prepare({
      ...texts,
      inputs: [on],
      tokenizer,
      output: rows,
      length: contextLength,
      ...(signal ? { signal } : {}),
    });
  } catch (error) {
    if (error instanceof BigVaeError && error.kind === "aborted") return false;
    throw error;
  }
  // A run that was resumed behind its last evaluation reports none.
  let loss = await lastHeldOutLoss(run);
  const onReport: NonNullable<RunControl["onReport"]> = (report) => {
    if (report.kind === "heldOut") loss = report.metrics.loss;
    control.onReport?.(report);
  };
  const begun = (await readRunFile(run)) !== undefined;
  const routerOptions = {
    ...ofRouter(options),
    ...{ model: paths.base, startFrom, preprocessed: rows, output: run, resume: begun },
  } as TrainRouterOptions;
  if (!(await trainRouter(routerOptions, { ...control, onReport }))) return false;
  const { step } = (await readJsonObject(run, STATE)) as { step: number };
  const made = await keysOf({ ...options, paths: { ...paths, adapters: startFrom }, texts }, signal);
  if (!made) return false;
  const { keys, space, ...counts } = made;
  const rowsPerStep = options.batchSize * options.gradientAccumulationSteps;
  const facts = {
    ...{ name, role: "router" as const, space: spaceOf(await hashModel(paths), space) },
    ...{ ...counts, steps: step, rowsPerStep, trained: new Date().toISOString() },
    ...(loss === undefined ? {} : { heldOutLoss: loss }),
  };
  await writeExpert(folder, facts, { adapter: join(run, "router"), keys });
  return true;
}

/** What of an expert's options the router's training takes. */
function ofRouter(options: Options): Record<string, unknown> {
  const own = Object.entries(options).filter(
    ([name, value]) => Object.hasOwn(ROUTER_OPTIONS, name) && value !== undefined,
  );
  // Of the two ways to say how long, steps count where they are given.
  return Object.fromEntries(own.filter(([name]) => name !== "epochs" || options.steps === undefined));
}

interface KeySource extends Pick<Options, "on" | "keys" | "seed" | "threads" | "device" | "quant"> {
  paths: { base: string; adapters: string };
  texts: TextOptions;
}

/** Centres of the keys of spans of the texts that were trained on; undefined where `signal` ended it. */
async function keysOf(
  { on, keys: count, seed, threads, device, quant, paths, texts }: KeySource,
  signal: AbortSignal | undefined,
): Promise<{ keys: Latent[]; texts: number; spans: number; space: LatentShape } | undefined> {
  const { base, tokenizer } = await openBase(paths.base, quant);
  const vae = await readVae(paths.adapters, base);
  const rng = Rng.fromSeed(seed).fork("keys");
  const drawn = new DrawnSpans(rng.fork("spans"));
  const { files } = await listInputs([on], texts);
  for await (const record of readFiles(files, texts))
    if (splitOf(record) === "train") drawn.add(tokenizer.encode(record.text), vae.span);
  const engine = new Engine({ runtime: await openRuntime({ threads, device }), base, vae, form: "unmerged" });
  try {
    const space = engine.space!;
    const encodings = await engine.encode(
      drawn.spans.map((ids) => ({ ids })),
      signal,
    );
    const centres = kMeans(
      encodings.map(({ mean }) => space.key(mean)),
      count,
      rng.fork("centres"),
    );
    if (centres.length > 0) return { keys: centres, texts: drawn.texts, spans: drawn.spans.length, space: space.shape };
  } catch (error) {
    if (signal?.aborted && error === signal.reason) return undefined;
    throw error;
  } finally {
    await engine.close();
  }
  throw new BigVaeError("usage", {
    subject: `\`on\` ${on}`,
    expected: "texts to train on",
    got: "none",
    remedy: "give more texts",
  });
}

/** Spans drawn from any number of texts, each with the same chance (Vitter's algorithm R). */
class DrawnSpans {
  readonly spans: (readonly number[])[] = [];
  texts = 0;
  #seen = 0;

  constructor(readonly rng: Rng) {}

  /** Takes the whole spans of a text, and a shorter text as it is. */
  add(ids: readonly number[], span: number): void {
    if (ids.length === 0) return;
    this.texts++;
    for (let start = 0; start === 0 || start + span <= ids.length; start += span) {
      const at = this.#seen++ < MOST_SPANS ? this.spans.length : this.rng.integer(this.#seen);
      if (at < MOST_SPANS) this.spans[at] = ids.slice(start, start + span);
    }
  }
}
