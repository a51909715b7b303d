/** The studio in a real browser, on the pocket model. */
import type { Locator, Page } from "playwright-core";
import { beforeEach, expect, it } from "vitest";
import { post } from "../server/server.js";
import { keepBack, seriousFindings, useStudio } from "./browser.js";

const studio = useStudio();
let page: Page;
beforeEach(() => {
  page = studio.page;
});

const PATIENCE = { timeout: 10_000 };

const tree = () => page.getByRole("treeitem");
const text = () => page.getByRole("region", { name: "Text" });

it("begins with an invitation, writes branches from a typed sentence, and keeps them over a reload", async () => {
  await page.getByText("Write a first sentence.").waitFor();
  await page.getByLabel("Your text").fill("The old woman opened the door. A fox stood in the snow.");
  await page.keyboard.press("Enter");
  await tree().first().waitFor();
  await page.getByLabel("How much is written").selectOption("1 span");
  await page.getByRole("button", { name: "Branch ×3" }).click();
  // They are written at the same time, and are kept when they are done.
  await expect.poll(() => tree().count(), { timeout: 20_000 }).toBe(4);
  await expect.poll(() => page.getByText("writing", { exact: true }).count(), { timeout: 60_000 }).toBe(0);
  const branches = await page.locator(".branch").allTextContents();
  expect(new Set(branches).size).toBe(3);
  for (const branch of branches) expect(branch.trim().length).toBeGreaterThan(10);
  await page.reload();
  await expect.poll(() => tree().count()).toBe(4);
  await page.locator(".branch").nth(1).click();
  await expect.poll(() => text().textContent()).toContain(branches[1]!.trim().slice(0, 30));
}, 90_000);

it("is worked by keys alone: moves in the tree, titles, rates, removes, undoes, searches", async () => {
  await page.getByLabel("Your text").focus();
  await page.keyboard.type("A lamp burned in the window.");
  await page.keyboard.press("Enter");
  const own = tree().filter({ hasText: "A lamp burned" });
  await own.waitFor();
  await own.focus();
  const marks: object[] = [];
  page.on("request", (request) => {
    if (request.url().endsWith("/mark")) marks.push(request.postDataJSON().marks);
  });
  await page.keyboard.press("F2");
  await page.keyboard.type("Not a title");
  await page.keyboard.press("Escape");
  await page.keyboard.press("F2");
  await page.keyboard.type("The lamp");
  await page.keyboard.press("Enter");
  const titled = tree().filter({ hasText: "The lamp" });
  await titled.waitFor();
  // With Ctrl or Alt, keys are the browser's: they zoom, and go back.
  const desk = page.getByRole("tab", { name: "Desk" });
  type Shortcut = { key: string; ctrlKey?: true; altKey?: true };
  const shortcuts: [Locator, Shortcut][] = [
    [titled, { key: "-", ctrlKey: true }],
    [titled, { key: "ArrowLeft", altKey: true }],
    [titled, { key: "/", ctrlKey: true }],
    [page.getByRole("application"), { key: "-", ctrlKey: true }],
    [desk, { key: "ArrowRight", altKey: true }],
  ];
  for (const [on, shortcut] of shortcuts) {
    const press = (element: Element, init: Shortcut) =>
      element.dispatchEvent(new KeyboardEvent("keydown", { ...init, bubbles: true, cancelable: true }));
    expect(await on.evaluate(press, shortcut)).toBe(true);
  }
  expect(await desk.getAttribute("aria-selected")).toBe("true");
  await titled.press("+");
  await titled.getByText("rated").waitFor({ state: "attached" });
  expect(marks).toEqual([{ title: "The lamp" }, { rating: 1 }]);
  const count = await tree().count();
  await page.keyboard.press("Delete");
  await expect.poll(() => tree().count()).toBe(count - 1);
  await page.keyboard.press("Control+z");
  await expect.poll(() => tree().count()).toBe(count);
  await page.keyboard.press("Control+z");
  await expect.poll(() => titled.getByText("rated").count()).toBe(0);
  await page.keyboard.press("Home");
  await page.keyboard.press("/");
  const letGo = await keepBack(page, "**/studio/search");
  await page.keyboard.type("l");
  await page.keyboard.press("Escape");
  await letGo();
  expect(await page.getByRole("search").getByRole("listitem").count()).toBe(0);
  await page.keyboard.type("lamp burn");
  await page.getByRole("search").getByRole("listitem").first().waitFor();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect.poll(() => text().textContent()).toContain("A lamp burned in the window.");
}, 60_000);

it("begins nothing while the end of the text is being written", async () => {
  const { url } = studio.server;
  const { id: parent } = (await post(`${url}/studio/type`, { text: "The tide went out." })).body;
  const options = { nSteps: 64, span: 64, nAvg: 1 };
  const { nodes } = (await post(`${url}/studio/write`, { parent, sampler: "avg", branches: 1, options })).body;
  const begun: string[] = [];
  page.on("request", (request) => {
    if (/\/(write|type)$/.test(request.url())) begun.push(request.postDataJSON().text);
  });
  await page.locator(`#node-${nodes[0]}`).click();
  const composer = page.getByLabel("Your text");
  const add = page.getByRole("button", { name: "Add", exact: true });
  await composer.press("Enter");
  await composer.fill("A boat lay in the mud.");
  expect(await add.isDisabled()).toBe(true);
  await composer.press("Enter");
  await page.getByRole("button", { name: "Stop" }).click();
  await expect.poll(() => add.isEnabled()).toBe(true);
  expect(begun).toEqual([]);
  // Twice, before the first one is answered.
  await composer.evaluate((field) => {
    const press = () => field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
    press();
    press();
  });
  await tree().getByText("A boat lay in the mud.").waitFor();
  expect(begun).toEqual([expect.stringContaining("A boat lay in the mud.")]);
}, 60_000);

it("shows a text that is being written without a gap, though it loads meanwhile", async () => {
  const { url } = studio.server;
  const state = async () => (await fetch(`${url}/studio/state`)).json();
  const { id: parent } = (await post(`${url}/studio/type`, { text: "The snow lay deep." })).body;
  const options = { nSteps: 12, span: 64, nAvg: 1 };
  const { nodes } = (await post(`${url}/studio/write`, { parent, sampler: "avg", branches: 1, options })).body;
  const written = async () => {
    const { nodes: all, writing } = await state();
    const of = (list: { id?: number; node?: number; text: string }[]) =>
      list.find(({ id, node = id }) => node === nodes[0])?.text ?? "";
    return of(all) + of(writing);
  };
  await expect.poll(async () => (await written()).length, PATIENCE).toBeGreaterThan(0);
  let letGo = () => {};
  const opened = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const answered = new Promise<void>((resolve) =>
    page.route(
      "**/studio/state",
      async (route) => {
        const response = await route.fetch();
        resolve();
        await opened;
        await route.fulfill({ response });
      },
      { times: 1 },
    ),
  );
  await page.goto(`${url}/#node-${nodes[0]}`);
  await page.reload();
  await answered;
  const before = (await written()).length;
  await expect.poll(async () => (await written()).length, PATIENCE).toBeGreaterThan(before + 40);
  letGo();
  const passage = text().locator(".text");
  // Behind a text with others beside it there is which of them it is.
  const shown = async () =>
    /The snow lay deep\.(?:\d+\/\d+)?(.*)/s.exec((await passage.textContent())!)?.[1]?.trimEnd() ?? "";
  await expect.poll(async () => (await shown()).length, PATIENCE).toBeGreaterThan(before + 40);
  const seen = await shown();
  expect((await written()).slice(0, seen.length)).toBe(seen);
  await post(`${url}/studio/stop`, { node: nodes[0] });
}, 60_000);

it("shows nothing of what stands behind a removed text, and begins anew after the last one", async () => {
  const { url } = studio.server;
  const nodes = async () =>
    (await (await fetch(`${url}/studio/state`)).json()).nodes as { id: number; parent?: number; removed: boolean }[];
  const first = (await nodes()).filter(({ parent, removed }) => parent === undefined && !removed);
  for (const { id } of first) await post(`${url}/studio/mark`, { node: id, marks: { removed: true } });
  const { id: parent } = (await post(`${url}/studio/type`, { text: "A bell rang." })).body;
  await post(`${url}/studio/type`, { text: " Nobody came.", parent });
  await expect.poll(() => tree().count()).toBe(2);
  await page.getByRole("button", { name: "Table" }).click();
  const rows = page.getByRole("region", { name: "Spans" }).locator("tbody tr");
  await expect.poll(() => rows.count()).toBe(2);
  await rows.last().getByRole("checkbox").check();
  await page.getByText("1 chosen").waitFor();
  await tree().last().click();
  await expect.poll(() => text().textContent()).toContain("A bell rang. Nobody came.");
  await tree().first().focus();
  await page.keyboard.press("Delete");
  await page.getByText("Write a first sentence.").waitFor();
  expect([await tree().count(), await rows.count(), await page.getByText(/\d chosen/).count()]).toEqual([0, 0, 0]);
  await page.reload();
  await page.getByText("Write a first sentence.").waitFor();
  await page.getByLabel("Your text").fill("A door opened.");
  await page.keyboard.press("Enter");
  await tree().getByText("A door opened.").waitFor();
  expect((await nodes()).at(-1)!.parent).toBeUndefined();
  await post(`${url}/studio/mark`, { node: parent, marks: { removed: false } });
  await expect.poll(() => tree().count()).toBe(3);
}, 60_000);

it("blends on the desk while a slider moves, and reads a place of the map", async () => {
  for (const item of ["The fox ran home.", "The baker lost a key."]) {
    await page.getByLabel("A text for the desk").fill(item);
    await page.keyboard.press("Enter");
  }
  const blend = page.getByLabel("Blend");
  await expect.poll(() => blend.textContent()).not.toBe("");
  const slider = page.getByLabel("Weight of “The fox ran home.”");
  await slider.focus();
  // One text alone comes back as it is.
  const other = page.getByLabel("Weight of “The baker lost a key.”");
  await other.fill("0");
  await expect.poll(() => blend.textContent()).toBe("The fox ran home.");
  await slider.fill("0");
  await other.fill("1");
  await expect.poll(() => blend.textContent()).toBe("The baker lost a key.");
  const canvas = (await page.locator("canvas").last().boundingBox())!;
  await page.mouse.click(canvas.x + canvas.width / 3, canvas.y + canvas.height / 3);
  await page.getByRole("button", { name: "To the desk" }).click();
  await expect.poll(() => page.locator("section[aria-label=Desk] li").count()).toBe(3);
}, 60_000);

it("waits for a server that is loading its model, or is gone, and goes on by itself", async () => {
  await page.route("**/studio/*", (route) => route.fulfill({ status: 503, json: { error: { message: "loading" } } }));
  await page.reload();
  await page.getByText("The model is being loaded").waitFor();
  await page.unroute("**/studio/*");
  await tree().first().waitFor();
  await page.getByText("goes on by itself").waitFor({ state: "detached" });
  expect(await page.getByRole("alert").count()).toBe(0);
  studio.complaints.length = 0;
}, 60_000);

it.each(["light", "dark"] as const)(
  "has nothing serious for axe to say, in %s",
  async (colorScheme) => {
    // The schemes differ in their colours alone.
    const what = colorScheme === "light" ? "all" : "colours";
    await page.emulateMedia({ colorScheme });
    await tree().first().waitFor();
    for (const open of [
      async () => {},
      () => page.getByRole("button", { name: "Table" }).click(),
      () => page.keyboard.press("?"),
    ]) {
      await open();
      expect(await seriousFindings(page, what)).toEqual([]);
    }
  },
  60_000,
);
