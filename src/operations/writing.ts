/** The run of a sampler as plain results: the same for the command line and for the server. */
import type { GeneratedSpan, GeneratedText } from "../bigVae.js";
import type { PlanStep } from "../sampling/model.js";

/** All that was written, as it is shown. */
export function joined(spans: readonly { text: string; ids: readonly number[] }[]) {
  return { text: spans.map(({ text }) => text).join(""), ids: spans.flatMap(({ ids }) => ids) };
}

/** Runs what writes spans to its end. */
export async function drive<Span, Whole>(
  sampler: AsyncGenerator<Span, Whole, void>,
  onSpan: (span: Span) => void,
): Promise<Whole> {
  for (;;) {
    const { value, done } = await sampler.next();
    if (done) return value;
    onSpan(value);
  }
}

/** A run as one object. */
export function result(written: GeneratedText, spans: readonly GeneratedSpan[]) {
  return { ...wholeResult(written, spans), spans: spans.map(spanResult) };
}

/** A span with the latent that it was written from, and what a plan asked of it. */
export function spanResult({ text, ids, latent, plan }: GeneratedSpan) {
  return { text, ids, z: latent.z, ...(plan ? { plan: planResult(plan) } : {}) };
}

/** What a plan asked of a span, and what came of it, without the latents. */
function planResult({ asked: _asked, written: _written, ...numbers }: PlanStep) {
  return numbers;
}

/** What was written, what the original's function returns, and the next topic from samplers that write one. */
export function wholeResult({ text, ids, next, nextText }: GeneratedText, spans: readonly GeneratedSpan[]) {
  return { ...joined(spans), original: { text, ids }, ...(next ? { next: { text: nextText, ids: next } } : {}) };
}
