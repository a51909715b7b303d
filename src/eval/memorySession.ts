/**
 * A long session of averaging that recalls drafts from a memory and keeps what it writes: how its spans change as the memory grows, and, at its end, how its
 * prose compares with that of drafts that are all written.
 */
import { BigVaeError } from "../errors.js";
import type { Latent } from "../latent/index.js";
import type { Rng } from "../rng.js";
import { bootstrap, type Estimate, ratio } from "./bootstrap.js";
import { evaluateProse, type ProseReport, prosePrompts } from "./prose.js";
import { nll, type ScoringOptions } from "./scoring.js";
import { gramsOf } from "./words.js";

type Ids = readonly number[];

/** A span of the session, and what it took. */
export interface SessionSpan {
  ids: Ids;
  /** What it was written from, and behind. */
  z: Latent;
  context: Ids;
  /** Its drafts: their tokens, and by what the memory knows those that were recalled. */
  drafts: readonly { ids: Ids; recalled?: number | undefined }[];
  milliseconds: number;
}

export interface SessionOptions extends ScoringOptions {
  /** Unseen texts. Each run goes on from the first two sentences of one, all of them in turn. */
  texts: readonly string[];
  known: ReadonlySet<string>;
  rng: Rng;
  /** Spans of the session; the last run may go beyond. Default: 2,000. */
  spans?: number | undefined;
  /** Temperature of plain sampling: that of `write`. */
  tau: number;
  /** The spans of a run; `recalls`: with drafts of the memory, and kept in it. */
  write(prompt: string, run: number, recalls: boolean): Promise<readonly SessionSpan[]>;
  /** Records of the memory. */
  kept(): Promise<number>;
}

/** Some consecutive spans of the session. */
interface SessionPart {
  /** Spans from the beginning to its end. */
  spans: number;
  /** Records of the memory then. */
  kept: number;
  /** Share of drafts that were recalled, and of spans whose drafts all were. */
  recalled: number;
  allRecalled: number;
  /** Seconds a span; of those whose drafts were all recalled; of as many tokens by plain sampling, in turn with them. */
  secondsPerSpan: number;
  secondsAllRecalled: number | null;
  secondsPlain: number;
  /** Tokens that were written a span: its own and those of its drafts. */
  tokensPerSpan: number;
  /** Share of its spans of which the text is no other's; of its 4-grams of words that are the first of their kind in it. */
  distinctSpans: number;
  distinctGrams: number;
  /** Share of its recalled drafts that are the first of their kind in it; uses of the one that was used most. */
  distinctDrafts: number | null;
  mostUsed: number;
}

/** Prose of one way of writing. */
interface SessionProse extends ProseReport {
  /** What the router's reading of a span gains by its latent over the base's, nats per token. */
  gainFromZ: Estimate;
  /** As of a part, over all that was written, with intervals over runs. */
  distinctSpans: Estimate;
  distinctGrams: Estimate;
}

export interface SessionReport {
  spans: number;
  /** By 200 spans. */
  parts: SessionPart[];
  /** The last run from each text, and the same runs without the memory. */
  recalled: SessionProse;
  written: SessionProse;
}

export const SESSION_SPANS = 2000;

/** Spans of a part. */
const PART_SPANS = 200;

/** Writes the session, then the runs that it is compared with. @throws BigVaeError("usage") as evaluateProse does, and for fewer spans than one run from each text. */
export async function evaluateMemory(options: SessionOptions): Promise<SessionReport> {
  const { spans: asked = SESSION_SPANS, onProgress } = options;
  const prompts = prosePrompts(options);
  const session = new Session(options);
  const write = async (prompt: string, run: number, recalls: boolean) => {
    const written = await options.write(prompt, run, recalls);
    if (recalls) {
      await session.take(prompt, run, written);
      onProgress?.(Math.min(session.count, asked), asked, "spans of the session");
    }
    return written;
  };
  // The last run from each text is measured.
  let run = 0;
  const perRun = () => (run === 0 ? 0 : session.count / run);
  while (session.count + perRun() * prompts.length < asked) {
    await write(prompts[run % prompts.length]!.text, run, true);
    run++;
  }
  if (run === 0)
    throw new BigVaeError("usage", {
      subject: "`spans`",
      expected: "at least one span from each text",
      got: asked,
      remedy: "give more, or fewer texts",
    });
  const prose = (recalls: boolean) =>
    sessionProse(options, (prompt, at) => write(prompt, run + at, recalls), prompts.length);
  const recalled = await prose(true);
  await session.end();
  return { spans: session.count, parts: session.parts, recalled, written: await prose(false) };
}

/** What is counted of a session while it goes on. */
class Session {
  readonly parts: SessionPart[] = [];
  count = 0;
  #open: SessionSpan[] = [];
  #plainMs = 0;

  constructor(readonly options: SessionOptions) {}

  /** Counts the spans of a run, and writes as many tokens by plain sampling. */
  async take(prompt: string, run: number, spans: readonly SessionSpan[]): Promise<void> {
    this.#plainMs += await plainTime(this.options, prompt, run, spans.flatMap(({ ids }) => ids).length);
    this.#open.push(...spans);
    this.count += spans.length;
    if (this.#open.length >= PART_SPANS) await this.end();
  }

  /** Ends a part. */
  async end(): Promise<void> {
    if (this.#open.length > 0) this.parts.push(await this.#part(this.#open));
    this.#open = [];
    this.#plainMs = 0;
  }

  async #part(spans: readonly SessionSpan[]): Promise<SessionPart> {
    const { tokenizer, kept } = this.options;
    const drafts = spans.flatMap((span) => span.drafts);
    const uses = new Map<number, number>();
    for (const { recalled } of drafts) if (recalled !== undefined) uses.set(recalled, (uses.get(recalled) ?? 0) + 1);
    const recalled = Array.from(uses.values()).reduce((sum, count) => sum + count, 0);
    const whole = spans.filter((span) => span.drafts.every((draft) => draft.recalled !== undefined));
    const texts = spans.map(({ ids }) => tokenizer.decode(ids, { skipSpecial: true }));
    const written = drafts.filter((draft) => draft.recalled === undefined);
    const tokens = [...spans, ...written].reduce((sum, { ids }) => sum + ids.length, 0);
    const grams = texts.flatMap(gramsOf);
    const seconds = (of: readonly SessionSpan[]) =>
      of.reduce((sum, { milliseconds }) => sum + milliseconds, 0) / 1000 / of.length;
    return {
      spans: this.count,
      kept: await kept(),
      recalled: recalled / drafts.length,
      allRecalled: whole.length / spans.length,
      secondsPerSpan: seconds(spans),
      secondsAllRecalled: whole.length > 0 ? seconds(whole) : null,
      secondsPlain: this.#plainMs / 1000 / spans.length,
      tokensPerSpan: tokens / spans.length,
      distinctSpans: new Set(texts).size / texts.length,
      distinctGrams: new Set(grams).size / grams.length,
      distinctDrafts: recalled > 0 ? uses.size / recalled : null,
      mostUsed: Math.max(0, ...uses.values()),
    };
  }
}

/** How long the base takes to write so many tokens behind a prompt by itself. */
async function plainTime(options: SessionOptions, prompt: string, run: number, nTokens: number): Promise<number> {
  const { model, tokenizer, rng, tau, signal } = options;
  const { beginId = 0, eosId } = tokenizer;
  const row = { rngKey: rng.fork("plain time", run).key };
  const how = { writer: "base", nTokens, tau, stopId: eosId, endless: true, signal };
  const context = [beginId, ...tokenizer.encode(prompt)];
  const start = performance.now();
  await model.write([row], { ...how, context });
  return performance.now() - start;
}

async function sessionProse(
  options: SessionOptions,
  write: (prompt: string, run: number) => Promise<readonly SessionSpan[]>,
  runs: number,
): Promise<SessionProse> {
  const { rng, tokenizer } = options;
  const written: (readonly SessionSpan[])[] = [];
  const report = await evaluateProse({
    ...options,
    runs,
    async write(prompt, run) {
      const spans = await write(prompt, run);
      written.push(spans);
      return spans.map(({ ids }) => ids);
    },
  });
  const gains: number[][] = [];
  for (const spans of written) {
    const sums = [0, 0];
    for (const span of spans) for (const [i, value] of (await gainFromZ(options, span)).entries()) sums[i]! += value;
    gains.push(sums);
  }
  const texts = written.map((spans) => spans.map(({ ids }) => tokenizer.decode(ids, { skipSpecial: true })));
  const estimate = (values: readonly (readonly number[])[]) => bootstrap(values, ratio, rng.fork("session"));
  return {
    ...report,
    gainFromZ: estimate(gains),
    distinctSpans: estimate(firstTexts(texts)),
    distinctGrams: estimate(firstGrams(texts)),
  };
}

/** [what a span's tokens gain by its latent, its tokens]. */
async function gainFromZ({ model, tokenizer, signal }: SessionOptions, { ids, z, context }: SessionSpan) {
  if (ids.length === 0) return [0, 0];
  const [own] = await model.score([{ z, target: ids }], "router", context, signal);
  const behind = context.length > 0 ? context : [tokenizer.beginId ?? 0];
  const [base] = await model.score([{ target: ids }], "base", behind, signal);
  return [nll(base!) - nll(own!), ids.length];
}

/** [texts of each run that no run before had, texts]. */
function firstTexts(runs: readonly (readonly string[])[]): number[][] {
  const seen = new Set<string>();
  return runs.map((texts) => {
    const before = seen.size;
    for (const text of texts) seen.add(text);
    return [seen.size - before, texts.length];
  });
}

/** [4-grams of words of each run that no run before had, 4-grams]. */
function firstGrams(runs: readonly (readonly string[])[]): number[][] {
  const seen = new Set<string>();
  return runs.map((texts) => {
    const before = seen.size;
    const grams = texts.flatMap(gramsOf);
    for (const gram of grams) seen.add(gram);
    return [seen.size - before, grams.length];
  });
}
