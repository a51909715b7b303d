/** Rows of experts of which four at most go together: who is at work at the same time, and who waits. */
import { describe, expect, it } from "vitest";
import { tinyConfig } from "../../test/train/tiny.js";
import { linearShapes } from "../model/weights.js";
import type { Adapter } from "./adapters.js";
import { ExpertPlaces } from "./expertPlaces.js";
import { type ExpertShare, Experts } from "./experts.js";
import { ROW_ADAPTER_BYTES } from "./rowAdapters.js";

const config = tinyConfig(8);
const values = Array.from(linearShapes(config).values()).reduce((sum, [out, width]) => sum + out + width, 0);
const rank = Math.floor(ROW_ADAPTER_BYTES / (4 * 4 * values));
const adapter: Adapter = { role: "router", shape: { rank, alpha: 1, targets: [] }, tensors: {} };

const by = (folder: string, weight = 1): { experts: ExpertShare[] } => ({ experts: [{ folder, weight }] });
const some = (count: number) => Array.from({ length: count }, (_, i) => by(`e${i}`));

function places() {
  const read: string[] = [];
  const experts = new Experts(async (folder) => {
    read.push(folder);
    return adapter;
  });
  return { places: new ExpertPlaces(config, experts), read };
}

describe("rows of experts", () => {
  it("are let in as many at a time as go together, and come back in their order", async () => {
    const { places: own, read } = places();
    const parts: number[][] = [];
    const results = await own.run([...some(6), {}, by("e1"), ...some(1)], "router", async (part, numbers) => {
      // No more are read than are at work, and the one that did not go with them.
      parts.push([...numbers]);
      expect(read.length).toBeLessThanOrEqual(parts.length === 1 ? 0 : 4 * (parts.length - 1) + 1);
      return numbers.map((number, k) => [number, part[k]]);
    });
    expect(parts).toEqual([[6], [0, 8, 1, 7], [2, 3, 4, 5]]);
    expect(results.map((result) => result[0])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it("of one expert are let in however many they are", async () => {
    const parts: number[] = [];
    await places().places.run(
      Array.from({ length: 50 }, () => by("e1")),
      "router",
      async (part) => {
        parts.push(part.length);
        return [...part];
      },
    );
    expect(parts).toEqual([50]);
  });

  it("of several calls count together; rows without wait for none", async () => {
    const { places: own } = places();
    let [atWork, most] = [0, 0];
    const work = async <R>(part: readonly R[]) => {
      atWork += part.length;
      most = Math.max(most, atWork);
      await new Promise((resolve) => setTimeout(resolve, 5));
      atWork -= part.length;
      return [...part];
    };
    await Promise.all([1, 2, 3, 4, 5].map(() => own.run(some(3), "router", work)));
    expect(most).toBeLessThanOrEqual(4);
    let isFree = false;
    const held = own.run(some(4), "router", async (part) => {
      await own.run([{}], "router", async () => [(isFree = true)]);
      return [...part];
    });
    await held;
    expect(isFree).toBe(true);
  });
});
