/**
 * Pages of the studio beside how they looked: pictures/NAME.png. The browser and the fonts come with the packages, so that they look alike on every machine.
 * After a change that is meant: BIGVAE_PICTURES=keep npx vitest run test/studio/pictures.test.ts, and look at what is new.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import pixelmatch from "pixelmatch";
import type { Page } from "playwright-core";
import { PNG } from "pngjs";
import { beforeEach, expect, it } from "vitest";
import { useStudio } from "./browser.js";

const studio = useStudio();
let page: Page;
beforeEach(() => {
  page = studio.page;
});

const PICTURES = fileURLToPath(new URL("pictures/", import.meta.url));

/** Share of the pixels that may differ: a point of the map lies a pixel beside, where a processor rounds otherwise. */
const TOLERANCE = 0.0005;

async function expectPicture(name: string): Promise<void> {
  await page.evaluate(() => document.fonts.ready);
  const bytes = await page.screenshot({ animations: "disabled" });
  const path = join(PICTURES, `${name}.png`);
  if (process.env.BIGVAE_PICTURES === "keep") {
    await mkdir(PICTURES, { recursive: true });
    await writeFile(path, bytes);
    return;
  }
  const [got, expected] = [PNG.sync.read(bytes), PNG.sync.read(await readFile(path))];
  const { width, height } = expected;
  expect([got.width, got.height]).toEqual([width, height]);
  const differing = pixelmatch(got.data, expected.data, undefined, width, height) / (width * height);
  const beside = join(tmpdir(), `bigvae-${name}.png`);
  if (differing > TOLERANCE) await writeFile(beside, bytes);
  expect(differing, `it looks otherwise than ${path}: see ${beside}`).toBeLessThanOrEqual(TOLERANCE);
}

it("an empty project, light and dark", async () => {
  await page.getByText("Write a first sentence.").waitFor();
  await expectPicture("empty");
  await page.emulateMedia({ colorScheme: "dark" });
  await expectPicture("empty-dark");
});

it("a text with its map, a blend on the desk, and what is read from a sentence", async () => {
  await page
    .getByLabel("Your text")
    .fill("Nora lived by the harbour with her grandfather. One morning she found a small lamp in the sand.");
  await page.keyboard.press("Enter");
  await page.getByRole("treeitem").first().waitFor();
  for (const text of [
    "The old king was very tired after the long war.",
    "The young girl was very happy after the long trip.",
  ]) {
    await page.getByLabel("A text for the desk").fill(text);
    await page.keyboard.press("Enter");
  }
  await page.getByText(/^norm \d/).waitFor();
  await page.getByLabel("Your text").focus();
  await expectPicture("desk");
  await page.getByRole("tab", { name: "Explain" }).click();
  await page.getByRole("tabpanel").getByLabel("Text").fill("The little fox found a shiny key under the old bridge.");
  await page.getByText("Confidence").waitFor();
  await expectPicture("explain");
});

it("a tablet", async () => {
  await page.setViewportSize({ width: 820, height: 1180 });
  await page.getByRole("treeitem").first().waitFor();
  await page.getByRole("treeitem").first().click();
  await expectPicture("tablet");
});
