/** Takes the studio's picture, from a project of its own: `npm run build && node scripts/studioPicture.mjs docs/studio.png`. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import chromium from "@sparticuz/chromium";
import { chromium as playwright } from "playwright-core";
import { serve } from "../dist/server/serve.js";

const [path = "docs/studio.png", colorScheme = "light"] = process.argv.slice(2);
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
const nodes = await written();
const browser = await playwright.launch({
  executablePath: await chromium.executablePath(),
  args: chromium.args.filter((argument) => argument !== "--single-process"),
});
const context = await browser.newContext({ viewport: { width: 1280, height: 720 }, colorScheme });
const page = await context.newPage();
await page.goto(`${server.url}/#node-${nodes[4].id}`);
for (const text of [
  "The old king was very tired after the long war.",
  "The young girl was very happy after the long trip.",
]) {
  await page.getByLabel("A text for the desk").fill(text);
  await page.keyboard.press("Enter");
}
const canvas = await page.locator("canvas").last().boundingBox();
await page.mouse.click(canvas.x + 0.62 * canvas.width, canvas.y + 0.4 * canvas.height);
await page.getByRole("button", { name: "To the desk" }).waitFor();
await page.waitForTimeout(1500);
await page.screenshot({ path });
await browser.close();
await server.close();
await rm(folder, { recursive: true });
