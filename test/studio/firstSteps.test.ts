/** The first steps of a newcomer in a real browser, each ending in something made. */
import { expect, it } from "vitest";
import { seriousFindings, useStudio } from "./browser.js";

const studio = useStudio();

it("leads from an empty project to a plan, by keys, and remembers over a reload", async () => {
  const { page } = studio;
  const steps = page.getByRole("complementary", { name: "First steps" });
  const current = () => steps.locator("[aria-current]").textContent();
  const act = async (name: string) => {
    await expect.poll(current).toContain(name);
    const deed = steps.getByRole("button").first();
    await expect.poll(() => deed.isEnabled(), { timeout: 20_000 }).toBe(true);
    await deed.focus();
    await page.keyboard.press("Enter");
  };
  await page.getByText("Write a first sentence.").waitFor();
  expect(await seriousFindings(page)).toEqual([]);
  await act("Encode");
  await expect.poll(() => page.getByRole("treeitem").count()).toBe(1);
  await act("Blend");
  await expect.poll(() => page.getByLabel("Blend", { exact: true }).textContent()).not.toBe("");
  await act("Branch");
  await expect.poll(() => page.getByRole("treeitem").count()).toBe(4);
  await page.reload();
  await act("Map");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "To the desk" }).waitFor();
  await act("Plan");
  await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe("Plan");
  await page.keyboard.press("Enter");
  await page.getByRole("table", { name: "Waypoints" }).waitFor({ timeout: 20_000 });
  await expect.poll(() => steps.count()).toBe(0);
}, 90_000);
