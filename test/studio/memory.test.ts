/** A memory beside the studio's project, in a real browser. */
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { post } from "../server/server.js";
import { seriousFindings, useStudio } from "./browser.js";

const folder = mkdtempSync(join(tmpdir(), "studio-memory-"));
afterAll(() => rm(folder, { recursive: true }));
const studio = useStudio({ memory: folder });
const TEXT = "The old woman opened the door. A fox stood in the snow, and it was holding a letter. ".repeat(4);
beforeAll(async () => {
  const { url } = studio.server;
  await post(`${url}/studio/type`, { text: TEXT });
  await post(`${url}/memory/add`, { records: [{ text: "The fox found a lamp." }] });
});

it("offers to recall drafts once the memory is calibrated, keeps what is written, and says what was recalled", async () => {
  const { page, server } = studio;
  const recall = page.getByRole("checkbox", { name: "Recall" });
  await recall.waitFor();
  expect(await recall.isDisabled()).toBe(true);
  const limits = await post(`${server.url}/memory/calibrate`, { texts: [TEXT], coverage: 1, nAvg: 8, seed: 1 });
  expect(limits.status, JSON.stringify(limits.body)).toBe(200);
  await page.reload();
  const files = page.getByRole("list", { name: "Files" });
  await files.getByText("1 record").waitFor();
  await recall.check();
  await page.getByLabel("How much is written").selectOption("1 span");
  const write = () => page.getByRole("button", { name: "Write on" }).click();
  await write();
  await files.getByText("2 records").waitFor();
  await page.getByRole("treeitem").first().click();
  await write();
  await files.getByText("1 recalled for the newest span").waitFor();
  // A record is a point of the map that is read where it is clicked, and no text of the tree.
  await page.getByRole("button", { name: "Table" }).click();
  expect(await page.getByRole("row").count()).toBeGreaterThan(3);
  expect(await seriousFindings(page)).toEqual([]);
}, 60_000);
