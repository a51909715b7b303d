/** Line, plans, explanations and training runs in a real browser. */
import { mkdtempSync } from "node:fs";
import { appendFile, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { post } from "../server/server.js";
import { keepBack, seriousFindings, useStudio } from "./browser.js";

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

it("explains a text: shading, what comes back, the nearest spans", async () => {
  await page.getByRole("tab", { name: "Explain" }).click();
  // Erased before it is answered.
  await page.route("**/studio/explain", () => {}, { times: 1 });
  const asked = page.waitForRequest("**/studio/explain");
  await panel().getByLabel("Text").fill("The fox");
  await asked;
  await panel().getByText("Reading …").waitFor();
  await panel().getByLabel("Text").fill("");
  await panel().getByText("Reading …").waitFor({ state: "detached" });
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

describe("a plan", () => {
  const rows = () => panel().getByRole("table", { name: "Waypoints" }).locator("tbody tr");
  const texts = () => rows().locator("td:nth-child(2)").allTextContents();
  const handle = (number: number) => page.getByRole("button", { name: new RegExp(`^Waypoint ${number}:`) });
  const plans = async () => (await (await fetch(`${studio.server.url}/studio/map`)).json()).plans;
  const waypoints = async () => (await plans()).at(-1).waypoints as { x: number; y: number; text: string }[];
  const marks = () => page.getByRole("region", { name: "Text" }).getByRole("button", { name: /^For .*waypoint/ });

  it("is made, moved, edited, cut and taken back by keys", async () => {
    await page.getByRole("tab", { name: "Desk" }).focus();
    for (const name of ["Line", "Plan"]) {
      await page.keyboard.press("ArrowRight");
      expect(await page.getByRole("tab", { name }).getAttribute("aria-selected")).toBe("true");
    }
    await panel().getByLabel("Waypoints").selectOption("3 waypoints");
    await panel().getByLabel("To", { exact: true }).focus();
    await page.keyboard.type("They were all safe at home.");
    await page.keyboard.press("Enter");
    await expect.poll(() => rows().count(), { timeout: 20_000 }).toBe(3);
    expect((await texts())[2]).toBe("They were all safe at home.");
    const before = (await waypoints())[1]!;
    await handle(2).focus();
    for (let i = 0; i < 3; i++) await page.keyboard.press("ArrowRight");
    await expect.poll(async () => (await waypoints())[1]!.x).toBeGreaterThan(before.x);
    expect((await waypoints())[1]!.y).toBeCloseTo(before.y, 2);
    await page.keyboard.press("Delete");
    await expect.poll(() => rows().count()).toBe(2);
    // The next one has the focus.
    await expect.poll(() => handle(2).evaluate((button) => button === document.activeElement)).toBe(true);
    await page.keyboard.press("Control+z");
    await expect.poll(() => rows().count()).toBe(3);
    await page.keyboard.press("Control+z");
    await expect.poll(async () => (await waypoints())[1]!.x).toBeCloseTo(before.x, 3);
    await handle(1).focus();
    await page.keyboard.press("Enter");
    const editor = panel().getByRole("group", { name: "Waypoint 1" });
    await editor.getByLabel("Text of waypoint 1").fill("The wind blew all night.");
    await page.keyboard.press("Enter");
    await expect.poll(async () => (await texts())[0]).toBe("The wind blew all night.");
    await editor.getByLabel("Tolerance").fill("0.3");
    await page.keyboard.press("Enter");
    await editor.getByRole("button", { name: "Insert before waypoint 1" }).press("Enter");
    await expect.poll(() => rows().count()).toBe(4);
    expect((await plans()).at(-1)).toMatchObject({
      waypoints: { 1: { text: "The wind blew all night.", tolerance: 0.3 } },
    });
  }, 60_000);

  it("is dragged on the map, and a waypoint takes the latent of its place", async () => {
    await page.getByRole("tab", { name: "Plan" }).click();
    const box = (await handle(2).boundingBox())!;
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const canvas = (await page.locator("canvas").last().boundingBox())!;
    const target = { x: canvas.x + 0.3 * canvas.width, y: canvas.y + 0.4 * canvas.height };
    const changed = page.waitForResponse("**/studio/plan/edit");
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move((x + target.x) / 2, (y + target.y) / 2);
    await page.mouse.move(target.x, target.y);
    await page.mouse.up();
    const { at } = (await changed).request().postDataJSON();
    const { text } = (await post(`${studio.server.url}/studio/place`, at)).body;
    await expect.poll(async () => (await texts())[1]).toBe(text);
    const [, moved] = await waypoints();
    expect(moved).toMatchObject({ x: expect.closeTo(at.x, 3), y: expect.closeTo(at.y, 3), text });
    const now = (await handle(2).boundingBox())!;
    expect(Math.hypot(now.x + now.width / 2 - target.x, now.y + now.height / 2 - target.y)).toBeLessThan(3);
    expect(await seriousFindings(page)).toEqual([]);
    // Another one is clicked before the move of the first is answered.
    const before = await waypoints();
    const letGo = await keepBack(page, "**/studio/plan/edit");
    await handle(1).hover();
    await page.mouse.down();
    await page.mouse.move(target.x + 40, target.y + 30, { steps: 2 });
    await page.mouse.up();
    await handle(2).click();
    await letGo();
    await handle(2).hover();
    await page.locator(".tip").waitFor();
    await post(`${studio.server.url}/studio/turn`, { direction: "undo" });
    const distance = async () => {
      const { x, y } = (await handle(1).boundingBox())!;
      return Math.hypot(x - target.x - 40, y - target.y - 30);
    };
    await expect.poll(distance).toBeGreaterThan(25);
    // A key has moved one when the answer to another comes.
    const letGoOn = await keepBack(page, "**/studio/plan/edit");
    const asked = page.waitForRequest("**/studio/plan/edit");
    await handle(3).press("ArrowRight");
    await asked;
    await handle(1).press("ArrowRight");
    await letGoOn();
    for (const i of [0, 2]) await expect.poll(async () => (await waypoints())[i]!.x).toBeGreaterThan(before[i]!.x);
  }, 60_000);

  it("has two waypoints dragged at once, by two fingers and before the first one is kept", async () => {
    await page.getByRole("tab", { name: "Plan" }).click();
    const middle = async (number: number) => {
      const { x, y, width, height } = (await handle(number).boundingBox())!;
      return { x: x + width / 2, y: y + height / 2 };
    };
    const answered = (count: number) => {
      let open = count;
      return page.waitForResponse((response) => response.url().endsWith("/studio/plan/edit") && --open === 0);
    };
    const far = async (number: number, to: { x: number; y: number }) => {
      const { x, y } = await middle(number);
      return Math.hypot(x - to.x, y - to.y);
    };
    const { x, y, width, height } = (await page.locator("canvas").last().boundingBox())!;
    const at = (right: number, down: number) => ({ x: x + right * width, y: y + down * height });
    const [first, second] = [at(0.3, 0.3), at(0.7, 0.7)];
    const touch = await page.context().newCDPSession(page);
    const send = (type: "touchStart" | "touchMove" | "touchEnd", points: { x: number; y: number }[]) =>
      touch.send("Input.dispatchTouchEvent", { type, touchPoints: points.map((point, id) => ({ ...point, id })) });
    const both = answered(2);
    await send("touchStart", [await middle(1), await middle(2)]);
    await send("touchMove", [at(0.4, 0.4), at(0.6, 0.6)]);
    await send("touchMove", [first, second]);
    await send("touchEnd", []);
    await both;
    await expect.poll(() => far(1, first)).toBeLessThan(3);
    await expect.poll(() => far(2, second)).toBeLessThan(3);
    const drag = async (number: number, to: { x: number; y: number }) => {
      await handle(number).hover();
      await page.mouse.down();
      await page.mouse.move(to.x, to.y, { steps: 3 });
      await page.mouse.up();
    };
    const letGo = await keepBack(page, "**/studio/plan/edit");
    const [third, fourth] = [at(0.6, 0.3), at(0.3, 0.7)];
    await drag(1, third);
    await drag(2, fourth);
    // The first one is not kept, and stays where it was put.
    expect(await far(1, third)).toBeLessThan(3);
    await letGo();
    await expect.poll(() => far(1, third)).toBeLessThan(3);
    await expect.poll(() => far(2, fourth)).toBeLessThan(3);
    await page.reload();
    await page.getByRole("tab", { name: "Plan" }).click();
    const [one, two] = await waypoints();
    expect([one!.text, two!.text]).toEqual((await texts()).slice(0, 2));
  }, 60_000);

  it("is written along: each span says which waypoint it was for, over a reload and in an export", async () => {
    await page.getByRole("tab", { name: "Plan" }).click();
    await panel().getByRole("button", { name: "Write along", exact: true }).click();
    await marks().first().waitFor({ timeout: 20_000 });
    await page.getByRole("button", { name: "Stop" }).waitFor({ state: "detached", timeout: 40_000 });
    const names = await marks().evaluateAll((buttons) => buttons.map((button) => button.getAttribute("aria-label")!));
    expect(names[0]).toMatch(/^For waypoint 1, try 1: (not )?reached \([\d.]+ away, (not )?within [\d.]+\)$/);
    await expect.poll(() => rows().first().locator("td:last-child").textContent()).toMatch(/^[✓–] \d\.\d\d$/);
    // A waypoint is known by its latent, wherever it has come to stand.
    const outcome = async (row: number) => rows().nth(row).locator("td:last-child").textContent();
    const passed = await outcome(0);
    const [{ id }] = await plans();
    await post(`${studio.server.url}/studio/plan/edit`, { plan: id, number: 1, insert: true, text: "A bird sang." });
    await expect.poll(() => rows().count()).toBe(5);
    expect([await outcome(0), await outcome(1)]).toEqual(["", passed]);
    await post(`${studio.server.url}/studio/turn`, { direction: "undo" });
    await page.reload();
    await expect.poll(() => marks().count()).toBe(names.length);
    await marks().first().click();
    expect(await page.getByRole("tab", { name: "Plan" }).getAttribute("aria-selected")).toBe("true");
    await panel().getByRole("group", { name: "Waypoint 1" }).waitFor();
    await page.emulateMedia({ colorScheme: "dark" });
    expect(await seriousFindings(page, "colours")).toEqual([]);
    const file = await (await fetch(`${studio.server.url}/studio/export`)).json();
    expect(file.plans).toHaveLength(1);
    expect(file.plans[0].waypoints).toHaveLength(4);
    await panel().getByRole("button", { name: "Remove plan" }).click();
    await panel().getByText("Places of the map that the text is to pass").waitFor();
  }, 60_000);

  it("is found by search, which tells how far it is and can be stopped", async () => {
    await page.getByRole("tab", { name: "Plan" }).click();
    await panel().getByLabel("By").selectOption("By search");
    await panel().getByLabel("To", { exact: true }).fill("They were all safe at home.");
    await panel().getByLabel("Waypoints").selectOption("8 waypoints");
    await panel().getByRole("button", { name: "Plan", exact: true }).click();
    await panel()
      .getByText(/^Searching, 1 of 7: /)
      .waitFor({ timeout: 20_000 });
    await panel().getByRole("button", { name: "Stop" }).click();
    await expect.poll(() => panel().getByRole("button", { name: "Plan", exact: true }).isEnabled()).toBe(true);
    expect(
      await panel()
        .getByText(/^Searching/)
        .count(),
    ).toBe(0);
    await panel().getByLabel("By").selectOption("A text a line");
    await panel().getByLabel("Texts").fill("A storm came up.\nThey all came home.");
    await panel().getByRole("button", { name: "Plan", exact: true }).click();
    await expect.poll(texts).toEqual(["A storm came up.", "They all came home."]);
  }, 60_000);

  it("is made by analogy, and merged with another one, mixed or behind it", async () => {
    await page.getByRole("tab", { name: "Plan" }).click();
    await panel().getByLabel("By").selectOption("By analogy");
    await panel().getByLabel("As", { exact: true }).fill("The king was sad.");
    await panel().getByLabel("To", { exact: true }).fill("The king was happy.");
    await panel().getByRole("button", { name: "Plan", exact: true }).click();
    await expect.poll(() => rows().count()).toBe(1);
    await panel().getByLabel("Merge with").selectOption("They all came home.");
    expect(await seriousFindings(page)).toEqual([]);
    await panel().getByRole("button", { name: "Append" }).click();
    await expect.poll(async () => (await texts()).slice(1)).toEqual(["A storm came up.", "They all came home."]);
    expect((await plans()).at(-1).title).toBe("The king was happy. → They all came home.");
    await panel().getByLabel("Merge with").selectOption("They all came home.");
    await panel().getByRole("button", { name: "Mix" }).click();
    await expect
      .poll(async () => (await plans()).at(-1).title)
      .toMatch(/^The king was happy. → .* \+ They all came home.$/);
    await expect.poll(() => rows().count()).toBe(3);
    // A waypoint of one plan is none of another.
    await rows().first().getByRole("button").click();
    const editor = panel().getByRole("group", { name: "Waypoint 1" });
    await editor.waitFor();
    const title = panel().getByLabel("Shown plan").locator("option:checked");
    const removed = await title.textContent();
    await panel().getByRole("button", { name: "Remove plan" }).click();
    await expect.poll(() => title.textContent()).not.toBe(removed);
    expect(await editor.count()).toBe(0);
  }, 60_000);
});

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

it("draws runs while they are written, side by side with what differs; asks every three seconds", async () => {
  const asked: { body: string | null; at: number }[] = [];
  page.on("request", (request) => {
    if (request.url().endsWith("/runs")) asked.push({ body: request.postData(), at: performance.now() });
  });
  await page.getByRole("tab", { name: "Runs" }).click();
  await panel().getByText(`No training runs in ${folder}`).waitFor();
  await begin("slow", 0.0001);
  const log = await begin("fast", 0.001);
  await panel().getByText("vae, step 1,000, 2.001").waitFor();
  // What went wrong stays told while the page goes on by itself.
  await page.route("**/studio/turn", (route) => route.fulfill({ status: 500, json: { error: { message: "Lost." } } }));
  await page.keyboard.press("Control+z");
  const notice = page.getByRole("alert").getByText("Lost.");
  await notice.waitFor();
  studio.complaints.length = 0;
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
  expect(await notice.count()).toBe(1);
  const pauses = asked.slice(1).flatMap(({ body, at }, i) => (body === asked[i]!.body ? [at - asked[i]!.at] : []));
  expect(pauses.length).toBeGreaterThan(0);
  expect(Math.min(...pauses)).toBeGreaterThan(2500);
  await panel().getByRole("checkbox", { name: "slow" }).focus();
  await page.keyboard.press("Space");
  await expect.poll(() => panel().locator("polyline").count()).toBe(2);
  expect(await panel().getByRole("row").allTextContents()).toEqual(["optionfastslow", "lr0.0010.0001"]);
  await panel().getByLabel("Curve").selectOption("held out: shuffled");
  await panel().getByText("2.50 to 2.50").waitFor();
  expect(await seriousFindings(page)).toEqual([]);
}, 60_000);
