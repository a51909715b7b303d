/** Routes of the server's memory. */
import type { BigVae } from "../../bigVae.js";
import type { FoundRecord } from "../../memory/index.js";
import { measureRecall } from "../../operations/draftMemory.js";
import { latentsOf, type Route, route, seedOf, toLatent } from "../route.js";
import * as schemas from "../schemas/memory.js";

const show = route({
  method: "GET",
  path: "/memory",
  tag: "memory",
  summary: "What the memory holds.",
  answer: schemas.showAnswer,
  async handle({ memory }) {
    const kept = memory.get();
    return { records: await kept.count(), space: kept.space, recall: (await memory.limits()) ?? null };
  },
});

const add = route({
  method: "POST",
  path: "/memory/add",
  tag: "memory",
  summary: "Keeps texts with their latents, all of them or none.",
  body: schemas.addRequest,
  answer: schemas.addAnswer,
  example: { records: [{ text: "The fox found a lamp.", tags: ["fable"] }] },
  async handle({ model, memory, signal }, { records }) {
    const vae = model.withLatents();
    memory.get();
    const { zs } = await latentsOf(
      vae,
      records.map(({ text, z }) => z ?? text),
      signal,
    );
    const added = records.map(({ text, contextZ, z: _, ...rest }, i) => ({
      ...rest,
      ...{ text, ids: vae.tokenizer.encode(text), z: zs[i]! },
      ...(contextZ ? { contextZ: toLatent(contextZ) } : {}),
    }));
    return { ids: await memory.add(added) };
  },
});

const search = route({
  method: "POST",
  path: "/memory/search",
  tag: "memory",
  summary: "Records near to a text or a latent, by words, or by both.",
  body: schemas.searchRequest,
  answer: schemas.searchAnswer,
  example: { near: "The fox found a lamp.", count: 3 },
  names: { z: "near" },
  async handle({ model, memory, signal }, { near, latents, decode, ...query }) {
    const vae = model.withLatents();
    const kept = memory.get();
    const { zs } = await latentsOf(vae, near === undefined ? [] : [near], signal);
    const found = await kept.search({ ...query, ...(zs[0] ? { z: zs[0] } : {}) });
    return {
      found: found.map((each) => foundResult(each, latents)),
      ...(decode && found.length > 0 ? { mean: await decoded(vae, kept.centroid(found), signal) } : {}),
    };
  },
});

function foundResult({ record, similarity, relevance }: FoundRecord, latents: boolean) {
  const { id, text, ids, tags, time, score, z } = record;
  return { id, text, ids, tags, time, score, similarity, relevance, ...(latents ? { z } : {}) };
}

async function decoded(vae: BigVae, z: Float32Array, signal: AbortSignal) {
  return { z, text: await vae.decode(z, { signal }) };
}

const calibrate = route({
  method: "POST",
  path: "/memory/calibrate",
  tag: "memory",
  summary: "Measures how near a kept draft must be to stand for a new one.",
  body: schemas.calibrateRequest,
  answer: schemas.calibrateAnswer,
  async handle(context, { texts, seed, ...options }) {
    const { model, memory, signal } = context;
    const vae = model.withLatents();
    memory.get();
    const own = seedOf(context, seed);
    const limits = await measureRecall(vae, texts, { ...options, seed: own, signal });
    await memory.calibrate(limits);
    return { ...limits, seed: own };
  },
});

const remove = route({
  method: "POST",
  path: "/memory/delete",
  tag: "memory",
  summary: "Deletes records, all of them or none.",
  body: schemas.deleteRequest,
  answer: schemas.deleteAnswer,
  async handle({ memory }, { ids }) {
    const distinct = [...new Set(ids)];
    await memory.delete(distinct);
    return { deleted: distinct.length };
  },
});

export const memoryRoutes: readonly Route[] = [show, add, search, calibrate, remove];
