// Which tokens a latent was taken from, most first: node examples/explain.mjs "a text"
import { BigVae } from "bigvae";

const vae = await BigVae.load("pocket");
const [encoded] = await vae.encode([process.argv[2] ?? "The little fox found a shiny key under the old bridge."]);
const order = [...encoded.ids.keys()].sort((i, j) => encoded.poolWeights[j] - encoded.poolWeights[i]);
for (const i of order.slice(0, 8)) {
  console.log(`${(100 * encoded.poolWeights[i]).toFixed(1)} %`, JSON.stringify(vae.tokenizer.decode([encoded.ids[i]])));
}
await vae.close();
