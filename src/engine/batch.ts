/** The rows of one writer that are written together, whatever their contexts and lengths: each reads one token at every step. */
import { float32, type HostTensor } from "../runtime/runtime.js";
import { type Contexts, NOTHING, type Segment } from "./contexts.js";
import { KvCache } from "./kvCache.js";
import { type AdapterMix, RowAdapters } from "./rowAdapters.js";

/** A row that is being written. */
export interface BatchRow {
  readonly batch: Batch;
  /** What it reads at the next step, and where that stands. */
  token: number;
  position: number;
  /** The context that it shares with others; none where that lies in its own past. */
  readonly context: Segment;
  /** What it reads by, where rows have adapters of their own. */
  readonly mix: AdapterMix | undefined;
  /** Of the token after the last one that it has read, [V]; until the next step. */
  logits: Float32Array;
}

/** A context of a call's only row, at most this long, is copied into the row's past: in the shared cache all other rows would pass over it. */
const OWN_CONTEXT = 256;

export class Batch {
  readonly #rows: BatchRow[] = [];
  readonly #past: KvCache;
  readonly #adapters: RowAdapters;
  /** Taken by each step anew. */
  #logits: HostTensor | undefined;

  constructor(readonly contexts: Contexts) {
    this.#past = new KvCache(contexts.runner.base.config, 0);
    this.#adapters = new RowAdapters(contexts.runner.base.config);
  }

  /** Takes in a row that has read its beginning into `past`, a cache of one row. It reads `next`. `isAlone`: its call has no other row. */
  join(
    context: Segment,
    past: KvCache,
    isAlone: boolean,
    next: Pick<BatchRow, "token" | "position" | "mix">,
  ): BatchRow {
    const row = this.#past.addRow();
    const ownsContext = isAlone && context.length <= OWN_CONTEXT && this.contexts.isOnlyUser(context);
    if (ownsContext) this.#past.extend(row, this.contexts.cache, 0, context.begin, context.begin + context.length);
    else this.contexts.share(context);
    this.#past.extend(row, past, 0);
    const seen = ownsContext ? NOTHING : context;
    const joined = { batch: this, ...next, context: seen, logits: NO_LOGITS };
    this.#rows.push(joined);
    return joined;
  }

  leave(row: BatchRow): void {
    const at = this.#rows.indexOf(row);
    const last = this.#rows.pop()!;
    if (last !== row) this.#rows[at] = last;
    this.#past.removeRow(at);
    this.contexts.close(row.context);
  }

  /** All rows read their tokens. Where `signal` ends it, or it fails, none has. */
  async step(signal?: AbortSignal): Promise<void> {
    if (this.#rows.length === 0) return;
    const inputs = this.#rows.map(({ token, position, context, mix }) => ({
      items: [{ id: token }],
      positions: [position],
      context,
      ...(mix ? { mix } : {}),
    }));
    const caches = { shared: this.contexts.cache, past: this.#past, adapters: this.#adapters };
    const { runner } = this.contexts;
    const { vocabSize } = runner.base.config;
    if (this.#logits?.shape[0] !== inputs.length)
      this.#logits = float32(new Float32Array(inputs.length * vocabSize), inputs.length, vocabSize);
    const logits = await runner.forward(caches, inputs, "last", signal, this.#logits);
    for (const [i, row] of this.#rows.entries()) {
      row.logits = logits[i]![0]!;
      row.position++;
    }
  }
}

const NO_LOGITS = new Float32Array();
