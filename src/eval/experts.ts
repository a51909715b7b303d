/** What retrieved experts are worth: the router's loss on held-out texts of several kinds, by who writes, on the same windows with the same latents. */
import type { ExpertShare } from "../engine/engine.js";
import type { Latent } from "../latent/index.js";
import type { Rng } from "../rng.js";
import { bootstrap, type Estimate, ratio } from "./bootstrap.js";
import { nll, Scoring, type ScoringOptions } from "./scoring.js";

/** An expert of a kind of text. */
interface KindExpert {
  kind: string;
  folder: string;
}

export interface ExpertsOptions extends ScoringOptions {
  texts: readonly { text: string; kind: string }[];
  /** One for each kind. */
  experts: readonly KindExpert[];
  /** The experts nearest to a latent, k of them, the nearest first. */
  nearest(z: Latent, k: number): readonly ExpertShare[];
  /** Where the adapter lies that was trained on all kinds. */
  one: string;
  rng: Rng;
  /** Tokens of a span. */
  span: number;
}

/** Who writes: the model's router; the nearest expert, or two; one adapter for all kinds; an expert drawn by lot; the mean of all; that of the text's kind. */
const EXPERT_ARMS = ["router", "top1", "top2", "one", "random", "average", "true"] as const;
type Arm = (typeof EXPERT_ARMS)[number];

/** Losses are in nats per token; intervals are over texts, those of differences over the same texts. */
export interface ExpertsReport {
  texts: number;
  windows: number;
  tokens: number;
  /** Share of the windows whose nearest expert is that of their kind. */
  kindFound: Estimate;
  loss: Record<Arm, Estimate>;
  /** How far the loss of one nearest expert lies below that of others. */
  top1Below: Record<Exclude<Arm, "top1">, Estimate>;
  /** The same of two. */
  top2Below: Record<Exclude<Arm, "top2">, Estimate>;
  /** Of what the expert of the text's kind gains, over the router and over one adapter, the share that retrieved ones reach. */
  ofTrueGain: Record<"overRouter" | "overOne", Record<"top1" | "top2", Estimate>>;
}

/** Windows of a text at most: the router reads what is before a span, its latent, and says the span and the next one. */
const MOST_WINDOWS = 2;

/** Sums of a text: the loss of each arm over its tokens, then tokens, windows, windows whose kind was found. */
type Sums = number[];
const TOKENS = EXPERT_ARMS.length;
const WINDOWS = TOKENS + 1;
const FOUND = TOKENS + 2;

export async function evaluateExperts(options: ExpertsOptions): Promise<ExpertsReport> {
  const { texts, onProgress, rng } = options;
  const all: Sums[] = [];
  for (const [i, text] of texts.entries()) {
    all.push(await sumsOf(text, options, rng.fork("text", i)));
    onProgress?.(i + 1, texts.length, "texts read by the experts");
  }
  const read = all.filter((sums) => sums[TOKENS]! > 0);
  const draws = rng.fork("resamples");
  const estimate = (name: string, of: (sums: readonly number[]) => number) => bootstrap(read, of, draws.fork(name));
  const mean = (arm: Arm) => (sums: readonly number[]) => sums[EXPERT_ARMS.indexOf(arm)]! / sums[TOKENS]!;
  const below = <A extends Arm>(arm: A) =>
    Object.fromEntries(
      EXPERT_ARMS.filter((other) => other !== arm).map((other) => [
        other,
        estimate(`${arm} ${other}`, (sums) => mean(other)(sums) - mean(arm)(sums)),
      ]),
    ) as Record<Exclude<Arm, A>, Estimate>;
  const gained = (from: Arm, arm: Arm) =>
    estimate(`${from} ${arm} true`, (sums) =>
      ratio([mean(from)(sums) - mean(arm)(sums), mean(from)(sums) - mean("true")(sums)]),
    );
  const total = (at: number) => read.reduce((sum, sums) => sum + sums[at]!, 0);
  return {
    texts: read.length,
    windows: total(WINDOWS),
    tokens: total(TOKENS),
    kindFound: estimate("kind", (sums) => sums[FOUND]! / sums[WINDOWS]!),
    loss: Object.fromEntries(EXPERT_ARMS.map((arm) => [arm, estimate(arm, mean(arm))])) as Record<Arm, Estimate>,
    top1Below: below("top1"),
    top2Below: below("top2"),
    ofTrueGain: {
      overRouter: { top1: gained("router", "top1"), top2: gained("router", "top2") },
      overOne: { top1: gained("one", "top1"), top2: gained("one", "top2") },
    },
  };
}

async function sumsOf(
  { text, kind }: ExpertsOptions["texts"][number],
  { experts, nearest, one, span, signal, model, tokenizer, space, ...rest }: ExpertsOptions,
  rng: Rng,
): Promise<Sums> {
  const scoring = new Scoring({ model, tokenizer, space, ...(signal ? { signal } : {}), ...rest });
  const sums = new Array<number>(FOUND + 1).fill(0);
  const ids = tokenizer.encode(text);
  for (let window = 0; window < MOST_WINDOWS && (window + 1) * span < ids.length; window++) {
    const at = window * span;
    const draws = rng.fork("window", window);
    const [posterior] = await scoring.posteriors([ids.slice(at, at + span)]);
    // With the noise of training, and of sampling.
    const z = space.sample(posterior!, 1, draws.fork("noise"));
    const only = (folder: string): ExpertShare[] => [{ folder, weight: 1 }];
    const own = experts.find((expert) => expert.kind === kind)!.folder;
    const found = nearest(z, 1);
    const writers: Record<Arm, readonly ExpertShare[] | undefined> = {
      router: undefined,
      top1: found,
      top2: nearest(z, 2),
      one: only(one),
      random: only(experts[draws.fork("lot").integer(experts.length)]!.folder),
      average: experts.map(({ folder }) => ({ folder, weight: 1 / experts.length })),
      true: only(own),
    };
    const target = ids.slice(at, at + 2 * span);
    const rows = EXPERT_ARMS.map((arm) => ({ z, target, ...(writers[arm] ? { experts: writers[arm] } : {}) }));
    const scores = await model.score(rows, "router", ids.slice(0, at), signal);
    for (const [arm, score] of scores.entries()) sums[arm]! += nll(score);
    sums[TOKENS]! += target.length;
    sums[WINDOWS]!++;
    if (found[0]!.folder === own) sums[FOUND]!++;
  }
  return sums;
}
