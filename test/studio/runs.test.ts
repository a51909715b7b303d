/** Training runs in a real browser, as another process would write them. */
import { mkdtempSync } from "node:fs";
import { appendFile, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { seriousFindings, useStudio } from "./browser.js";

const folder = mkdtempSync(join(tmpdir(), "runs-"));
afterAll(() => rm(folder, { recursive: true }));
const studio = useStudio({ runs: folder });

const lines = (records: object[]) => records.map((record) => `${JSON.stringify(record)}\n`).join("");

async function begin(name: string, lr: number): Promise<string> {
  await mkdir(join(folder, name));
  await writeFile(join(folder, name, "run.json"), JSON.stringify({ command: "vae", flags: { lr, rank: 8 } }));
  const log = join(folder, name, "log.jsonl");
  const steps = Array.from({ length: 1000 }, (_, i) => ({ step: i + 1, loss: 3 - i * lr, kl: 0.1 }));
  await writeFile(log, lines(steps));
  return log;
}

it("draws runs while they are written, side by side with what differs", async () => {
  const { page } = studio;
  await page.getByRole("tab", { name: "Runs" }).click();
  const panel = page.getByRole("tabpanel");
  await panel.getByText(`No training runs in ${folder}`).waitFor();
  await begin("slow", 0.0001);
  const log = await begin("fast", 0.001);
  await panel.getByText("vae, step 1,000, 2.001").waitFor();
  await appendFile(
    log,
    lines([
      { step: 1001, loss: 1.5 },
      { step: 1001, heldOut: { loss: 1.75, shuffled: 2.5 } },
      { step: 1001, sample: { text: "A fox.", reconstruction: "A box." } },
    ]),
  );
  // A line that is not whole yet.
  await appendFile(log, '{"step": 1002, "lo');
  await panel.getByText("vae, step 1,001, 1.500").waitFor();
  await panel.getByText("A box.").waitFor();
  await panel.getByRole("checkbox", { name: "slow" }).focus();
  await page.keyboard.press("Space");
  await expect.poll(() => panel.locator("polyline").count()).toBe(2);
  expect(await panel.getByRole("row").allTextContents()).toEqual(["optionfastslow", "lr0.0010.0001"]);
  await panel.getByLabel("Curve").selectOption("held out: shuffled");
  await panel.getByText("2.50 to 2.50").waitFor();
  expect(await seriousFindings(page)).toEqual([]);
}, 60_000);
