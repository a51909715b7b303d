/** The map in a real browser. */
import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";
import { beforeEach, expect, it } from "vitest";
import { Rng } from "../../src/rng.js";
import { post } from "../server/server.js";
import { keepBack, seriousFindings, useStudio } from "./browser.js";

const studio = useStudio();
let page: Page;
beforeEach(() => {
  page = studio.page;
});

const map = () => page.getByRole("application", { name: /^Map/ });
const table = () => page.getByRole("region", { name: "Spans" }).getByRole("row");
const boxOfMap = async () => (await map().boundingBox())!;

const TEXTS = Array.from({ length: 40 }, (_, i) => `The ${i % 2 ? "fox found a lamp" : "rain fell"} on day ${i}.`);

it("reads a file that is chosen or dropped, shows it, finds spans in it, and reads their mean", async () => {
  const records = TEXTS.map((text, day) => ({ text, day, factors: { subject: day % 2 ? "fox" : "rain" } }));
  const content = records.map((record) => JSON.stringify(record)).join("\n");
  const file = { name: "days.jsonl", mimeType: "application/json", buffer: Buffer.from(content) };
  await page.getByLabel("Files of texts").setInputFiles(file);
  const files = page.getByRole("list", { name: "Files" });
  await files.getByText("days.jsonl").waitFor();
  await page.getByRole("button", { name: "Table" }).click();
  await expect.poll(() => table().count()).toBe(TEXTS.length + 1);
  await page.getByRole("button", { name: "Table" }).click();
  await page.getByLabel("Find on the map").fill("lamp");
  await page.getByText("20 chosen").waitFor();
  await page.getByRole("button", { name: "Read their mean" }).click();
  await expect.poll(() => page.getByRole("status").last().textContent()).toContain("fox found a lamp on day");
  await page.getByRole("button", { name: "To the desk" }).click();
  await expect.poll(() => page.getByLabel("Blend").textContent()).toContain("lamp");
  // Dropped on the map.
  const dropped = await page.evaluateHandle(() => {
    const data = new DataTransfer();
    data.items.add(new File(["{"], "broken.jsonl"));
    data.items.add(new File([""], "empty.txt"));
    data.items.add(new File(["A whale sang.\nA whale slept."], "whales.txt"));
    return data;
  });
  await page.getByRole("region", { name: "Map of latents" }).dispatchEvent("drop", { dataTransfer: dropped });
  await files.getByText("whales.txt").waitFor();
  // Each that is refused is told, until the next deed.
  const notice = page.getByRole("alert");
  for (const name of ["broken.jsonl", "empty.txt"]) expect(await notice.textContent()).toContain(name);
  studio.complaints.length = 0;
  await page.getByRole("button", { name: "Remove whales.txt" }).click();
  await expect.poll(() => files.getByText("whales.txt").count()).toBe(0);
  expect(await notice.count()).toBe(0);
  expect(await seriousFindings(page)).toEqual([]);
  // The search of the page finds its spans too.
  await page.getByLabel("Search", { exact: true }).fill("rain 12");
  await page.getByRole("search").getByRole("button").first().click();
  await page.getByText("1 chosen").waitFor();
}, 60_000);

it("is coloured by what the records of a file say: words by their colours, numbers by strength", async () => {
  const colour = page.getByLabel("Colour of points");
  const legend = page.getByLabel("Legend");
  await expect.poll(() => colour.getByRole("option").allTextContents()).toContain("by subject");
  await colour.selectOption({ label: "by subject" });
  await legend.waitFor();
  expect((await legend.locator("> span").allTextContents()).sort()).toEqual(["fox", "rain"]);
  expect(await colour.locator("option:checked").textContent()).toBe("by subject");
  await colour.selectOption({ label: "by day" });
  await expect.poll(() => legend.textContent()).toContain("from 0, faint, to 39, strong");
  const letGo = await keepBack(page, "**/studio/labels");
  await colour.selectOption({ label: "by subject" });
  await colour.selectOption({ label: "by this text" });
  await letGo();
  await expect.poll(() => legend.count()).toBe(0);
  const labels = async (name?: string) => (await post(`${studio.server.url}/studio/labels`, { name })).body;
  expect((await labels()).names).toEqual(["day", "subject"]);
  const days = (await labels("day")).values.map(([, value]: [number, number]) => value);
  expect(days).toEqual(TEXTS.map((_, day) => day));
}, 60_000);

it("is laid by UMAP, beside other calls, and by axes again", async () => {
  const layout = page.getByLabel("Layout");
  await layout.selectOption("umap");
  await expect.poll(() => page.getByText("Laying the map").count()).toBe(0);
  const state = async () => (await (await fetch(`${studio.server.url}/studio/map`)).json()) as { layout: string };
  await expect.poll(async () => (await state()).layout, { timeout: 20_000 }).toBe("umap");
  await expect.poll(() => layout.inputValue()).toBe("umap");
  // A new span lies among its neighbours, and a place has a text.
  await post(`${studio.server.url}/studio/type`, { text: "The rain fell on day 7." });
  const box = await boxOfMap();
  await page.mouse.click(box.x + box.width / 2, box.y + 4);
  await page.getByRole("button", { name: "To the desk" }).waitFor();
  const laid = page.waitForResponse("**/studio/map");
  await layout.selectOption("pca");
  await expect.poll(async () => (await state()).layout).toBe("pca");
  await laid;
}, 60_000);

it("is worked by keys: moved, zoomed, read in the middle; and saved as PNG and SVG", async () => {
  await map().focus();
  for (const key of ["ArrowLeft", "ArrowUp", "+", "-", "0", "+"]) await page.keyboard.press(key);
  const letGo = await keepBack(page, "**/studio/place");
  const asked = page.waitForRequest("**/studio/place");
  await page.keyboard.press("Enter");
  await asked;
  for (let i = 0; i < 4; i++) await page.keyboard.press("ArrowLeft");
  const answered = page.waitForResponse("**/studio/place");
  await page.keyboard.press("Enter");
  expect((await answered).status()).toBe(200);
  await page.getByRole("button", { name: "To the desk" }).waitFor();
  // The answer to an older question replaces no newer one.
  const read = await page.getByRole("status").last().textContent();
  await letGo();
  await expect.poll(() => page.getByRole("status").last().textContent()).toBe(read);
  await page.keyboard.press("0");
  for (const kind of ["PNG", "SVG"]) {
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: kind }).click(),
    ]);
    const bytes = await readFile(await download.path());
    expect(download.suggestedFilename()).toBe(`map.${kind.toLowerCase()}`);
    expect(bytes.toString("latin1", 0, 8)).toContain(kind === "PNG" ? "PNG" : "<svg");
    if (kind === "SVG") expect(bytes.toString("utf8")).toContain("The rain fell on day");
  }
}, 60_000);

const COUNT = Number(process.env.BIGVAE_POINTS ?? 20_000);

it("holds many points: they move, are chosen with the lasso, and are listed in parts", async () => {
  const rng = Rng.fromSeed("points");
  const points = Array.from({ length: COUNT }, (_, i) => {
    const [x, y] = rng.normals(2);
    return { id: i + 1, node: 1, place: i, text: `Point ${i}.`, x: 3 * x!, y: y!, layout: 1 };
  });
  const body = JSON.stringify({ layout: "pca", round: 1, points, plans: [], passed: [] });
  await page.route("**/studio/map", (route) => route.fulfill({ contentType: "application/json", body }));
  await page.reload();
  await page.getByRole("button", { name: "Table" }).click();
  await page.getByText(`1 to 200 of ${COUNT.toLocaleString("en")}`).waitFor();
  await page.getByRole("button", { name: "Later" }).click();
  await page.getByText(`201 to 400 of ${COUNT.toLocaleString("en")}`).waitFor();
  await page.getByRole("button", { name: "Table" }).click();
  const { x, y, width, height } = await boxOfMap();
  const frame = await page.evaluate(async () => {
    const canvas = document.querySelector("[role=application] canvas:last-of-type")!;
    const times: number[] = [];
    for (let last = performance.now(), i = 0; i < 30; i++) {
      canvas.dispatchEvent(new WheelEvent("wheel", { deltaY: i % 2 ? 60 : -60, bubbles: true }));
      const now = await new Promise<number>((resolve) => requestAnimationFrame(resolve));
      times.push(now - last);
      last = now;
    }
    return times.reduce((sum, time) => sum + time) / times.length;
  });
  // Drawn by the processor, on a machine that others use: a card needs far less.
  console.info(`${COUNT} points: a frame takes ${frame.toFixed(0)} ms`);
  expect(frame).toBeLessThan(150);
  await page.getByRole("button", { name: "Lasso" }).click();
  await page.mouse.move(x + 0.3 * width, y + 0.3 * height);
  await page.mouse.down();
  for (const [right, down] of [
    [0.7, 0.3],
    [0.7, 0.7],
    [0.3, 0.7],
  ])
    await page.mouse.move(x + right! * width, y + down! * height);
  await page.mouse.up();
  const chosen = await page.getByText(/^[\d,]+ chosen$/).textContent();
  expect(Number(chosen!.replace(/\D/g, ""))).toBeGreaterThan(0.2 * COUNT);
}, 60_000);
