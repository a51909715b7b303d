/** Many calls may wait on one signal: they share one listener on it, which goes with the last of them. */

const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls `act` when the signal aborts. Returns what stops the waiting. */
export function onAbort(signal: AbortSignal, act: () => void): () => void {
  let acts = waiting.get(signal);
  if (!acts) {
    acts = new Set();
    waiting.set(signal, acts);
  }
  if (acts.size === 0) signal.addEventListener("abort", tellAll);
  acts.add(act);
  return () => {
    acts.delete(act);
    if (acts.size === 0) signal.removeEventListener("abort", tellAll);
  };
}

function tellAll(this: AbortSignal): void {
  for (const act of waiting.get(this) ?? []) act();
}
