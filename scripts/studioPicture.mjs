/** Takes the studio's pictures, from a project of its own: `npm run build && node scripts/studioPicture.mjs docs`. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import chromium from "@sparticuz/chromium";
import { chromium as playwright } from "playwright-core";
import { serve } from "../dist/server/serve.js";

const [target = "docs", colorScheme = "light"] = process.argv.slice(2);
/** Stories that are read as a file of texts. */
const STORIES = 250;
const folder = await mkdtemp(join(tmpdir(), "studio-"));
const server = await serve({ port: 0, project: folder, seed: 1, version: "picture" });
await server.loaded;
const post = async (route, body) => {
  const answer = await fetch(`${server.url}${route}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
};
/** Waits until nothing is written any more. */
const written = async () => {
  for (;;) {
    const { nodes } = await (await fetch(`${server.url}/studio/state`)).json();
    if (nodes.every(({ finished }) => finished)) return nodes;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
};
const first = await post("/studio/type", {
  text: "Nora lived by the harbour with her grandfather. One morning she found a small lamp in the sand.",
});
await post("/studio/write", { parent: first.id, branches: 3, seed: 20, options: { nSteps: 2 } });
const [, branch] = await written();
await post("/studio/write", { parent: branch.id, branches: 2, seed: 3, options: { nSteps: 2 } });
const stories = gunzipSync(await readFile("data/stories/stories-000.jsonl.gz"))
  .toString("utf8")
  .split("\n");
await post("/studio/corpus", { name: "stories.jsonl", content: stories.slice(0, STORIES).join("\n") });
const nodes = await written();
const browser = await playwright.launch({
  executablePath: await chromium.executablePath(),
  args: chromium.args.filter((argument) => argument !== "--single-process"),
});
const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme });
const page = await context.newPage();
await page.goto(`${server.url}/#node-${nodes[4].id}`);
for (const text of [
  "The old king was very tired after the long war.",
  "The young girl was very happy after the long trip.",
]) {
  await page.getByLabel("A text for the desk").fill(text);
  await page.keyboard.press("Enter");
}
await page.waitForTimeout(1500);
await page.screenshot({ path: join(target, "studio.png") });

// Explained, with the map in more room.
await page.getByRole("button", { name: "Wide" }).click();
await page.getByLabel("Layout").selectOption("umap");
await page.getByText("Laying the map").waitFor();
await page.getByText("Laying the map").waitFor({ state: "detached" });
await page.getByLabel("Colour of points").selectOption("branch");
await page.getByRole("tab", { name: "Explain" }).click();
await page.getByRole("tabpanel").getByLabel("Text").fill("The old baker found a silver lamp behind the mill.");
await page.getByText("Confidence").waitFor();
await page.getByRole("tablist").scrollIntoViewIfNeeded();
await page.setViewportSize({ width: 1280, height: 1000 });
await page.waitForTimeout(500);
await page.screenshot({ path: join(target, "studio-wide.png") });
// A plan, written along.
await page.getByLabel("Layout").selectOption("pca");
await page.goto(`${server.url}/#node-${first.id}`);
await page.reload();
await page.getByRole("tab", { name: "Plan" }).click();
const panel = page.getByRole("tabpanel");
await panel.getByLabel("By").selectOption("A text a line");
await panel
  .getByLabel("Texts")
  .fill("She carried the lamp to the village.\nThe wind blew all night.\nThey were all safe at home.");
await panel.getByRole("button", { name: "Plan", exact: true }).click();
const handle = page.getByRole("button", { name: /^Waypoint 2:/ });
const { x, y } = await handle.boundingBox();
await page.mouse.move(x + 13, y + 13);
await page.mouse.down();
await page.mouse.move(x + 53, y - 17, { steps: 5 });
await page.mouse.up();
await page.waitForTimeout(1500);
await panel.getByRole("button", { name: "Write along", exact: true }).click();
await page.getByRole("button", { name: "Stop" }).waitFor();
await written();
await page.locator("header").hover();
await panel.getByRole("button", { name: "Write along", exact: true }).blur();
await page.getByRole("region", { name: "Map of latents" }).scrollIntoViewIfNeeded();
await page.locator("main > aside").evaluate((aside) => aside.scrollTo(0, 0));
await page.waitForTimeout(1500);
await page.screenshot({ path: join(target, "studio-plan.png") });
await browser.close();
await server.close();
await rm(folder, { recursive: true });
