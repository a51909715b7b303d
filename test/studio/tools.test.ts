/** Line, plan, explanations and training runs in a real browser. */
import { mkdtempSync } from "node:fs";
import { appendFile, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { post } from "../server/server.js";
import { seriousFindings, useStudio } from "./browser.js";

const folder = mkdtempSync(join(tmpdir(), "runs-"));
afterAll(() => rm(folder, { recursive: true }));
const studio = useStudio({ runs: folder });
let page: Page;
beforeAll(() =>
  post(`${studio.server.url}/studio/type`, { text: "The old woman opened the door. A fox stood in the snow." }),
);
beforeEach(async () => {
  page = studio.page;
  await page.getByRole("treeitem").first().waitFor();
});

const panel = () => page.getByRole("tabpanel");
const steps = () => panel().getByRole("listitem");

it("draws a line of eleven steps between two texts, and says how smooth it is", async () => {
  await page.getByRole("tab", { name: "Line" }).click();
  await panel().getByLabel("From").fill("The fox ran home.");
  await panel().getByLabel("To").fill("The baker lost a key.");
  await panel().getByRole("button", { name: "Draw" }).click();
  await panel().getByText("Smoothness").waitFor();
  expect(await steps().count()).toBe(11);
  expect(await steps().first().textContent()).toContain("The fox ran home.");
  expect(await steps().last().textContent()).toContain("The baker lost a key.");
  expect(await panel().getByRole("img", { name: "like the last" }).count()).toBe(11);
  await steps().nth(4).getByRole("button").click();
  await page.getByRole("tab", { name: "Desk" }).click();
  expect(await panel().getByRole("slider").count()).toBe(1);
}, 60_000);

it("moves a third text by the step between two, forward and backward", async () => {
  await page.getByRole("tab", { name: "Line" }).click();
  await panel().getByLabel("From").fill("The girl was sad.");
  await panel().getByLabel("To").fill("The girl was happy.");
  await panel().getByLabel("Move").fill("The fox was sad.");
  await panel().getByRole("button", { name: "Draw" }).click();
  await panel().getByText("Smoothness").waitFor();
  const labels = await steps().locator(".label").allTextContents();
  expect([labels[0], labels.at(-1), labels.length]).toEqual(["-1.0", "2.0", 11]);
  expect(await steps().last().textContent()).toContain("The fox was happy.");
}, 60_000);

it("plans toward a goal by keys, writes the rest anew behind an edited step, and keeps it as a branch", async () => {
  await page.getByRole("tab", { name: "Desk" }).focus();
  for (const name of ["Line", "Plan"]) {
    await page.keyboard.press("ArrowRight");
    expect(await page.getByRole("tab", { name }).getAttribute("aria-selected")).toBe("true");
  }
  await panel().getByLabel("To").focus();
  await page.keyboard.type("They were all safe at home.");
  await panel().getByLabel("Steps").selectOption("3 steps");
  await panel().getByLabel("To").focus();
  await page.keyboard.press("Enter");
  const measured = panel().getByRole("img", { name: /^like the goal/ });
  await expect.poll(() => measured.count(), { timeout: 30_000 }).toBe(3);
  const before = await steps().allTextContents();
  await panel().getByRole("button", { name: "Edit step 2" }).focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Control+a");
  await page.keyboard.type("The wind blew all night.");
  await page.keyboard.press("Enter");
  await expect.poll(() => measured.count(), { timeout: 30_000 }).toBe(3);
  const after = await steps().allTextContents();
  expect(after[0]).toBe(before[0]);
  expect(after[1]).toContain("The wind blew all night.");
  expect(after[2]).not.toBe(before[2]);
  await panel().getByRole("button", { name: "Keep as a branch" }).click();
  await expect
    .poll(() => page.getByRole("region", { name: "Text" }).textContent())
    .toContain("The wind blew all night.");
}, 60_000);

it("explains a text: shading, what comes back, the nearest spans", async () => {
  await page.getByRole("tab", { name: "Explain" }).click();
  await panel().getByRole("button", { name: "Take the last span" }).click();
  await panel().getByText("Confidence").waitFor();
  const weights = await panel().getByRole("list", { name: "Weights" }).getByRole("listitem").allTextContents();
  const sum = weights.reduce((total, text) => total + Number(/(\d+) %$/.exec(text)![1]), 0);
  expect(Math.abs(sum - 100)).toBeLessThan(weights.length);
  await panel().getByRole("slider").fill("3");
  await panel().getByText("slot 3").waitFor();
  await panel().getByLabel("Text").fill("Qwxz vlorp the zindle krumph.");
  await expect.poll(() => panel().locator("ins, del").count()).toBeGreaterThan(0);
  await panel().getByRole("listitem").filter({ hasText: "fox" }).last().getByRole("button").click();
  await page.getByText("1 chosen").waitFor();
}, 60_000);

it("has nothing serious for axe to say of any tool, in light and dark", async () => {
  for (const name of ["Line", "Plan", "Explain"]) {
    await page.getByRole("tab", { name }).click();
    if (name === "Explain") {
      await panel().getByRole("button", { name: "Take the last span" }).click();
      await panel().getByText("Confidence").waitFor();
    }
    expect(await seriousFindings(page)).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: "dark" });
  expect(await seriousFindings(page, "colours")).toEqual([]);
}, 60_000);

/** A log, as another process would write it. */
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
  await page.getByRole("tab", { name: "Runs" }).click();
  await panel().getByText(`No training runs in ${folder}`).waitFor();
  await begin("slow", 0.0001);
  const log = await begin("fast", 0.001);
  await panel().getByText("vae, step 1,000, 2.001").waitFor();
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
  await panel().getByText("vae, step 1,001, 1.500").waitFor();
  await panel().getByText("A box.").waitFor();
  await panel().getByRole("checkbox", { name: "slow" }).focus();
  await page.keyboard.press("Space");
  await expect.poll(() => panel().locator("polyline").count()).toBe(2);
  expect(await panel().getByRole("row").allTextContents()).toEqual(["optionfastslow", "lr0.0010.0001"]);
  await panel().getByLabel("Curve").selectOption("held out: shuffled");
  await panel().getByText("2.50 to 2.50").waitFor();
  expect(await seriousFindings(page)).toEqual([]);
}, 60_000);
