/** The studio's page in a real browser, on the pocket model. Each test has a page of its own, in the same project. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import chromium from "@sparticuz/chromium";
import { type Browser, type BrowserContext, type Page, chromium as playwright } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import type { ServeOptions, Server } from "../../src/server/serve.js";
import { startServer } from "../server/server.js";

/** One for all files: they run in one process, whose end is its own. */
let launched: Promise<Browser> | undefined;

async function launch(): Promise<Browser> {
  return playwright.launch({
    executablePath: await chromium.executablePath(),
    args: chromium.args.filter((argument) => argument !== "--single-process"),
  });
}

/** What is written less of here than the page asks for: how well it is written is tested elsewhere. */
const BRIEFLY = { nAvg: 1, span: 12 };

async function writeBriefly(context: BrowserContext): Promise<void> {
  await context.route("**/studio/write", (route, request) => {
    const { options, ...body } = request.postDataJSON();
    return route.continue({ postData: { ...body, options: { ...options, ...BRIEFLY } } });
  });
}

/** Starts the studio around the tests of a file. Whatever the page complains of, or asks of other machines, fails a test. */
export function useStudio(options: Partial<ServeOptions> = {}): { page: Page; server: Server; complaints: string[] } {
  const complaints: string[] = [];
  const studio = { complaints } as ReturnType<typeof useStudio>;
  let folder: string;
  let browser: Browser;
  let context: BrowserContext;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "studio-"));
    // One thread: more of them would wait for each other where the browser works too.
    launched ??= launch();
    [browser, studio.server] = await Promise.all([
      launched,
      startServer({ project: folder, load: { threads: 1 }, ...options }),
    ]);
  }, 120_000);

  afterAll(async () => {
    await studio.server?.close();
    await rm(folder, { recursive: true });
  });

  beforeEach(async () => {
    complaints.length = 0;
    context = await browser.newContext({ viewport: { width: 1280, height: 720 }, reducedMotion: "reduce" });
    await writeBriefly(context);
    const page = await context.newPage();
    studio.page = page;
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => /^(blob:)?http/.test(request.url()) && foreign(request.url()));
    await page.goto(studio.server.url);
  });

  const foreign = (url: string) => {
    if (!url.replace(/^blob:/, "").startsWith(studio.server.url)) complaints.push(url);
  };

  afterEach(async () => {
    expect(complaints).toEqual([]);
    await context.close();
  });
  return studio;
}

/** Keeps back the next call of a path. What is returned lets it go, and waits for its answer. */
export async function keepBack(page: Page, path: string): Promise<() => Promise<void>> {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  await page.route(path, (route) => opened.then(() => route.continue()), { times: 1 });
  return async () => {
    const answered = page.waitForResponse(path);
    open();
    await (await answered).finished();
  };
}

/** What axe finds serious, by rule and the first element; `colours` alone where the rest was looked at. */
export async function seriousFindings(page: Page, what: "all" | "colours" = "all"): Promise<string[][]> {
  // There are no frames: axe needs no page of its own to join what it finds in them.
  const axe = new AxeBuilder({ page }).setLegacyMode();
  const { violations } = await (what === "all"
    ? axe
    : axe.withRules(["color-contrast", "link-in-text-block"])
  ).analyze();
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  return serious.map(({ id, nodes }) => [id, nodes[0]!.html]);
}
