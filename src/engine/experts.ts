/** Experts in memory: adapters that lie in folders of their own and are read when a row first asks for them. The ones used last stay. */
import { BigVaeError } from "../errors.js";
import type { WriterRole } from "../vae/roles.js";
import type { Adapter } from "./adapters.js";
import type { AdapterMix } from "./rowAdapters.js";

/** An expert that has a share in what a row reads by. */
export interface ExpertShare {
  /** Where it lies. */
  folder: string;
  /** The factor of its outputs; those of a row sum to 1. */
  weight: number;
}

/** Reads the adapter of an expert. */
export type LoadExpert = (folder: string) => Promise<Adapter>;

/** Bytes of the adapters that stay in memory at most, beside those that rows are using. */
export const EXPERT_BYTES = 512e6;

/** An adapter that was read, and a name that no other has. */
interface Loaded {
  adapter: Adapter;
  id: number;
  bytes: number;
}

export class Experts {
  /** The latest last. */
  readonly #loading = new Map<string, Promise<Loaded>>();
  readonly #loaded = new Map<string, Loaded>();
  #count = 0;

  constructor(
    readonly load: LoadExpert | undefined,
    readonly mostBytes = EXPERT_BYTES,
  ) {}

  /** Folders of the experts in memory, the one used last at the end. */
  get folders(): string[] {
    return [...this.#loaded.keys()];
  }

  /**
   * Rows by what they read by: those that name no expert, and a group for each mix, in order of their first rows.
   * Throws "usage" for shares that are none, and for an expert of another role than `role`; what reading it throws.
   */
  async groups(
    rows: readonly { experts?: readonly ExpertShare[] }[],
    role: WriterRole | "base",
  ): Promise<{ rows: number[]; mix?: AdapterMix }[]> {
    const groups = new Map<string, { rows: number[]; mix?: AdapterMix }>();
    for (const [row, { experts }] of rows.entries()) {
      const mix = experts && (await this.mixOf(experts, role));
      const group = groups.get(mix?.key ?? "");
      if (group) group.rows.push(row);
      else groups.set(mix?.key ?? "", { rows: [row], ...(mix ? { mix } : {}) });
    }
    return [...groups.values()];
  }

  /** What a row reads by that names these experts. Throws as `groups` does. */
  async mixOf(shares: readonly ExpertShare[], role: WriterRole | "base"): Promise<AdapterMix> {
    if (shares.length === 0 || !shares.every(({ weight }) => Number.isFinite(weight)))
      throw new BigVaeError("usage", {
        subject: "`experts`",
        expected: "at least one expert, each with a finite weight",
        got: JSON.stringify(shares),
        remedy: "leave them out for the adapter of the model",
      });
    const parts: { adapter: Adapter; weight: number; id: number }[] = [];
    for (const { folder, weight } of shares) {
      const { adapter, id } = await this.#open(folder);
      if (adapter.role !== role)
        throw new BigVaeError("usage", {
          subject: `expert ${folder}`,
          expected: `one that writes as ${role}`,
          got: `a ${adapter.role}`,
          remedy: `write by the ${adapter.role}, or leave the expert out`,
        });
      parts.push({ adapter, weight, id });
    }
    return { key: parts.map(({ id, weight }) => `${id}*${weight}`).join("+"), parts };
  }

  /** The adapter in a folder, from memory where it is there. */
  async #open(folder: string): Promise<Loaded> {
    const known = this.#loading.get(folder) ?? this.#read(folder);
    const loaded = await known;
    this.#loaded.delete(folder);
    this.#loaded.set(folder, loaded);
    this.#dropOldest();
    return loaded;
  }

  #read(folder: string): Promise<Loaded> {
    if (!this.load)
      throw new BigVaeError("usage", {
        subject: `expert ${folder}`,
        expected: "an engine that reads experts",
        got: "one that does not",
        remedy: "hand it what reads them as `loadExpert`",
      });
    const reading = this.load(folder).then((adapter) => ({ adapter, id: this.#count++, bytes: bytesOf(adapter) }));
    this.#loading.set(folder, reading);
    reading.catch(() => this.#loading.delete(folder));
    return reading;
  }

  #dropOldest(): void {
    let bytes = Array.from(this.#loaded.values()).reduce((sum, each) => sum + each.bytes, 0);
    for (const [folder, oldest] of this.#loaded) {
      if (bytes <= this.mostBytes || this.#loaded.size === 1) return;
      bytes -= oldest.bytes;
      this.#loaded.delete(folder);
      this.#loading.delete(folder);
    }
  }
}

function bytesOf({ tensors }: Adapter): number {
  return Object.values(tensors).reduce((sum, { data }) => sum + data.byteLength, 0);
}
