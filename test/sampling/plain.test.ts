/** Plain sampling: the base alone, behind the token that begins a text, span by span. */
import { expect, it } from "vitest";
import { plain } from "../../src/sampling/plain.js";
import { FakeModel, type FakeOptions, fakeOptions, STOP, show, text } from "./fakeModel.js";

async function run(fake: FakeOptions, options: Parameters<typeof fakeOptions>[0], context = text("C", 2)) {
  const model = new FakeModel(fake);
  const spans: string[] = [];
  const sampler = plain(model, context, fakeOptions(options));
  for (;;) {
    const { value, done } = await sampler.next();
    if (done) return { log: model.log, spans, whole: show(value.ids), keys: model.rngKeys };
    spans.push(show(value.ids));
  }
}

it("writes spans behind each other, each with its own random numbers", async () => {
  const { log, spans, whole, keys } = await run({}, { nSteps: 2 });
  expect(log).toEqual(["a = base: 4 after ^ C0-1", "b = base: 4 after ^ C0-1 a0-3"]);
  expect([spans, whole]).toEqual([["a0-3", "b0-3"], "C0-1 a0-3 b0-3"]);
  expect(new Set(keys).size).toBe(2);
});

it("ends where the text does, unless end tokens are ignored", async () => {
  const ending = { eosId: STOP, length: () => 3, stopAt: 2 };
  expect((await run(ending, { nSteps: 3 })).spans).toEqual(["a0-1 ."]);
  expect((await run(ending, { nSteps: 3, ignoreEos: true })).spans).toHaveLength(3);
});

it("keeps the newest of a context that the window does not hold, and says so once", async () => {
  const warnings: string[] = [];
  const options = { nSteps: 2, onWarning: (line: string) => void warnings.push(line) };
  const { log } = await run({ maxPositions: 12 }, options, text("C", 20));
  expect(log[0]).toBe("a = base: 4 after C12-19");
  expect(warnings).toHaveLength(1);
});
