/** From paths to an engine at work: everything that can be refused is refused here, the cheapest first. */
import { readFacts } from "../checkpoint/facts.js";
import { checkBaseHash } from "../checkpoint/hashes.js";
import { adapterBytes, adapterPlaces } from "../checkpoint/layout.js";
import { readVae, usualLosses } from "../checkpoint/vae.js";
import { Engine } from "../engine/engine.js";
import { expertBytes, readExpertAdapter } from "../expert/index.js";
import type { EngineFacts, OpenArguments } from "../remote/protocol.js";
import { settleCompute } from "./computeChoice.js";
import { openRuntime } from "./device.js";
import { int8Sample } from "./int8Sample.js";
import { availableBytes, checkExpertFits, checkFits, chooseForm, type ModelSize } from "./memory.js";
import { openTokenizer, openWeights, readConfig } from "./modelFiles.js";
import { packedImages } from "./packedImages.js";

/** Throws "unsupported" for the architecture or the device, "memory" before anything is allocated, then as openWeights, checkBaseHash and readVae do. */
export async function openEngine(args: OpenArguments): Promise<{ engine: Engine; facts: EngineFacts }> {
  const {
    base: basePath,
    adapters,
    threads,
    quant = "none",
    compute: choice = "fp32",
    device = "cpu",
    memoryBytes = Number.POSITIVE_INFINITY,
  } = args;
  const config = await readConfig(basePath);
  const available = Math.min(availableBytes(), memoryBytes);
  const size = { config, ...(await adaptersSize(adapters)) };
  const fitting = args.form ?? chooseForm(size, available);
  const runtime = await openRuntime({ threads, device });
  const compute = await settleCompute(choice, quant, config, { runtime, threads, fits: fitting === "merged" });
  const form = compute === "int8" ? "merged" : fitting;
  const kept = quant === "none" ? form : quant;
  checkFits(size, kept, available);
  const base = await openWeights(basePath, quant);
  const open = async () => {
    const images = await packedImages(basePath, quant);
    await checkBaseHash({ base: basePath, adapters });
    const vae = adapters === undefined ? undefined : await readVae(adapters, base);
    const tokenizer = compute === "int8" ? await openTokenizer(basePath) : undefined;
    const sample = tokenizer && (await int8Sample(runtime, tokenizer, config.maxPositionEmbeddings));
    let isFirst = true;
    const loadExpert = async (folder: string) => {
      const bytes = await expertBytes(folder);
      checkExpertFits(config, kept, bytes, isFirst, Math.min(availableBytes(), memoryBytes));
      isFirst = false;
      return readExpertAdapter(folder, base.config);
    };
    const engine = new Engine({ runtime, base, vae, form, images, int8Sample: sample, loadExpert });
    await engine.prepare();
    return { engine, vae };
  };
  const { engine, vae } = await open().catch(async (error) => {
    await base.weights.close();
    throw error;
  });
  const usual = vae && usualLosses(vae.facts);
  const facts: EngineFacts = {
    maxPositions: engine.maxPositions,
    hiddenSize: config.hiddenSize,
    zDim: vae?.zDim ?? 0,
    width: engine.space?.width ?? 0,
    slots: vae?.slots ?? 1,
    span: vae?.span ?? 64,
    adapters: Object.fromEntries(Object.entries(vae?.adapters ?? {}).map(([name, { role }]) => [name, role])),
    aeScale: vae?.facts.ae_scale ?? 1,
    ...(usual ? { usualLosses: usual } : {}),
  };
  return { engine, facts };
}

/** What the adapters add to the size of a model. */
async function adaptersSize(folder: string | undefined): Promise<Omit<ModelSize, "config">> {
  if (folder === undefined) return { adapterBytes: 0 };
  const { slots = 1 } = await readFacts(folder);
  const { length: adapters } = await adapterPlaces(folder);
  return { adapterBytes: await adapterBytes(folder), adapters, slots };
}
