import { describe, expect, it } from "vitest";
import { input } from "../graph/index.js";
import type { Runtime } from "../runtime/runtime.js";
import type { Microbatch } from "./objective.js";
import { ShapeSessions } from "./shapeSessions.js";

describe("sessions by shape", () => {
  it("keep the latest used, and release the others", async () => {
    const made: number[] = [];
    const released: number[] = [];
    const runtime: Runtime = {
      createSession: async () => {
        const number = made.push(made.length) - 1;
        return { run: async () => ({}), release: async () => void released.push(number) };
      },
    };
    const sessions = new ShapeSessions(runtime, ({ loss }) => ({ loss }));
    const graph = () => ({ loss: input("x", []), metrics: {}, parameters: new Map() });
    const of = (shape: number) => sessions.of({ shapeKey: `${shape}`, graph, feeds: {}, tokens: 1 } as Microbatch);
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
});
