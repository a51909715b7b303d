/** A memory of spans as samplers use it: kept drafts stand for drafts that would have to be written, where they are near enough. */
import type { BigVae } from "../bigVae.js";
import { BigVaeError } from "../errors.js";
import { distance, type Latent, type LatentSpace } from "../latent/index.js";
import type { Memory, MemoryRecord } from "../memory/index.js";
import { Rng } from "../rng.js";
import type { DraftMemory, DraftPlace } from "../sampling/draftMemory.js";
import type { LatentModel } from "../sampling/model.js";
import { SamplingRun } from "../sampling/samplingRun.js";

/** How near kept drafts must be, and from what that follows. */
export interface RecallLimits {
  /** Largest distance of a draft's key from that of what it is written from, and of two contexts' keys. */
  distance: number;
  /** Share of drafts, written behind held-out texts, that lie as near. */
  coverage: number;
  /** Texts that they were written behind. */
  texts: number;
}

/** What drafts are recalled from and kept in. */
type Store = Pick<Memory, "search" | "add" | "latents">;

const LIMITS = "recall";

/** Sets how near the drafts of a memory must be. */
export function setRecallLimits(memory: Memory, limits: RecallLimits): Promise<void> {
  return memory.setNote(LIMITS, JSON.stringify(limits));
}

/** How near the drafts of a memory must be, where that was measured. */
export function knownRecallLimits(memory: Memory): RecallLimits | undefined {
  const note = memory.note(LIMITS);
  return note === undefined ? undefined : (JSON.parse(note) as RecallLimits);
}

/** How near the drafts of a memory must be. Throws "usage" for a memory that nobody has calibrated. */
export function recallLimits(memory: Memory): RecallLimits {
  const known = knownRecallLimits(memory);
  if (known) return known;
  throw new BigVaeError("usage", {
    subject: `memory ${memory.folder}`,
    expected: "one that says how near drafts must be",
    got: "one that is not calibrated",
    remedy: `run bigvae memory calibrate ${memory.folder} with some texts`,
  });
}

/** The tag of drafts of a kind in a memory. */
const tagOf = (kind: string) => `draft ${kind}`;

/** Of the records near to a place, so many are looked at for each draft that is wanted, and four times as many while those do not do. */
const LOOKED_AT = 16;

/** A draft stands for others so often, whatever the run; then it is left to be written anew, so that a session does not turn in a circle. */
const MOST_USES = 8;

/** Drafts of a memory for one session: none is used twice in a run of `runs`, and none more than 8 times. */
export class RecalledDrafts {
  readonly #uses = new Map<number, number>();
  /** Drafts asked for, and those of them that were recalled. */
  readonly counts = { asked: 0, recalled: 0 };

  constructor(
    /** What they are recalled from and kept in. */
    readonly memory: Store,
    /** Of the model that writes them. */
    readonly tokenizer: Pick<BigVae["tokenizer"], "decode">,
    /** How near they must be. */
    readonly limits: Pick<RecallLimits, "distance">,
  ) {}

  /** Share of the drafts that were recalled. */
  get share(): number {
    const { asked, recalled } = this.counts;
    return asked === 0 ? 0 : recalled / asked;
  }

  /** The memory for one run of a sampler. */
  forRun(): DraftMemory {
    const used = new Set<number>();
    return {
      recall: async (place, count) => {
        this.counts.asked += count;
        const isFresh = ({ id }: MemoryRecord) => !used.has(id) && (this.#uses.get(id) ?? 0) < MOST_USES;
        const chosen = await this.#nearest(place, count, isFresh);
        for (const { id } of chosen) {
          used.add(id);
          this.#uses.set(id, (this.#uses.get(id) ?? 0) + 1);
        }
        this.counts.recalled += chosen.length;
        return chosen.map(({ id, ids, z }) => ({ id, ids, z }));
      },
      keep: async ({ context, kind }, drafts) => {
        const records = drafts.map(({ ids, z }) => ({
          text: this.tokenizer.decode(ids),
          ids,
          z,
          contextZ: context,
          tags: [tagOf(kind)],
        }));
        const ids = await this.memory.add(records);
        for (const id of ids) used.add(id);
        return ids;
      },
    };
  }

  /** The nearest drafts within the limits that are `wanted`: ever more are looked at, until there are enough, or the next ones lie too far away. */
  async #nearest(
    { from, context, kind }: DraftPlace,
    count: number,
    wanted: (record: MemoryRecord) => boolean,
  ): Promise<MemoryRecord[]> {
    const { latents } = this.memory;
    const { distance: limit } = this.limits;
    for (let looked = LOOKED_AT * count; ; looked *= 4) {
      const query = { z: from, count: looked, metric: "l2" as const, filter: { tags: [tagOf(kind)] } };
      const found = await this.memory.search(query);
      const near = found.filter(({ similarity }) => -similarity! <= limit);
      const fitting = near
        .map(({ record }) => record)
        .filter(({ contextZ }) => contextZ !== undefined && keyDistance(latents, contextZ, context) <= limit)
        .filter(wanted);
      if (fitting.length >= count || near.length < looked) return fitting.slice(0, count);
    }
  }
}

/**
 * How far drafts lie from what they are written from: behind the first span of each text, `nAvg` drafts are written and encoded; `coverage` of them lie
 * within the distance that is returned. Throws "usage" for a share that is none, and where no text has as many tokens as a span.
 */
export async function measureRecall(
  vae: Pick<BigVae, "latentModel" | "tokenizer" | "span" | "space">,
  texts: readonly string[],
  {
    coverage = 0.5,
    nAvg = 4,
    noise = 1,
    seed = 0,
    signal,
  }: { coverage?: number; nAvg?: number; noise?: number; seed?: number; signal?: AbortSignal } = {},
): Promise<RecallLimits> {
  const { span, space, tokenizer, latentModel } = vae;
  if (!(coverage > 0 && coverage <= 1))
    throw new BigVaeError("usage", {
      subject: "`coverage`",
      expected: "a share above 0, of at most 1",
      got: `${coverage}`,
      remedy: "leave it out for 0.5",
    });
  const spans = texts.map((text) => tokenizer.encode(text).slice(0, span)).filter(({ length }) => length === span);
  if (spans.length === 0)
    throw new BigVaeError("usage", {
      subject: "calibrate",
      expected: `texts of at least ${span} tokens`,
      got: texts.length === 0 ? "none" : "shorter ones alone",
      remedy: "give longer texts",
    });
  const distances: number[] = [];
  for (const [i, ids] of spans.entries())
    distances.push(...(await draftDistances(latentModel, space, ids, { nAvg, noise, seed: [seed, i], span, signal })));
  distances.sort((a, b) => a - b);
  return { distance: distances[Math.ceil(coverage * distances.length) - 1]!, coverage, texts: spans.length };
}

async function draftDistances(
  model: LatentModel,
  space: LatentSpace,
  ids: readonly number[],
  {
    nAvg,
    noise,
    seed,
    span,
    signal,
  }: { nAvg: number; noise: number; seed: [number, number]; span: number; signal: AbortSignal | undefined },
): Promise<number[]> {
  const rng = Rng.fromSeed(seed[0]).fork("recall", seed[1]);
  const run = new SamplingRun(model, { rng, nSteps: 1, nAvg, tau: 0.9, noise, span, ...(signal ? { signal } : {}) });
  const from = await run.sample(ids, "span");
  const drafts = await run.drafts(from, [], span, span, ids);
  return drafts.map(({ latent }) => keyDistance(space, from.z, latent.z));
}

function keyDistance(space: LatentSpace, a: Latent, b: Latent): number {
  return distance(space.key(a), space.key(b));
}
