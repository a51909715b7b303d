// What the engine computes of one text, as tensors to compare with: node scripts/peft/values.mjs BASE ADAPTERS values.safetensors "a text"
// The first half of the text is the context, the second half is encoded, and read by decoder and router under teacher forcing.
import { parseArgs } from "node:util";
import { writeSafetensors } from "../../dist/formats/index.js";
import { openTokenizer } from "../../dist/host/modelFiles.js";
import { openEngine } from "../../dist/host/openEngine.js";

const { positionals } = parseArgs({ allowPositionals: true });
const [base, adapters, output, text = "The little fox found a shiny key under the old bridge. She took it home."] =
  positionals;
if (!output) throw new Error("usage: node scripts/peft/values.mjs BASE ADAPTERS OUTPUT [TEXT]");

const ids = (await openTokenizer(base)).encode(text);
const context = ids.slice(0, ids.length >> 1);
const target = ids.slice(context.length);
const { engine } = await openEngine({ base, adapters, threads: 1, form: "unmerged" });
const [{ mean, poolWeights }] = await engine.encode([{ ids: target }]);

/** Logits before each token of the target: [T * V]. */
async function logits(writer, before) {
  const seen = [];
  const choose = () => (row) => {
    seen.push(...row);
    return target[seen.length / row.length - 1];
  };
  const row = { z: mean, rngKey: [0, 0, 0, 0] };
  await engine.write([row], { writer, context: before, nTokens: target.length, tau: 0, choose });
  return { dtype: "F32", shape: [target.length, seen.length / target.length], data: Float32Array.from(seen) };
}

const integers = (values) => ({ dtype: "I32", shape: [values.length], data: Int32Array.from(values) });
const tensors = new Map([
  ["context", integers(context)],
  ["target", integers(target)],
  ["gap", integers([engine.vae.gap])],
  ["mean", { dtype: "F32", shape: [mean.length], data: mean }],
  ["pool_weights", { dtype: "F32", shape: [poolWeights.length], data: poolWeights }],
  ["decoder_logits", await logits("decoder", context)],
  ["decoder_logits_without_context", await logits("decoder", [])],
  ["router_logits", await logits("router", context)],
]);
await writeSafetensors(output, tensors);
await engine.close();
