/** A memory of spans as samplers use it: kept drafts stand for drafts that would have to be written, where they are near enough. */
import type { BigVae } from "../bigVae.js";
import { BigVaeError } from "../errors.js";
import type { LatentSpace } from "../latent/index.js";
import type { Memory } from "../memory/index.js";
import { Rng } from "../rng.js";
import type { DraftMemory, DraftPlace, KeptDraft } from "../sampling/draftMemory.js";
import type { LatentModel } from "../sampling/model.js";
import { SamplingRun } from "../sampling/samplingRun.js";
import { type DraftSource, DraftTable, keyDistance } from "./draftTable.js";

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
type Store = DraftSource & Pick<Memory, "records" | "add" | "delete" | "count">;

const LIMITS = "recall";

/** Sets how near the drafts of a memory must be. */
export function setRecallLimits(memory: Memory, limits: RecallLimits): Promise<void> {
  return memory.setNote(LIMITS, JSON.stringify(limits));
}

/** How near the drafts of a memory must be, where that was measured. */
export async function knownRecallLimits(memory: Memory): Promise<RecallLimits | undefined> {
  const note = await memory.note(LIMITS);
  return note === undefined ? undefined : (JSON.parse(note) as RecallLimits);
}

/** How near the drafts of a memory must be. Throws "usage" for a memory that nobody has calibrated. */
export async function recallLimits(memory: Memory): Promise<RecallLimits> {
  const known = await knownRecallLimits(memory);
  if (known) return known;
  throw new BigVaeError("usage", {
    subject: `memory ${memory.place}`,
    expected: "one that says how near drafts must be",
    got: "one that is not calibrated",
    remedy: `run bigvae memory calibrate ${memory.place} with some texts`,
  });
}

/** A draft stands for others so often, whatever the run; then it is left to be written anew, so that a session does not turn in a circle. */
const MOST_USES = 16;

/** Drafts of a kind that a memory keeps, where nothing else is said: 8 kB each, and 5 MB of keys for all. */
export const MOST_DRAFTS = 10_000;

/** What was done with drafts, and how long it took. */
export interface DraftCounts {
  /** Drafts asked for. */
  asked: number;
  /** Those of them that were recalled. */
  recalled: number;
  /** Those that were written and kept. */
  kept: number;
  /** Kept ones that had to go for others. */
  dropped: number;
  /** Time that looking for them took, and keeping new ones. */
  milliseconds: number;
}

/** Ids of drafts that came and went. */
interface DraftChange {
  added?: readonly number[];
  deleted?: readonly number[];
}

/** How many drafts are kept, and who is told of those that come and go. */
export interface DraftOptions {
  /** Drafts of a kind (their length, what is encoded of them, and whether the base alone writes them) that are kept at most; default: 10,000. */
  most?: number | undefined;
  /** Is told of the drafts that were kept, and of those that were dropped. */
  onChange?: (change: DraftChange) => unknown;
}

/**
 * Drafts of a memory for one session, the least used first: none is used twice in a run of `forRun`, none by the run that wrote it, and none more than 16 times. Of each kind the
 * memory keeps `most`: beyond them it drops used-up ones first, then the least used, and of these the oldest.
 */
export class RecalledDrafts {
  readonly #uses = new Map<number, number>();
  readonly #tables = new Map<string, DraftTable>();
  /** What was done in this session. */
  readonly counts: DraftCounts = { asked: 0, recalled: 0, kept: 0, dropped: 0, milliseconds: 0 };
  /** Drafts of a kind that are kept at most. */
  readonly most: number;
  readonly #onChange: DraftOptions["onChange"];
  /** The change that is under way: which drafts go follows from those that there are. */
  #change: Promise<unknown> = Promise.resolve();

  constructor(
    /** What they are recalled from and kept in. */
    readonly memory: Store,
    /** Of the model that writes them. */
    readonly tokenizer: Pick<BigVae["tokenizer"], "decode">,
    /** How near they must be. */
    readonly limits: Pick<RecallLimits, "distance">,
    { most = MOST_DRAFTS, onChange }: DraftOptions = {},
  ) {
    if (!(Number.isSafeInteger(most) && most >= 1))
      throw new BigVaeError("usage", {
        subject: "`most`",
        expected: "a number of drafts, at least 1",
        got: `${most}`,
        remedy: `leave it out for ${MOST_DRAFTS}`,
      });
    this.most = most;
    this.#onChange = onChange;
  }

  /** Share of the drafts that were recalled. */
  get share(): number {
    const { asked, recalled } = this.counts;
    return asked === 0 ? 0 : recalled / asked;
  }

  /** The memory for one run of a sampler. */
  forRun(): DraftMemory {
    const used = new Set<number>();
    const isFresh = (id: number) => !used.has(id) && !this.#isUsedUp(id);
    return {
      recall: (place, count) =>
        this.#timed(async () => {
          const { from, context, kind } = place;
          const table = await this.#table(kind);
          // The least used of all that are near enough, so that a few near ones are not mixed over and over.
          const near = table
            .near(from, context, this.limits.distance, isFresh)
            .sort((a, b) => this.#usesOf(a) - this.#usesOf(b))
            .slice(0, count);
          // At once, so that no other run chooses beyond what a draft may be used.
          for (const id of near) {
            used.add(id);
            this.#uses.set(id, this.#usesOf(id) + 1);
          }
          const chosen = (await this.memory.records(near)).flatMap((record) => record ?? []);
          this.counts.asked += count;
          this.counts.recalled += chosen.length;
          return chosen.map(({ id, ids, z }) => ({ id, ids, z }));
        }),
      keep: (place, drafts) =>
        this.#timed(async () => {
          const keeping = this.#change.then(() => this.#keep(place, drafts));
          this.#change = keeping.catch(() => undefined);
          const ids = await keeping;
          for (const id of ids) used.add(id);
          return ids;
        }),
    };
  }

  /** Keeps drafts, in the places of others where there are as many as may be. */
  async #keep({ context, kind }: DraftPlace, drafts: readonly Omit<KeptDraft, "id">[]): Promise<readonly number[]> {
    const table = await this.#table(kind);
    const records = drafts.map(({ ids, z }) => ({
      text: this.tokenizer.decode(ids),
      ids,
      z,
      contextZ: context,
      tags: [table.tag],
    }));
    const ids = await table.during(
      () => this.memory.add(records),
      (added) => ({ added: added.map((id, i) => ({ id, z: records[i]!.z, contextZ: context })) }),
    );
    this.counts.kept += ids.length;
    await this.#onChange?.({ added: ids });
    await this.#drop(table, ids);
    return ids;
  }

  /** Drops drafts beyond `most`, and none of those that were kept just now. */
  async #drop(table: DraftTable, kept: readonly number[]): Promise<void> {
    const count = table.count - this.most;
    if (count <= 0) return;
    const rank = (id: number) => (this.#isUsedUp(id) ? -1 : this.#usesOf(id));
    const last = [...table.ids].filter((id) => !kept.includes(id)).sort((a, b) => rank(a) - rank(b) || a - b);
    const dropped = last.slice(0, count);
    try {
      await table.during(
        () => this.memory.delete(dropped),
        () => ({ deleted: dropped }),
      );
    } catch (error) {
      // Somebody else has deleted one of them meanwhile: the next draft finds what there is then.
      if (error instanceof BigVaeError && error.kind === "usage") return;
      throw error;
    }
    for (const id of dropped) this.#uses.delete(id);
    this.counts.dropped += dropped.length;
    await this.#onChange?.({ deleted: dropped });
  }

  #usesOf(id: number): number {
    return this.#uses.get(id) ?? 0;
  }

  #isUsedUp(id: number): boolean {
    return this.#usesOf(id) >= MOST_USES;
  }

  async #table(kind: string): Promise<DraftTable> {
    const tag = `draft ${kind}`;
    let table = this.#tables.get(tag);
    if (!table) this.#tables.set(tag, (table = new DraftTable(this.memory, tag)));
    await table.refresh();
    return table;
  }

  async #timed<T>(work: () => Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      return await work();
    } finally {
      this.counts.milliseconds += performance.now() - start;
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
