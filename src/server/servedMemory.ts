/** The memory that a server keeps spans in. */
import type { BigVae } from "../bigVae.js";
import { BigVaeError } from "../errors.js";
import type { Memory, NewRecord } from "../memory/index.js";
import { knownRecallLimits, RecalledDrafts, type RecallLimits, setRecallLimits } from "../operations/draftMemory.js";
import { openMemory } from "../operations/memories.js";

export class ServedMemory {
  #memory: Memory | undefined;
  #drafts: RecalledDrafts | undefined;
  #isClosed = false;
  /** Told of records that requests add and delete. */
  onChange?: (change: { added?: readonly number[]; deleted?: readonly number[] }) => Promise<void>;

  constructor(
    /** Where it lies, a folder or a database; a server may have none. */
    readonly folder: string | undefined,
    readonly onWarning: (warning: string) => void,
    /** Drafts of a kind that it keeps at most; default: that of `RecalledDrafts`. */
    readonly mostDrafts?: number | undefined,
  ) {}

  /** Opens it for the latents of a model, or begins one. It stays open while an engine is started again. Throws as `openMemory` does. */
  async open(vae: BigVae): Promise<void> {
    if (this.folder === undefined || this.#isClosed) return;
    this.#memory ??= await openMemory(vae, this.folder, { onWarning: this.onWarning });
    // It may have been closed while it was opened.
    if (this.#isClosed) await this.close();
  }

  /** The open memory. Throws "unsupported" where the server has none. */
  get(): Memory {
    if (this.#memory) return this.#memory;
    throw new BigVaeError("unsupported", {
      subject: "memory",
      expected: "a server with one",
      got: "one without",
      remedy: "start it with `memory`, the place of one",
    });
  }

  /** Keeps records, and tells of them. Throws as `Memory.add` does. */
  async add(records: readonly NewRecord[]): Promise<number[]> {
    const ids = await this.get().add(records);
    await this.onChange?.({ added: ids });
    return ids;
  }

  /** Deletes records, and tells of them. Throws as `Memory.delete` does. */
  async delete(ids: readonly number[]): Promise<void> {
    await this.get().delete(ids);
    await this.onChange?.({ deleted: ids });
  }

  /** How near kept drafts must be, where the memory is calibrated. */
  limits(): Promise<RecallLimits | undefined> {
    return knownRecallLimits(this.get());
  }

  /** Says how near kept drafts must be. */
  async calibrate(limits: RecallLimits): Promise<void> {
    await setRecallLimits(this.get(), limits);
  }

  /** Its drafts, used by all runs together. Throws "usage" where it is not calibrated. */
  async drafts({ tokenizer }: BigVae): Promise<RecalledDrafts> {
    const distance = ((await this.limits()) ?? notCalibrated()).distance;
    // Another server may have calibrated it anew.
    if (this.#drafts?.limits.distance !== distance)
      this.#drafts = new RecalledDrafts(
        this.get(),
        tokenizer,
        { distance },
        {
          most: this.mostDrafts,
          onChange: (change) => this.onChange?.(change),
        },
      );
    return this.#drafts;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const memory = this.#memory;
    this.#memory = undefined;
    await memory?.close();
  }
}

function notCalibrated(): never {
  const remedy = "post texts to /memory/calibrate";
  throw new BigVaeError("usage", {
    subject: "memory",
    expected: "one that is calibrated",
    got: "one that is not",
    remedy,
  });
}
