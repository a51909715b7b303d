/** The library in a page: bundled as an app would, it works on the model of a server, and gives what it gives in Node. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { expect, it } from "vitest";
import type * as library from "../../src/browser.js";
import { importBuilt } from "../host/built.js";
import { useStudio } from "./browser.js";

const studio = useStudio();
const entry = fileURLToPath(new URL("../../dist/browser.js", import.meta.url));

/** What vite makes of the library, and what it complains of. */
async function bundle(): Promise<{ code: string; complaints: string[] }> {
  const complaints: string[] = [];
  const folder = await mkdtemp(join(tmpdir(), "bigvae-bundle-"));
  const built = await build({
    configFile: false,
    logLevel: "silent",
    root: folder,
    build: {
      write: false,
      minify: false,
      lib: { entry, formats: ["es"], fileName: () => "bigvae.js" },
      rolldownOptions: { onLog: (level, { message }) => level === "warn" && complaints.push(message) },
    },
  }).finally(() => rm(folder, { recursive: true }));
  const [first] = Array.isArray(built) ? built : [built];
  if (!first || !("output" in first)) throw new Error("vite watches");
  const chunks = first.output.flatMap((part) => (part.type === "chunk" ? [part] : []));
  for (const { fileName, code } of chunks)
    await studio.page.route(`**/${fileName}`, (route) => route.fulfill({ contentType: "text/javascript", body: code }));
  return { code: chunks.map(({ code }) => code).join("\n"), complaints };
}

it("encodes, blends, writes and samples there, and says what it cannot do", async () => {
  const { page, server } = studio;
  const { code, complaints } = await bundle();
  expect(complaints).toEqual([]);
  expect(code).not.toMatch(/["']node:/);
  const app =
    '<!doctype html><script type="module">import * as all from "./bigvae.js"; globalThis.bigvae = all</script>';
  await page.route("**/app.html", (route) => route.fulfill({ contentType: "text/html", body: app }));
  await page.goto(`${server.url}/app.html`);
  await page.waitForFunction(() => "bigvae" in globalThis);
  const use = async ({ BigVae }: typeof library, url: string) => {
    const vae = await BigVae.connect(url);
    const [fox, rain] = await vae.encode(["The fox found a lamp.", "It rained on the old bridge."]);
    const blend = await vae.decode(vae.interpolate(fox!.mean, rain!.mean, 0.5));
    const spans: string[] = [];
    const options = { prompt: "The fox found a lamp.", nSteps: 1, nAvg: 2, span: 8, seed: 3 };
    for await (const { text } of vae.generate("avg", options)) spans.push(text);
    await vae.close();
    return { mean: Array.from(fox!.mean), blend, spans };
  };
  expect(await page.evaluate(`(${use})(bigvae, ${JSON.stringify(server.url)})`)).toEqual(
    await use((await importBuilt()) as typeof library, server.url),
  );
  expect(await page.evaluate('bigvae.BigVae.load("pocket").catch(({ message }) => message)')).toBe(
    'load "pocket": expected Node, got a browser; start `bigvae serve` and connect to it with BigVae.connect(url)',
  );
}, 60_000);
