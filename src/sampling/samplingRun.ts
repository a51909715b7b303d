/** One run of a sampler: its noise, its calls to the model, and the origin of every latent. */
import { BigVaeError } from "../errors.js";
import { average, type Latent, LatentSpace, type Posterior } from "../latent/index.js";
import type { DraftPlace } from "./draftMemory.js";
import {
  type Draft,
  type ExpertShare,
  isLatent,
  type LatentModel,
  type LatentRole,
  type SamplingOptions,
  type Span,
  type SpanOptions,
  type TextOrLatent,
  type TokenIds,
  type TracedLatent,
  type Weights,
} from "./model.js";

export class SamplingRun {
  #hasWarned = false;
  /** What was encoded last. */
  #encoded: { texts: readonly TokenIds[]; posteriors: readonly Posterior[] } = { texts: [], posteriors: [] };
  /** Calls so far; each names its own noise, so that no draw depends on how many were made before it in the same call. */
  #calls = 0;

  constructor(
    readonly model: LatentModel,
    readonly options: SamplingOptions,
  ) {}

  /** The space of the model's latents. */
  get space(): LatentSpace {
    return this.model.space ?? LatentSpace.plain;
  }

  /**
   * The text's tokens behind the model's beginning token, where it has one of its own: an end token there would come back as the
   * first one of what its latent rebuilds, and end it.
   */
  withBos(ids: TokenIds): TokenIds;
  withBos(source: TextOrLatent): TextOrLatent;
  withBos(source: TextOrLatent): TextOrLatent {
    const { beginId, eosId } = this.model.tokenizer;
    return isLatent(source) || beginId === undefined || beginId === eosId ? source : [beginId, ...source];
  }

  /** A sampler's own weights, or those that the options give in their place. */
  weights<W extends Weights>(own: W): W {
    return { ...own, ...this.options.weights };
  }

  /** What was written, without the end token: that says nothing of a text, and the encoder has not met it. */
  #unended(ids: TokenIds): TokenIds {
    return ids.length > 1 && ids.at(-1) === this.model.tokenizer.eosId ? ids.slice(0, -1) : ids;
  }

  async #encode(
    sources: readonly TextOrLatent[],
    role: LatentRole,
    z: (posterior: Posterior, i: number) => Latent,
  ): Promise<TracedLatent[]> {
    const spans = sources.map((source) => (isLatent(source) ? source : this.#unended(source)));
    const texts = spans.filter((span): span is TokenIds => !isLatent(span));
    const posteriors = texts.length > 0 ? await this.model.encode(texts, this.options.signal) : [];
    this.#encoded = { texts, posteriors };
    const each = posteriors.values();
    return spans.map((span, i) =>
      isLatent(span) ? { z: span, role, parents: [] } : { z: z(each.next().value!, i), role, ids: span, parents: [] },
    );
  }

  /** Means of the spans' posteriors. */
  means(spans: readonly TextOrLatent[], role: LatentRole): Promise<TracedLatent[]> {
    return this.#encode(spans, role, ({ mean }) => mean);
  }

  /** Draws from the spans' posteriors. */
  samples(spans: readonly TextOrLatent[], role: LatentRole): Promise<TracedLatent[]> {
    const call = this.#calls++;
    const { noise, rng } = this.options;
    return this.#encode(spans, role, (posterior, i) =>
      this.space.sample(posterior, noise, rng.fork("latent", call, i)),
    );
  }

  async sample(span: TextOrLatent, role: LatentRole): Promise<TracedLatent> {
    return (await this.samples([span], role))[0]!;
  }

  async mean(span: TextOrLatent, role: LatentRole): Promise<TracedLatent> {
    return (await this.means([span], role))[0]!;
  }

  /** The guidance scale of what is written from a latent: that of the options, or lower the more texts have a share in it. */
  #scale(latent: TracedLatent): number {
    return this.options.cfgScale ?? this.space.mixScale([...sharesOf(latent).values()]);
  }

  /**
   * The newest tokens of a context that fit the model's window together with `begun` and `nTokens` new ones; says once where that is not all.
   * @throws BigVaeError("usage") where the window does not hold as many new tokens.
   */
  inWindow(context: TokenIds, nTokens: number, begun: TokenIds = []): TokenIds {
    const { maxPositions = Number.POSITIVE_INFINITY } = this.model;
    const room = maxPositions - nTokens - begun.length;
    if (room < 0 && nTokens < maxPositions)
      throw new BigVaeError("usage", {
        subject: "`prompt`",
        expected: `at most ${maxPositions - nTokens} tokens, which leave room for ${nTokens} new ones in the model's window`,
        got: begun.length,
        remedy: "shorten it",
      });
    if (room < 0)
      throw new BigVaeError("usage", {
        subject: "`span`",
        expected: `spans of which the sampler's longest text fits the model's window of ${maxPositions} tokens`,
        got: `${this.options.span}, which makes it ${nTokens} long`,
        remedy: `give ${Math.floor((this.options.span * maxPositions) / nTokens)} or fewer`,
      });
    if (context.length <= room) return context;
    if (!this.#hasWarned)
      this.options.onWarning?.(
        `the window of ${maxPositions} tokens is full; from here on it holds the newest ${room} of the context beside ${nTokens} to write`,
      );
    this.#hasWarned = true;
    return context.slice(context.length - room);
  }

  /** Writes one span of nTokens from a latent. */
  async write(
    latent: TracedLatent,
    context: TokenIds,
    nTokens: number,
    drafts: readonly Draft[] = [],
    { tau = this.options.tau, endless = false }: { tau?: number; endless?: boolean } = {},
  ): Promise<Span> {
    const { rng, signal, onToken } = this.options;
    const rngKey = rng.fork("write", this.#calls++).key;
    const seen = this.inWindow(context, nTokens);
    const how = { ...this.#how(latent, nTokens, tau), ...(endless ? { endless } : {}) };
    const calls = { signal, ...(onToken ? { onToken: (_: number, id: number) => onToken(id) } : {}) };
    const row = { ...this.#experts(latent.z), rngKey };
    const [ids] = await this.model.write([{ z: latent.z, ...row }], seen, { ...how, ...calls });
    return { ids: ids!, latent, drafts, written: { context: seen, ...how, ...row } };
  }

  /** Writes several spans from a latent, as one batch; nobody is told of their tokens. `shares`: of what the latent is a mix, for the guidance. */
  async trials(
    latent: TracedLatent,
    context: TokenIds,
    nTokens: number,
    count: number,
    { endless, shares }: { endless: boolean; shares: readonly number[] },
  ): Promise<Span[]> {
    const { rng, signal, tau } = this.options;
    const call = this.#calls++;
    const seen = this.inWindow(context, nTokens);
    const cfgScale = this.options.cfgScale ?? this.space.mixScale(shares);
    const how = { ...this.#how(latent, nTokens, tau), cfgScale, ...(endless ? { endless } : {}) };
    const keys = Array.from({ length: count }, (_, i) => rng.fork("trial", call, i).key);
    const experts = this.#experts(latent.z);
    const rows = keys.map((rngKey) => ({ z: latent.z, rngKey, ...experts }));
    const written = await this.model.write(rows, seen, { ...how, ...(signal ? { signal } : {}) });
    return written.map((ids, i) => ({
      ids,
      latent,
      drafts: [],
      written: { context: seen, ...how, ...experts, rngKey: keys[i]! },
    }));
  }

  /**
   * nAvg drafts of nTokens as one batch; a draft is encoded by its last `tail` tokens. Where they go on from `begun`, none ends. Kept drafts take the
   * places of as many as there are near enough.
   */
  async drafts(
    latent: TracedLatent,
    context: TokenIds,
    nTokens: number,
    tail: number,
    begun: TokenIds = [],
  ): Promise<Draft[]> {
    const how = {
      ...this.#how(latent, nTokens, this.options.tau),
      ...(begun.length > 0 ? { begun, endless: true } : {}),
    };
    const before = [...context, ...begun];
    const kind = `${nTokens} ${tail}${begun.length > 0 ? " on" : ""}`;
    const place = async () => ({ from: latent.z, context: await this.#meanOfEnd(before), kind });
    const drafts = await this.#recalledOrWritten(before.length > 0 ? place : undefined, (count) =>
      this.#drafted(context, how, tail, { z: latent.z, count }),
    );
    return drafts.map((draft) => ({ ...draft, from: latent }));
  }

  /** Kept drafts of a place, as many as are near enough, and written ones for the others. */
  async #recalledOrWritten(
    placeOf: (() => Promise<DraftPlace>) | undefined,
    write: (count: number) => Promise<Draft[]>,
  ): Promise<Draft[]> {
    const { memory, nAvg } = this.options;
    if (!memory || !placeOf) return write(nAvg);
    const place = await placeOf();
    const recalled = (await memory.recall(place, nAvg)).map(
      ({ id, ids, z }) => ({ ids, latent: { z, role: "draft", ids, parents: [] }, recalled: id }) as const,
    );
    const written = await write(nAvg - recalled.length);
    if (written.length > 0)
      await memory.keep(
        place,
        written.map(({ ids, latent }) => ({ ids, z: latent.z })),
      );
    return [...recalled, ...written];
  }

  /** The mean latent of a text's last span; that is not encoded again where it was the last to be: drafts often go on from it. */
  async #meanOfEnd(ids: TokenIds): Promise<Latent> {
    const name = this.#unended(ids.slice(-this.options.span)).join();
    const at = this.#encoded.texts.findIndex((text) => text.join() === name);
    return at >= 0 ? this.#encoded.posteriors[at]!.mean : (await this.endOf(ids))!.z;
  }

  /** Where a text stands: the mean latent of its last span; none of an empty text. */
  async endOf(ids: TokenIds): Promise<TracedLatent | undefined> {
    return ids.length > 0 ? this.mean(ids.slice(-this.options.span), "span") : undefined;
  }

  /** The same by the base: what it would write behind the context by itself, did the text not end. Kept ones are near the end of the context. */
  async plainDrafts(context: TokenIds, nTokens: number): Promise<Draft[]> {
    const place = async () => {
      const end = await this.#meanOfEnd(context);
      return { from: end, context: end, kind: `${nTokens} plain` };
    };
    const how = { ...this.#plainly(nTokens), endless: true };
    return this.#recalledOrWritten(context.length > 0 ? place : undefined, (count) =>
      this.#drafted(this.#begun(context), how, nTokens, { count }),
    );
  }

  /** A span that the base writes behind the context by itself. */
  async writePlain(context: TokenIds): Promise<TokenIds> {
    const { rng, signal, onToken, span } = this.options;
    const rngKey = rng.fork("write", this.#calls++).key;
    const calls = { signal, ...(onToken ? { onToken: (_: number, id: number) => onToken(id) } : {}) };
    const seen = this.inWindow(this.#begun(context), span);
    const [ids] = await this.model.write([{ rngKey }], seen, { ...this.#plainly(span), ...calls });
    return ids!;
  }

  /** The context behind the token that begins a text for the base. */
  #begun(context: TokenIds): TokenIds {
    const { beginId } = this.model.tokenizer;
    return beginId === undefined || context[0] === beginId ? context : [beginId, ...context];
  }

  #plainly(nTokens: number) {
    const { tau, ignoreEos } = this.options;
    return { nTokens, tau, cfgScale: 1, writer: "base" as const, ...(ignoreEos ? { ignoreEos } : {}) };
  }

  async #drafted(
    context: TokenIds,
    how: SpanOptions,
    tail: number,
    { z, count }: { z?: Latent; count: number },
  ): Promise<Draft[]> {
    const { rng, signal } = this.options;
    const call = this.#calls++;
    if (count === 0) return [];
    const rows = Array.from({ length: count }, (_, i) => ({
      ...(z ? { z, ...this.#experts(z) } : {}),
      rngKey: rng.fork("draft", call, i).key,
    }));
    const seen = this.inWindow(context, how.nTokens, how.begun);
    const texts = await this.model.write(rows, seen, { ...how, ...(signal ? { signal } : {}) });
    const latents = await this.samples(
      texts.map((ids) => ids.slice(-tail)),
      "draft",
    );
    return texts.map((ids, i) => ({ ids, latent: latents[i]! }));
  }

  #how(latent: TracedLatent, nTokens: number, tau: number) {
    const { ignoreEos } = this.options;
    return { nTokens, tau, cfgScale: this.#scale(latent), ...(ignoreEos ? { ignoreEos } : {}) };
  }

  /** Who writes from a latent, where that is not the router. */
  #experts(z: Latent): { experts?: readonly ExpertShare[] } {
    const { experts } = this.options;
    return experts ? { experts: experts.choose(z) } : {};
  }

  /** The latent for a text of `length` tokens, where latents have one. */
  ofLength(latent: TracedLatent, length: number): TracedLatent {
    return { ...latent, z: this.space.ofLength(latent.z, length) };
  }

  /** The latent with its key moved toward that of its last parent. */
  towardKey(latent: TracedLatent, other: TracedLatent, keyPull: number): TracedLatent {
    return keyPull === 0 ? latent : { ...latent, z: this.space.towardKey(latent.z, other.z, keyPull), keyPull };
  }

  /** sum_i weight_i z_i; "meanNorm" gives it the mean norm of what was mixed. */
  mix(parts: readonly (readonly [TracedLatent, number])[], norm?: "meanNorm"): TracedLatent {
    const zs = parts.map(([latent]) => latent.z);
    const sum = this.space.weightedSum(
      zs,
      parts.map(([, weight]) => weight),
    );
    const parents = parts.map(([latent, weight]) => ({ latent, weight }));
    if (!norm) return { z: sum, role: "mix", parents };
    const mean = this.space.meanNorm(zs);
    return { z: this.space.rescale(sum, mean), role: "mix", parents, norm: mean };
  }
}

/** The weight of each text in a latent; of one that stands for no text, its own. */
function sharesOf(latent: TracedLatent, weight = 1, shares = new Map<unknown, number>()) {
  const text = latent.ids?.join() ?? latent.z;
  if (latent.parents.length === 0) shares.set(text, (shares.get(text) ?? 0) + weight);
  for (const parent of latent.parents) sharesOf(parent.latent, weight * parent.weight, shares);
  return shares;
}

/** The mean of latents. */
export function averaged(latents: readonly TracedLatent[]): TracedLatent {
  return {
    z: average(latents.map(({ z }) => z)),
    role: "mix",
    parents: latents.map((latent) => ({ latent, weight: 1 / latents.length })),
  };
}
