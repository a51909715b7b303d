/** `bigvae eval --measure prose` and `memory`: what avg writes behind unseen beginnings, and a session of it that recalls drafts. */
import type { BigVae, GeneratedSpan } from "../../bigVae.js";
import { BigVaeError } from "../../errors.js";
import { evaluateMemory, evaluateProse, type ScoringOptions, type SessionReport } from "../../eval/index.js";
import { drive } from "../../operations/writing.js";
import type { Rng } from "../../rng.js";
import type { Averaging } from "../../sampling/averaging.js";
import type { AvgPresetName } from "../../sampling/avg.js";
import { type DraftFlags, withDrafts } from "../memories.js";
import type { OutputFlags } from "../shared.js";

interface ProseFlags extends OutputFlags, DraftFlags {
  seed: number;
  averaging?: Averaging | undefined;
  preset?: AvgPresetName;
  cfg?: number | undefined;
  count?: number | undefined;
  spans?: number | undefined;
}

type Scoring = ScoringOptions & { rng: Rng; known: ReadonlySet<string> };

/** Temperature of the samplers, and of plain sampling beside them. */
const TAU = 0.9;

/** Spans of a run. */
const STEPS = 3;

/** Runs of the averaging sampler, beside plain sampling. */
export function measureProse(vae: BigVae, texts: readonly string[], flags: ProseFlags, scoring: Scoring) {
  return withDrafts(flags, vae, async (drafts) => {
    let [milliseconds, written] = [0, 0];
    const report = await evaluateProse({
      ...{ ...scoring, texts, runs: flags.count },
      tau: TAU,
      async write(prompt, run) {
        const memory = drafts ? { memory: drafts.forRun() } : {};
        const spans: (readonly number[])[] = [];
        const start = performance.now();
        await drive(vae.generate("avg", { ...runOptions(flags, prompt, run, scoring), ...memory }), ({ ids }) =>
          spans.push(ids),
        );
        milliseconds += performance.now() - start;
        written += spans.length;
        return spans;
      },
    });
    const secondsPerSpan = Number((milliseconds / 1000 / written).toFixed(3));
    return { ...report, secondsPerSpan, ...(drafts ? { recalledDrafts: drafts.share } : {}) };
  });
}

/** One session of runs that recall drafts from a memory, and keep theirs in it. */
export function measureMemory(
  vae: BigVae,
  texts: readonly string[],
  flags: ProseFlags,
  scoring: Scoring,
): Promise<SessionReport & { drafts: object }> {
  return withDrafts(flags, vae, async (drafts) => {
    if (!drafts)
      throw new BigVaeError("usage", {
        subject: "eval",
        expected: "a calibrated memory",
        got: "none",
        remedy: "give --memory FOLDER",
      });
    const report = await evaluateMemory({
      ...{ ...scoring, texts, spans: flags.spans },
      tau: TAU,
      kept: () => drafts.memory.count(),
      async write(prompt, run, recalls) {
        const spans: (GeneratedSpan & { milliseconds: number })[] = [];
        const memory = recalls ? { memory: drafts.forRun() } : {};
        let start = performance.now();
        await drive(vae.generate("avg", { ...runOptions(flags, prompt, run, scoring), ...memory }), (span) => {
          spans.push({ ...span, milliseconds: performance.now() - start });
          start = performance.now();
        });
        return spans.map(({ ids, latent, drafts, written, milliseconds }) => ({
          ...{ ids, z: latent.z, context: written.context, milliseconds },
          drafts: drafts.map(({ ids, recalled }) => ({ ids, recalled })),
        }));
      },
    });
    const { milliseconds, ...counts } = drafts.counts;
    return { ...report, drafts: { ...counts, millisecondsPerSpan: milliseconds / report.spans } };
  });
}

function runOptions({ seed, averaging, preset, cfg }: ProseFlags, prompt: string, run: number, { signal }: Scoring) {
  const guidance = cfg === undefined ? {} : { cfgScale: cfg };
  return { preset, averaging, ...guidance, nSteps: STEPS, tau: TAU, signal, prompt, seed: seed + run };
}
