/** The event files, read with a reader that knows the format and not the writer (test/train/eventFile). */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { crc32c, fields, records } from "../../../test/train/eventFile.js";
import { RunLog } from "./runLog.js";

const text = (value: unknown) => new TextDecoder().decode(value as Uint8Array);

it("knows the test vector of CRC-32C", () => {
  expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
});

it("an event file holds its version and every scalar of every step", async () => {
  const folder = await mkdtemp(join(tmpdir(), "bigvae-events-"));
  try {
    const log = await RunLog.open(folder);
    const common = { totalSteps: 3, lr: 0.25, tokens: 300, seconds: 2, applied: true };
    await log.step({ ...common, step: 1, metrics: { loss: 1.5, kl: 0.125 }, gradientNorm: 0.5 });
    await log.step({
      ...common,
      step: 2,
      metrics: { loss: Number.NaN, kl: 0 },
      gradientNorm: Number.POSITIVE_INFINITY,
      applied: false,
    });
    await log.evaluation(2, { loss: 0.75, kl: Number.NaN });
    await log.record({ step: 2, sample: { text: "Ende \u2028 \n gut" } });
    await log.close();
    const [events, lines] = (await readdir(folder)).sort();
    expect(events).toMatch(/^events\.out\.tfevents\.\d+\.bigvae\.\d+$/);
    const [version, ...steps] = records(await readFile(join(folder, events!))).map(fields);
    expect(text(version!.get(3)![0])).toBe("brain.Event:2");
    const scalars = steps.map((event) => {
      const values = (fields(event.get(5)![0] as Uint8Array).get(1) as Uint8Array[]).map(fields);
      expect(Math.abs((event.get(1)![0] as number) - Date.now() / 1000)).toBeLessThan(60);
      return [event.get(2)![0], Object.fromEntries(values.map((value) => [text(value.get(1)![0]), value.get(2)![0]]))];
    });
    const rates = { lr: 0.25, tokensPerSecond: 150 };
    expect(scalars).toEqual([
      [1, { loss: 1.5, kl: 0.125, gradientNorm: 0.5, ...rates }],
      [2, { loss: Number.NaN, kl: 0, gradientNorm: Number.POSITIVE_INFINITY, ...rates }],
      [2, { "heldOut/loss": 0.75, "heldOut/kl": Number.NaN }],
    ]);
    const parsed = (await readFile(join(folder, lines!), "utf8"))
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(parsed.map(({ time, ...rest }) => [typeof time, rest])).toEqual([
      ["string", { step: 1, loss: 1.5, kl: 0.125, gradientNorm: 0.5, ...rates }],
      ["string", { step: 2, loss: null, kl: 0, gradientNorm: null, ...rates, applied: false }],
      ["string", { step: 2, heldOut: { loss: 0.75, kl: null } }],
      ["string", { step: 2, sample: { text: "Ende \u2028 \n gut" } }],
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
