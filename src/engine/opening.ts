/** Opens rows: reads their context, and lays out what each reads first: slots of z, prefix, the beginning of its text. */
import { BigVaeError } from "../errors.js";
import { checkLatent, type Latent, LatentSpace } from "../latent/index.js";
import { float32 } from "../runtime/runtime.js";
import type { WriterRole } from "../vae/roles.js";
import { type RowLayout, rowLayout } from "../vae/rowLayout.js";
import { type VaeAdapters, writerRole } from "./adapters.js";
import type { BaseModel } from "./baseModel.js";
import { Batch } from "./batch.js";
import type { WriteOptions } from "./calls.js";
import { Contexts, type TakeTurn } from "./contexts.js";
import { type Item, ModelRunner } from "./modelRunner.js";
import type { AdapterMix } from "./rowAdapters.js";
import type { BoundSession, Sessions, WriterName } from "./sessions.js";
import { StartedRows } from "./startedRows.js";
import type { Turns } from "./turns.js";

/** What rows begin with. */
export interface Beginning extends Required<Pick<WriteOptions, "writer" | "context" | "begun">> {
  rows: readonly { z?: Latent }[];
  /** What they read by in place of the writer's own adapter. */
  mix?: AdapterMix;
}

export class Opening {
  readonly #batches = new Map<WriterName, Batch>();
  /** Of the rows that have adapters of their own. */
  #rowBatch: Batch | undefined;
  readonly #space: LatentSpace | undefined;

  constructor(
    readonly base: BaseModel,
    readonly vae: VaeAdapters | undefined,
    readonly sessions: Sessions,
    /** Tokens of one row at most. */
    readonly maxPositions: number,
    /** A step of reading takes one of them. */
    readonly turns: Turns,
  ) {
    this.#space = vae && new LatentSpace(vae);
  }

  /** Forgets all contexts; nothing may be under way. */
  clear(): void {
    this.#batches.clear();
    this.#rowBatch = undefined;
  }

  /** The adapters. Throws "usage" where there are none. */
  adapters(): VaeAdapters {
    if (this.vae) return this.vae;
    throw new BigVaeError("usage", {
      subject: "engine",
      expected: "adapters for encoding and latents",
      got: "the base alone",
      remedy: "load a folder with encoder, decoder and router; embed and complete take the base alone",
    });
  }

  /** Throws "usage" where a context, z and nTokens do not go into the window together, with how many tokens still fit, and for a name that no adapter has. */
  checkRoom(writer: WriterName, contextLength: number, nTokens: number): void {
    const role = this.roleOf(writer);
    const before = role === "base" ? contextLength : this.#layout(role, contextLength, 1).first;
    // The last token that is written is not read.
    const room = Math.max(this.maxPositions - before + 1, 0);
    if (nTokens <= room) return;
    throw new BigVaeError("usage", {
      subject: "`context`",
      expected: `at most ${this.maxPositions} tokens, the model's window`,
      got: `${contextLength} of context and ${nTokens} to write`,
      remedy: `${room} still fit: ask for fewer steps or shorter spans, or shorten the context`,
    });
  }

  /** Rows ready to be read on: the context read, each row's z in its place, the next position known. Whoever opens them closes them. */
  async open(
    { rows, writer, context, begun, mix }: Beginning,
    turn: TakeTurn,
    signal?: AbortSignal,
  ): Promise<StartedRows> {
    const role = this.roleOf(writer);
    if (role === "base") {
      const all = [...context, ...begun];
      const last = all.length - 1;
      if (last < 0)
        throw new BigVaeError("usage", {
          subject: "write",
          expected: "a context for the base to continue",
          got: "none",
          remedy: "give a non-empty `context`",
        });
      const inputs = rows.map(() => ({ items: [{ id: all[last]! }], positions: [last] }));
      return this.#start({ writer, context: all.slice(0, -1) }, inputs, last + 1, turn, signal);
    }
    const zs = rows.map(({ z }) => z ?? noLatent(writer));
    const latents = await this.#latentItems(zs);
    const { first } = this.#layout(role, context.length, 1);
    const ids = role === "router" ? begun : [...context, ...begun];
    const inputs = latents.map((slots, row) => {
      // A text that is longer than what is left of the window is placed as if it ended there.
      const length = Math.min(this.#space!.lengthOf(zs[row]!), this.maxPositions - first);
      const layout = this.#layout(role, context.length, length);
      const before = role === "router" ? [] : layout.before;
      return {
        items: [...slots, ...ids.map((id) => ({ id }))] as Item[],
        positions: [...layout.slots, ...before, ...begun.map((_, i) => first + i)],
      };
    });
    const before = { writer, context: role === "router" ? context : [], ...(mix ? { mix } : {}) };
    return this.#start(before, inputs, first + begun.length, turn, signal);
  }

  async #start(
    { writer, context, mix }: Pick<Beginning, "writer" | "context" | "mix">,
    inputs: StartedRows["inputs"],
    next: number,
    turn: TakeTurn,
    signal?: AbortSignal,
  ): Promise<StartedRows> {
    const batch = await (mix ? this.#batchOfRows() : this.#batchOf(writer));
    return new StartedRows(batch, await batch.contexts.open(context, turn, signal, mix), inputs, next, mix);
  }

  async #batchOf(writer: WriterName): Promise<Batch> {
    const bound = await this.sessions.writer(writer);
    let batch = this.#batches.get(writer);
    if (!batch) {
      batch = this.#newBatch(bound);
      this.#batches.set(writer, batch);
    }
    return batch;
  }

  async #batchOfRows(): Promise<Batch> {
    const bound = await this.sessions.rowWriter();
    this.#rowBatch ??= this.#newBatch(bound);
    return this.#rowBatch;
  }

  #newBatch(bound: BoundSession): Batch {
    return new Batch(new Contexts(new ModelRunner(this.base, bound), this.maxPositions, this.turns));
  }

  /** What the adapter of that name does. Throws "usage" where none of that name writes. */
  roleOf(writer: WriterName): WriterRole | "base" {
    return writer === "base" ? "base" : writerRole(this.adapters(), writer);
  }

  /** Where the latent of a text of `length` tokens stands, and where that text begins. A dropped prefix leaves its positions empty. */
  #layout(role: WriterRole, contextLength: number, length: number): RowLayout {
    const { slots, gap } = this.adapters();
    return rowLayout(role, { slots, before: contextLength, gap: contextLength === 0 ? gap : 0, length });
  }

  /** The embeddings of the slots of each latent. */
  async #latentItems(zs: readonly Latent[]): Promise<{ embedding: Float32Array }[][]> {
    const { zDim, slots } = this.adapters();
    for (const [i, z] of zs.entries()) checkLatent(z, this.#space!.width, `z ${i + 1}`);
    const { session, weights } = await this.sessions.latentEmbeddings();
    const flat = new Float32Array(zs.length * zDim);
    for (const [i, z] of zs.entries()) flat.set(this.#space!.content(z), i * zDim);
    const { embeddings } = await session.run({ ...weights, z: float32(flat, zs.length, zDim) });
    const { hiddenSize } = this.base.config;
    const slotAt = (at: number) => (embeddings!.data as Float32Array).subarray(at * hiddenSize, (at + 1) * hiddenSize);
    return zs.map((_, i) => Array.from({ length: slots }, (_, j) => ({ embedding: slotAt(i * slots + j) })));
  }
}

function noLatent(writer: WriterName): never {
  const remedy = "give one, or write by base";
  throw new BigVaeError("usage", {
    subject: `\`writer\` ${writer}`,
    expected: "a latent in each row",
    got: "a row without",
    remedy,
  });
}
