/** `bigvae eval --measure experts`: trains an expert for each kind of text and one adapter on all, with as many steps in all, and measures them. */
import { join } from "node:path";
import type { BigVae } from "../../bigVae.js";
import { readFiles, splitOf, type TextRecord } from "../../data/index.js";
import { BigVaeError } from "../../errors.js";
import { type ExpertsReport, evaluateExperts, type ScoringOptions } from "../../eval/index.js";
import { checkExpertName, isExpert } from "../../expert/index.js";
import { makeFolder } from "../../formats/fileOps.js";
import { jsonLine, writeFileAtomic } from "../../formats/index.js";
import { exists } from "../../formats/readFiles.js";
import { openExperts } from "../../operations/experts.js";
import type { Rng } from "../../rng.js";
import { trainExpert } from "../../train/index.js";
import { type TextFlags, textFiles } from "../input.js";
import { interruptSignal } from "../options.js";
import type { Progress } from "../progress.js";
import type { ModelFlags } from "../shared.js";

export interface ExpertsMeasureFlags extends ModelFlags, TextFlags {
  data?: string | undefined;
  experts?: string | undefined;
  steps: number;
}

/** How all of them are trained. */
const TRAINING = { batchSize: 8, lr: 8e-4, lrDecay: "cosine", contextLength: 256, evalEvery: 10_000 } as const;

/** Where what is trained lies within --experts. */
const [TEXTS, KINDS, ONE, ALL] = ["texts", "kinds", "one", "all"];

/** Trains what the folder of --experts does not hold yet; an interrupted run goes on when it is asked for again. */
export async function trainKinds(flags: ExpertsMeasureFlags, bar: Progress): Promise<void> {
  const folder = folderOf(flags);
  const kinds = await writeKinds(flags, folder);
  for (const kind of kinds)
    await trainOne(flags, join(folder, TEXTS, `${kind}.jsonl`), [KINDS, kind], flags.steps, bar);
  await trainOne(flags, join(folder, TEXTS), [ONE, ALL], kinds.length * flags.steps, bar);
}

function folderOf({ experts }: ExpertsMeasureFlags): string {
  if (experts !== undefined) return experts;
  const remedy = "give --experts FOLDER";
  throw new BigVaeError("usage", { subject: "eval", expected: "a folder for the experts", got: "none", remedy });
}

/** A file of texts for each kind, where there is none yet. Returns the kinds. */
async function writeKinds(flags: ExpertsMeasureFlags, folder: string): Promise<string[]> {
  const byKind = new Map<string, string[]>();
  for await (const record of readFiles(await textFiles([flags.data!], flags), flags)) {
    const kind = kindOf(record);
    const { id, text } = record;
    const lines = byKind.get(kind) ?? [];
    lines.push(jsonLine({ id, split: splitOf(record), text }));
    byKind.set(kind, lines);
  }
  await makeFolder(join(folder, TEXTS));
  for (const [kind, lines] of byKind) {
    const path = join(folder, TEXTS, `${kind}.jsonl`);
    if (!(await exists(path))) await writeFileAtomic(path, lines.join(""));
  }
  return [...byKind.keys()].sort();
}

/** Names a file and an expert. */
function kindOf({ kind, where }: TextRecord): string {
  if (kind !== undefined) {
    checkExpertName(kind);
    return kind;
  }
  throw new BigVaeError("usage", {
    subject: where,
    expected: "a kind of text, in the field kind",
    got: "none",
    remedy: "give records that have one",
  });
}

async function trainOne(
  flags: ExpertsMeasureFlags,
  on: string,
  [group, name]: readonly [string, string],
  steps: number,
  bar: Progress,
): Promise<void> {
  const experts = join(folderOf(flags), group);
  const folder = join(experts, name);
  if (await isExpert(folder)) return;
  const begun = await exists(join(folder, "run.json"));
  const { model, adapters, threads, seed } = flags;
  const options = {
    ...{ on, model, steps, seed, ...TRAINING },
    ...(adapters === undefined ? {} : { adapters }),
    ...(threads === undefined ? {} : { threads }),
  };
  const finished = await trainExpert(
    { name, experts, ...(begun ? { resume: true } : options) } as Parameters<typeof trainExpert>[0],
    {
      signal: interruptSignal(),
      onReport: (report) => {
        if (report.kind === "step") bar.update(report.step, report.totalSteps, `training ${name}`);
      },
    },
  );
  if (!finished) throw new BigVaeError("aborted", "stopped before the end; the same command goes on");
}

/** The table. */
export async function measureExperts(
  vae: BigVae,
  records: readonly TextRecord[],
  flags: ExpertsMeasureFlags,
  scoring: ScoringOptions & { rng: Rng },
): Promise<ExpertsReport & { steps: number }> {
  const folder = folderOf(flags);
  const choices = [await openExperts(vae, join(folder, KINDS)), await openExperts(vae, join(folder, KINDS), { k: 2 })];
  const report = await evaluateExperts({
    ...scoring,
    texts: records.map((record) => ({ text: record.text, kind: kindOf(record) })),
    experts: choices[0]!.experts.map(({ facts, folder: own }) => ({ kind: facts.name, folder: own })),
    nearest: (z, k) => choices[k - 1]!.choose(z),
    one: join(folder, ONE, ALL),
    span: vae.span,
  });
  return { steps: flags.steps, ...report };
}
