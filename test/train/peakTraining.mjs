/** Trains a VAE to the end and prints the peak of resident memory in bytes: node peakTraining.mjs OPTIONS, as JSON. */
const { trainVae } = await import(new URL("../../dist/train/index.js", import.meta.url));
await trainVae(JSON.parse(process.argv[2]));
process.stdout.write(`${process.resourceUsage().maxRSS * 1024}`);
