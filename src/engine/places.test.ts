import { expect, it } from "vitest";
import { rowPlaces } from "./places.js";

/** A promise, and what ends it. */
function open() {
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { ended, end };
}

it("lets in as many rows as there is room for, in the order of their asking", async () => {
  const places = rowPlaces(4);
  const [a, b, c] = [open(), open(), open()];
  const entered: string[] = [];
  const hold = (name: string, rows: number, until: Promise<void>) =>
    places.hold(rows, async () => {
      entered.push(name);
      await until;
    });
  const all = [hold("a", 2, a.ended), hold("b", 3, b.ended), hold("c", 1, c.ended)];
  await Promise.resolve();
  await new Promise(setImmediate);
  expect(entered).toEqual(["a"]);
  a.end();
  await all[0];
  await new Promise(setImmediate);
  expect(entered).toEqual(["a", "b", "c"]);
  b.end();
  c.end();
  await Promise.all(all);
});

it("gives room back after work that fails, and lets nobody in whose signal aborts", async () => {
  const places = rowPlaces(1);
  const first = open();
  const failing = places.hold(1, async () => {
    await first.ended;
    throw new Error("no");
  });
  const controller = new AbortController();
  let ran = false;
  const waiting = places.hold(1, async () => void (ran = true), controller.signal);
  controller.abort();
  first.end();
  await expect(failing).rejects.toThrow("no");
  await expect(waiting).rejects.toMatchObject({ name: "AbortError" });
  expect(ran).toBe(false);
  expect(await places.hold(1, async () => 7)).toBe(7);
});
