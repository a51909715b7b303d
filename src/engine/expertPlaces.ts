/**
 * Rows that name experts, let in while their adapters have room beside those of the rows at work: rows of different ones have their matrices laid out one behind
 * the other, a copy for each row, and what that takes has a limit. Rows of others wait until these are done.
 */
import type { ModelConfig } from "../model/config.js";
import type { WriterRole } from "../vae/roles.js";
import type { ExpertShare, Experts } from "./experts.js";
import { Places } from "./places.js";
import { type AdapterMix, fitTogether } from "./rowAdapters.js";

export class ExpertPlaces {
  readonly #places: Places<readonly AdapterMix[]>;

  constructor(
    readonly config: ModelConfig,
    readonly experts: Experts,
  ) {
    this.#places = new Places((inside, mixes) => fitTogether(config, [...inside.flat(), ...mixes]));
  }

  /** Runs all rows in parts that have room; `numbers` are those of a part's rows. Rows without experts wait for nobody. Throws as `Experts.mixOf` does. */
  async run<R extends { experts?: readonly ExpertShare[] }, T>(
    rows: readonly R[],
    role: WriterRole | "base",
    run: (part: readonly R[], numbers: readonly number[]) => Promise<T[]>,
    signal?: AbortSignal,
  ): Promise<T[]> {
    const results: T[] = [];
    const take = async (numbers: readonly number[]) => {
      const own = numbers.map((row) => rows[row]!);
      for (const [k, result] of (await run(own, numbers)).entries()) results[numbers[k]!] = result;
    };
    const plain = Array.from(rows.keys()).filter((row) => rows[row]!.experts === undefined);
    if (plain.length > 0) await take(plain);
    for await (const { numbers, mixes } of this.#parts(rows, role))
      await this.#places.hold(mixes, () => take(numbers), signal);
    return results;
  }

  /** Rows whose adapters go together, those of equal experts in one part; no more adapters are read than those of one. */
  async *#parts(rows: readonly { experts?: readonly ExpertShare[] }[], role: WriterRole | "base") {
    const groups = new Map<string, number[]>();
    for (const [row, { experts }] of rows.entries()) {
      const name = JSON.stringify(experts);
      if (experts !== undefined) groups.set(name, [...(groups.get(name) ?? []), row]);
    }
    let part: { numbers: number[]; mixes: AdapterMix[] } = { numbers: [], mixes: [] };
    for (const numbers of groups.values()) {
      const mix = await this.experts.mixOf(rows[numbers[0]!]!.experts!, role);
      const mixes = numbers.map(() => mix);
      const together = [...part.mixes, ...mixes];
      if (fitTogether(this.config, together)) part = { numbers: [...part.numbers, ...numbers], mixes: together };
      else {
        yield part;
        part = { numbers, mixes };
      }
    }
    if (part.numbers.length > 0) yield part;
  }
}
