/** Loads a model, uses it, closes it, again and again; prints the resident memory after each: node --expose-gc cycles.mjs FOLDER COUNT */
import { setTimeout as wait } from "node:timers/promises";

const { BigVae } = await import(new URL("../../dist/index.js", import.meta.url));
const [, , folder, count] = process.argv;
const rss = [];
for (let i = 0; i < Number(count); i++) {
  const vae = await BigVae.load(`${folder}/base`, { adapters: `${folder}/adapters`, threads: 2 });
  const [{ mean }] = await vae.encode(["The river ran past the mill."]);
  await vae.decode(mean, { nTokens: 4 });
  await vae.continue(mean, { context: "One day", nTokens: 4 });
  await vae.close();
  globalThis.gc();
  await wait(10);
  rss.push(process.memoryUsage.rss());
}
process.stdout.write(JSON.stringify(rss));
