import { expect, it } from "vitest";
import { JointBatches } from "./jointBatches.js";

/** Doubles numbers, whose size is their length; each batch waits until it is let go. */
function doubling() {
  const batches: number[][] = [];
  const gates: (() => void)[] = [];
  const joint = new JointBatches<number, number>(
    (row) => row,
    async (rows, signal) => {
      batches.push([...rows]);
      await new Promise<void>((open) => gates.push(open));
      signal?.throwIfAborted();
      if (rows.includes(13)) throw new RangeError("no thirteen");
      return rows.map((row) => 2 * row);
    },
  );
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  /** A call whose batch is under way. */
  const begun = async (rows: number[], signal?: AbortSignal) => {
    const result = joint.submit(rows, signal);
    result.catch(() => undefined);
    await settled();
    return { result };
  };
  const open = async () => {
    await settled();
    gates.shift()?.();
    await settled();
  };
  return { joint, batches, begun, open };
}

it("computes what waits together where lengths are alike, and gives each call its own", async () => {
  const { joint, batches, begun, open } = doubling();
  const results = [(await begun([10])).result, joint.submit([20, 21]), joint.submit([100]), joint.submit([22])];
  for (let i = 0; i < 3; i++) await open();
  expect(batches).toEqual([[10], [20, 21, 22], [100]]);
  expect(await Promise.all(results)).toEqual([[20], [40, 42], [200], [44]]);
});

it("leaves out a call that was aborted while it waited", async () => {
  const { joint, batches, begun, open } = doubling();
  const controller = new AbortController();
  const [first, dropped, third] = [
    (await begun([10])).result,
    joint.submit([11], controller.signal),
    joint.submit([12]),
  ];
  const refused = expect(dropped).rejects.toThrow("not wanted");
  controller.abort(new Error("not wanted"));
  await open();
  await open();
  await refused;
  expect(await Promise.all([first, third])).toEqual([[20], [24]]);
  expect(batches.flat()).not.toContain(11);
});

it("ends a batch under way by the signal of a call that is alone in it", async () => {
  const { joint, begun, open } = doubling();
  const controller = new AbortController();
  const alone = expect((await begun([10], controller.signal)).result).rejects.toThrow("not wanted");
  const other = joint.submit([50]);
  controller.abort(new Error("not wanted"));
  await open();
  await open();
  await alone;
  expect(await other).toEqual([100]);
});

it("fails the call alone whose rows fail, and goes on", async () => {
  const { joint, batches, begun, open } = doubling();
  const first = await begun([10]);
  const refused = expect(joint.submit([13])).rejects.toThrow("no thirteen");
  const beside = joint.submit([14]);
  for (let i = 0; i < 4; i++) await open();
  expect(await beside).toEqual([28]);
  expect(batches).toEqual([[10], [13, 14], [13], [14]]);
  await Promise.all([refused, first.result]);
  const next = joint.submit([7]);
  await open();
  expect(await next).toEqual([14]);
});
