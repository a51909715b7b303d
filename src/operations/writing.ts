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

/**
 * A span with the latent that it was written from, the experts that wrote it, what a plan asked of it, and the kept drafts that had a share in it, by
 * what the memory knows them.
 */
export function spanResult({ text, ids, latent, drafts, plan, written: { experts } }: GeneratedSpan) {
  const recalled = drafts.flatMap((draft) => draft.recalled ?? []);
  return {
    ...{ text, ids, z: latent.z },
    ...shownExperts(experts),
    ...(plan ? { plan: planResult(plan) } : {}),
    ...(recalled.length > 0 ? { recalled } : {}),
  };
}

/** Experts by name and weight, where any wrote: where they lie is not told. */
export function shownExperts(experts: GeneratedSpan["written"]["experts"]) {
  return experts ? { experts: experts.map(({ name, weight }) => ({ name, weight })) } : {};
}

/** What a plan asked of a span, and what came of it, without the latents. */
function planResult({ asked: _asked, written: _written, ...numbers }: PlanStep) {
  return numbers;
}

/** What was written, what the original's function returns, and the next topic from samplers that write one. */
export function wholeResult({ text, ids, next, nextText }: GeneratedText, spans: readonly GeneratedSpan[]) {
  return { ...joined(spans), original: { text, ids }, ...(next ? { next: { text: nextText, ids: next } } : {}) };
}
