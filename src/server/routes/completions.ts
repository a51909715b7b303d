/** /v1/completions: the base goes on from a text; by choice the router does from a latent, or a sampler span by span. */
import type { BigVae } from "../../bigVae.js";
import type { Latent } from "../../latent/index.js";
import { mixOf } from "../../operations/blending.js";
import { Rng } from "../../rng.js";
import { Choice } from "../choice.js";
import { RequestError } from "../failures.js";
import { checkModel, rowsOf } from "../inputs.js";
import { logprobsOf } from "../logprobs.js";
import { latentsOf, type RequestContext, route, type Send, seedOf, toLatent } from "../route.js";
import {
  type CompletionAnswer,
  type CompletionRequest,
  completionAnswer,
  completionRequest,
} from "../schemas/openAi.js";
import { runSampler } from "./sampling.js";

/** OpenAI's. */
const DEFAULT_MAX_TOKENS = 16;
/** Completions of all prompts together. */
const MAX_CHOICES = 128;

export const completions = route({
  method: "POST",
  path: "/v1/completions",
  tag: "OpenAI",
  summary: "Goes on from a text; z, mix, guide and sampler write from latents.",
  body: completionRequest,
  answer: completionAnswer,
  example: { model: "pocket", prompt: "The owl lost", max_tokens: 8, seed: 1 },
  streamEnd: "[DONE]",
  names: { tau: "temperature", nTokens: "max_tokens", context: "prompt", nSteps: "max_tokens" },
  async handle(context, body, send) {
    checkModel(context.model, body.model);
    const vae = context.model.get();
    checkBody(body);
    const run = new CompletionRun(context, vae, body, seedOf(context, body.seed), send);
    return run.answer();
  },
});

/** What only fields together are wrong in. */
function checkBody({ n, best_of, sampler, guide, z, mix, logprobs, max_tokens, echo }: CompletionRequest): void {
  const refuse = (param: string, expected: string, got: string) => {
    throw new RequestError(400, "invalid_value", {
      subject: `\`${param}\``,
      expected,
      got,
      remedy: "leave one of them out",
    });
  };
  if (best_of != null && best_of !== (n ?? 1)) refuse("best_of", `n, ${n ?? 1}`, `${best_of}`);
  const writers = [z && "z", mix && "mix", (sampler ?? guide) !== undefined && "sampler"].filter(Boolean);
  if (writers.length > 1) refuse(`${writers[1]}`, "one of z, mix and sampler or guide", writers.join(" and "));
  if (logprobs != null && (sampler ?? guide) !== undefined) refuse("logprobs", "none beside a sampler", `${logprobs}`);
  if (max_tokens === 0 && !echo) refuse("max_tokens", "at least 1, or echo", "0");
}

/** One prompt of a request. */
interface Prompt {
  ids: number[];
  text: string;
}

class CompletionRun {
  readonly #maxTokens: number;
  readonly #head: Pick<CompletionAnswer, "id" | "object" | "created" | "model">;

  constructor(
    readonly context: RequestContext,
    readonly vae: BigVae,
    readonly body: CompletionRequest,
    readonly seed: number,
    readonly send: Send | undefined,
  ) {
    this.#maxTokens = body.max_tokens ?? DEFAULT_MAX_TOKENS;
    const created = Math.floor(Date.now() / 1000);
    this.#head = { id: `cmpl-${context.id}`, object: "text_completion", created, model: context.model.name };
  }

  async answer(): Promise<CompletionAnswer> {
    const { body, context, vae } = this;
    const n = body.n ?? 1;
    const rows = rowsOf(vae, body.prompt);
    const prompts = rows.map((ids): Prompt => ({ ids, text: vae.tokenizer.decode(ids, { skipSpecial: true }) }));
    if (prompts.length * n > MAX_CHOICES)
      throw new RequestError(400, "invalid_value", {
        subject: "`n`",
        expected: `at most ${MAX_CHOICES} completions of all prompts together`,
        got: prompts.length * n,
        remedy: "send several requests",
      });
    const latent = await this.#latent();
    // A choice that fails takes the others with it.
    const failed = new AbortController();
    const signal = AbortSignal.any([context.signal, failed.signal]);
    const written = await Promise.all(
      prompts.flatMap((prompt, p) =>
        Array.from({ length: n }, (_, i) =>
          this.#complete(prompt, p * n + i, i, latent, signal).catch((error: unknown) => {
            failed.abort();
            throw error;
          }),
        ),
      ),
    );
    const [read, wrote] = [rows, written.map(({ ids }) => ids)].map((all) =>
      all.reduce((sum, { length }) => sum + length, 0),
    );
    context.metrics.tokens.inc({ direction: "read" }, read);
    const usage = { prompt_tokens: read!, completion_tokens: wrote!, total_tokens: read! + wrote! };
    if (body.stream_options?.include_usage) this.send?.({ ...this.#head, choices: [], usage });
    return { ...this.#head, choices: written.map(({ choice }) => choice), usage, seed: this.seed };
  }

  /** What the router writes from, where the request gives it. */
  async #latent(): Promise<{ z: Latent; cfgScale: number } | undefined> {
    const { z, mix } = this.body;
    if (z) return { z: toLatent(z), cfgScale: 1 };
    if (!mix) return undefined;
    const vae = this.context.model.withLatents();
    const sources = mix.map(({ source }) => source);
    const { zs } = await latentsOf(vae, sources, this.context.signal);
    const weights = mix.map(({ weight }) => weight);
    return mixOf(vae, zs, weights, {});
  }

  /** Writes one completion; `i` is its number among those of its prompt. */
  async #complete(
    prompt: Prompt,
    index: number,
    i: number,
    latent: { z: Latent; cfgScale: number } | undefined,
    outer: AbortSignal,
  ) {
    const { body, vae, send } = this;
    const echo = body.echo ? prompt.text : "";
    const tell = (text: string, rest: object = {}) =>
      send?.({ ...this.#head, choices: [{ text, index, logprobs: null, finish_reason: null, ...rest }] });
    if (echo !== "") tell(echo);
    const stops = typeof body.stop === "string" ? [body.stop] : (body.stop ?? []);
    const choice = new Choice(vae.tokenizer, { maxTokens: this.#maxTokens, stops }, tell);
    const own = new AbortController();
    const signal = AbortSignal.any([outer, own.signal]);
    const onToken = (id: number) => {
      choice.push(id);
      if (choice.finishReason !== null) own.abort();
    };
    const context = latent ? prompt.ids : this.#begun(prompt.ids);
    if (choice.finishReason === null)
      await this.#write({ prompt, context, i, latent, signal, onToken }).catch((error: unknown) => {
        if (choice.finishReason === null) throw error;
      });
    choice.end();
    const text = echo + choice.text;
    const logprobs =
      body.logprobs == null
        ? null
        : await logprobsOf(
            vae,
            {
              ...{ context, z: latent?.z, ids: choice.ids, length: text.length },
              ...{ echoed: body.echo ? prompt.ids.length : 0, withBest: body.logprobs > 0 },
            },
            outer,
          );
    const ended = { finish_reason: choice.finishReason, logprobs };
    tell("", ended);
    return { choice: { text, index, ...ended }, ids: choice.ids };
  }

  async #write(of: {
    prompt: Prompt;
    context: readonly number[];
    i: number;
    latent: { z: Latent; cfgScale: number } | undefined;
    signal: AbortSignal;
    onToken: (id: number) => void;
  }): Promise<unknown> {
    const { prompt, context, i, latent, signal, onToken } = of;
    const { body, vae } = this;
    const { sampler, guide } = body;
    const rng = Rng.fromSeed(this.seed);
    const chosen = i === 0 ? rng : rng.fork("choice", i);
    const name = sampler ?? (guide === undefined ? undefined : "guide");
    if (name !== undefined) {
      const fields = {
        ...(guide === undefined ? { prompt: prompt.text } : { prompt: guide, context: prompt.text }),
        nSteps: Math.max(1, Math.ceil(this.#maxTokens / vae.span)),
        seed: i === 0 ? this.seed : chosen.integer(2 ** 31),
        ...(body.temperature == null ? {} : { tau: body.temperature }),
      };
      return runSampler({ ...this.context, signal }, name, fields, undefined, onToken);
    }
    // The keys are those of `BigVae.continue` and of `BigVae.complete`.
    const rngKey = (latent ? chosen.fork("continue") : chosen.fork("write", 0)).key;
    const { eosId, beginId } = vae.tokenizer;
    const { metrics } = this.context;
    return vae.engine.write([{ rngKey, ...(latent ? { z: latent.z } : {}) }], {
      writer: latent ? "router" : "base",
      context,
      nTokens: this.#maxTokens,
      tau: body.temperature ?? 1,
      ...(latent ? { cfgScale: latent.cfgScale } : {}),
      ...(beginId === undefined ? {} : { beginId }),
      ...(eosId === undefined ? {} : { stopId: eosId }),
      signal,
      onToken(_, id) {
        metrics.tokens.inc({ direction: "written" });
        onToken(id);
      },
    });
  }

  /** The context behind the token that begins a text for the base. */
  #begun(ids: readonly number[]): readonly number[] {
    const { beginId } = this.vae.tokenizer;
    return beginId === undefined || ids[0] === beginId ? ids : [beginId, ...ids];
  }
}
