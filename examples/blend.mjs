// Texts between two texts, straight and along the arc: node examples/blend.mjs "The fox found a lamp." "The baker lost a key."
import { BigVae } from "bigvae";

const [from, to] = process.argv.slice(2);
if (!from || !to) {
  console.error('usage: node examples/blend.mjs "one text" "another text"');
  process.exit(2);
}
const vae = await BigVae.load("pocket");
const [a, b] = await vae.encode([from, to]);
for (const kind of ["normLerp", "slerp"]) {
  const ts = [0, 0.25, 0.5, 0.75, 1];
  const texts = await vae.decodeAll(ts.map((t) => vae.interpolate(a.mean, b.mean, t, kind)));
  for (const [i, t] of ts.entries()) console.log(kind, t.toFixed(2), texts[i]);
}
await vae.close();
