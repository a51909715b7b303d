/** Routes on single texts and latents: encode, decode, reconstruct, interpolate, mix. */

import { batches } from "../../operations/batches.js";
import { lineBetween, mixOf } from "../../operations/blending.js";
import { decodedBatches, Rebuilding } from "../../operations/rebuilding.js";
import { latentsOf, type Route, route, type Send, seedOf, toLatent } from "../route.js";
import * as schemas from "../schemas/latent.js";

/** Pieces of texts as events, by the number of the text. */
const told = (send: Send | undefined, start = 0) =>
  send ? { onText: (i: number, piece: string) => send({ index: start + i, text: piece }, "token") } : {};

const encode = route({
  method: "POST",
  path: "/latent/encode",
  tag: "latents",
  summary: "Latents of texts.",
  body: schemas.encodeRequest,
  answer: schemas.encodeAnswer,
  example: { texts: ["The fox found a lamp.", "It rained."] },
  async handle({ model, signal, metrics }, { texts, confidence }) {
    const vae = model.withLatents();
    const encoded = await vae.encode(texts, signal);
    for (const { ids } of encoded) metrics.tokens.inc({ direction: "read" }, ids.length);
    const confidences = confidence ? await vae.confidence(encoded, signal) : [];
    return { latents: encoded.map((each, i) => ({ ...each, ...confidences[i] })) };
  },
});

const decode = route({
  method: "POST",
  path: "/latent/decode",
  tag: "latents",
  summary: "Texts of latents, by the decoder.",
  body: schemas.decodeRequest,
  answer: schemas.decodeAnswer,
  async handle(context, { zs, seed, stream: _, ...options }, send) {
    const vae = context.model.withLatents();
    const own = seedOf(context, seed);
    const latents = zs.map((z) => ({ z: toLatent(z) }));
    const how = { ...options, seed: own, signal: context.signal, ...told(send) };
    const texts: string[] = [];
    for await (const batch of decodedBatches(vae, latents, how)) texts.push(...batch.texts);
    return { texts, seed: own };
  },
});

const reconstruct = route({
  method: "POST",
  path: "/latent/reconstruct",
  tag: "latents",
  summary: "What comes back of texts through their latents.",
  body: schemas.reconstructRequest,
  answer: schemas.reconstructAnswer,
  example: { texts: ["The fox found a lamp."], confidence: true },
  async handle(context, { texts, tau, noise, seed, confidence }, send) {
    const vae = context.model.withLatents();
    const { signal } = context;
    const own = seedOf(context, seed);
    const rebuilding = new Rebuilding(vae, { tau, noise, seed: own });
    const reconstructions: object[] = [];
    for await (const batch of batches(texts)) {
      const encoded = await vae.encode(batch, signal);
      const { zs, texts: rebuilt } = await rebuilding.next(encoded, {
        signal,
        ...told(send, reconstructions.length),
      });
      const placed = encoded.map((each, i) => ({ ...each, z: zs[i]! }));
      const confidences = confidence ? await vae.confidence(placed, signal) : [];
      for (const [i, { text, longerThanSpan }] of encoded.entries())
        reconstructions.push({ text, reconstruction: rebuilt[i], ...confidences[i], longerThanSpan });
    }
    return { reconstructions, seed: own };
  },
});

const interpolate = route({
  method: "POST",
  path: "/latent/interpolate",
  tag: "latents",
  summary: "Texts between two texts or latents.",
  body: schemas.interpolateRequest,
  answer: schemas.interpolateAnswer,
  example: { from: "The fox found a lamp.", to: "The baker lost a key.", steps: 3 },
  async handle(context, { from, to, steps, kind, tau, cfgScale: cfg, seed }, send) {
    const vae = context.model.withLatents();
    const { signal } = context;
    const own = seedOf(context, seed);
    const { zs, longerThanSpan } = await latentsOf(vae, [from, to], signal);
    const line = lineBetween(vae, zs[0]!, zs[1]!, { steps, kind, cfg });
    const texts = await vae.decodeAll(
      line.map(({ z }) => z),
      { tau, seed: own, cfgScale: line.map(({ cfgScale }) => cfgScale), signal, ...told(send) },
    );
    return { texts: line.map(({ t, z }, i) => ({ t, text: texts[i], z })), longerThanSpan, seed: own };
  },
});

const mix = route({
  method: "POST",
  path: "/latent/mix",
  tag: "latents",
  summary: "The text of a weighted mix of texts or latents; weights may be negative.",
  body: schemas.mixRequest,
  answer: schemas.mixAnswer,
  example: {
    parts: [
      { weight: 0.7, source: "The fox found a lamp." },
      { weight: 0.3, source: "It rained." },
    ],
  },
  async handle(context, { parts, kind, tau, cfgScale: cfg, seed }, send) {
    const vae = context.model.withLatents();
    const { signal } = context;
    const own = seedOf(context, seed);
    const sources = parts.map(({ source }) => source);
    const { zs } = await latentsOf(vae, sources, signal);
    const weights = parts.map(({ weight }) => weight);
    const { z, cfgScale } = mixOf(vae, zs, weights, { kind, cfg });
    const [text] = await vae.decodeAll([z], { tau, seed: own, cfgScale, signal, ...told(send) });
    return { text, z, norm: vae.space.norm(z), seed: own };
  },
});

export const latentRoutes: readonly Route[] = [encode, decode, reconstruct, interpolate, mix];
