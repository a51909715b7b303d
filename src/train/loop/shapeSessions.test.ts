import { describe, expect, it } from "vitest";
import { add, input, mul } from "../../graph/index.js";
import type { Runtime } from "../../runtime/runtime.js";
import type { LossGraph } from "../../vae/loss.js";
import type { Microbatch } from "./objective.js";
import { heldBytes, ShapeSessions } from "./shapeSessions.js";

/** Sessions that are only counted; the values of each take 8 bytes. */
function counted(budgetBytes?: number) {
  const made: number[] = [];
  const released: number[] = [];
  const runtime: Runtime = {
    device: "cpu",
    createSession: async () => {
      const number = made.push(made.length) - 1;
      return { run: async () => ({}), release: async () => void released.push(number) };
    },
  };
  const outputs = ({ loss }: LossGraph) => ({ loss, twice: add(mul(loss, 2), loss) });
  const sessions = new ShapeSessions(runtime, outputs, budgetBytes);
  const graph = () => ({ loss: input("x", [2]), metrics: {}, parameters: new Map() });
  const of = (shape: number) =>
    sessions.of({ shapeKey: `${shape}`, graph, feeds: {}, weight: 1, tokens: 1 } as Microbatch);
  return { made, released, sessions, of };
}

describe("sessions by shape", () => {
  it("keep the latest used, and release the others", async () => {
    const { made, released, sessions, of } = counted();
    for (let shape = 0; shape < 16; shape++) await of(shape);
    const first = await of(0);
    for (let shape = 16; shape < 20; shape++) await of(shape);
    expect(released).toEqual([1, 2, 3, 4]);
    expect(await of(0)).toBe(first);
    await of(1);
    expect(made).toHaveLength(21);
    await sessions.release();
    expect(released).toHaveLength(21);
  });

  it("hold as many as there is memory for, and one in any case", async () => {
    for (const [budget, kept] of [
      [24, 3],
      [4, 1],
    ] as const) {
      const { made, released, of } = counted(budget);
      for (let shape = 0; shape < 5; shape++) await of(shape);
      expect(made.length - released.length).toBe(kept);
    }
  });

  it("hold what is counted for a plan", () => {
    expect(heldBytes([8, 8, 8, 8, 8], 24)).toBe(24);
    expect(heldBytes([8, 3], 24)).toBe(11);
    expect(heldBytes([8, 30], 24)).toBe(30);
    expect(heldBytes(new Array(20).fill(1), 24)).toBe(16);
  });
});
