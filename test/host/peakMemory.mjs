/** Loads a model, encodes, writes by each adapter, and prints the peak of resident memory: node peakMemory.mjs BASE ADAPTERS FORM|QUANT */
const { BigVae } = await import(new URL("../../dist/index.js", import.meta.url));
const [, , base, adapters, form] = process.argv;
const kept = ["merged", "unmerged"].includes(form) ? { form } : { quant: form };
const vae = await BigVae.load(base, { adapters, ...kept, threads: 2 });
const ids = Array.from({ length: 32 }, (_, i) => 5 + i);
const [{ mean }] = await vae.engine.encode([{ ids }, { ids }]);
const row = { z: mean, rngKey: [1, 2, 3, 4] };
for (const writer of ["decoder", "router"])
  await vae.engine.write([row, row], { writer, context: ids, nTokens: 16, tau: 0.9 });
await vae.close();
process.stdout.write(`${process.resourceUsage().maxRSS * 1024}`);
