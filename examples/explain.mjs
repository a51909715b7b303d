// Which tokens a latent was taken from, most first: node examples/explain.mjs "The little fox found a shiny key under the old bridge."
import { BigVae } from "bigvae";

const [text] = process.argv.slice(2);
if (!text) {
  console.error('usage: node examples/explain.mjs "a text"');
  process.exit(2);
}
const vae = await BigVae.load("pocket");
const [encoded] = await vae.encode([text]);
const order = [...encoded.ids.keys()].sort((i, j) => encoded.poolWeights[j] - encoded.poolWeights[i]);
for (const i of order.slice(0, 8)) {
  console.log(`${(100 * encoded.poolWeights[i]).toFixed(1)} %`, JSON.stringify(vae.tokenizer.decode([encoded.ids[i]])));
}
await vae.close();
