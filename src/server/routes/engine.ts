/** Routes of the engine itself: a model that is loaded elsewhere by `BigVae.connect` works by them. */
import type { z } from "zod";
import { type Route, route, toLatent } from "../route.js";
import * as schemas from "../schemas/engine.js";

const facts = route({
  method: "GET",
  path: "/engine",
  tag: "engine",
  summary: "What calls need to know of the model.",
  answer: schemas.factsAnswer,
  handle: ({ model }) => model.get().facts,
});

const tokenizer = route({
  method: "GET",
  path: "/engine/tokenizer",
  tag: "engine",
  summary: "What the model's tokenizer is made of.",
  answer: schemas.tokenizerAnswer,
  handle: ({ model }) => model.get().source.tokenizer(),
});

const hashes = route({
  method: "GET",
  path: "/engine/hashes",
  tag: "engine",
  summary: "What tells the model from others.",
  answer: schemas.hashesAnswer,
  handle: ({ model }) => model.get().hashes(),
});

const encode = route({
  method: "POST",
  path: "/engine/encode",
  tag: "engine",
  summary: "Posteriors of rows of tokens.",
  body: schemas.encodeRequest,
  answer: schemas.encodeAnswer,
  example: { rows: [{ ids: [10, 11, 12] }] },
  async handle({ model, signal, metrics }, { rows }) {
    for (const { ids } of rows) metrics.tokens.inc({ direction: "read" }, ids.length);
    return { rows: await model.withLatents().engine.encode(rows, signal) };
  },
});

const embed = route({
  method: "POST",
  path: "/engine/embed",
  tag: "engine",
  summary: "Means of the base's last hidden states.",
  body: schemas.embedRequest,
  answer: schemas.embedAnswer,
  example: { rows: [{ ids: [10, 11, 12] }], causal: false },
  handle: async ({ model, signal }, { rows, causal }) => ({
    rows: await model.get().engine.embed(rows, causal, signal),
  }),
});

const write = route({
  method: "POST",
  path: "/engine/write",
  tag: "engine",
  summary: "Writes rows by an adapter or the base.",
  body: schemas.writeRequest,
  answer: schemas.writeAnswer,
  example: { rows: [{ rngKey: [1, 2, 3, 4] }], options: { writer: "base", context: [10], nTokens: 4, tau: 0 } },
  async handle({ model, signal, metrics }, { rows, options }, send) {
    const onToken = (row: number, tokenId: number) => {
      metrics.tokens.inc({ direction: "written" });
      send?.({ row, tokenId }, "token");
    };
    const zs = rows.map(withLatent);
    return { rows: await model.get().engine.write(zs, { ...options, signal, onToken }) };
  },
});

const score = route({
  method: "POST",
  path: "/engine/score",
  tag: "engine",
  summary: "How likely texts are by an adapter or the base.",
  body: schemas.scoreRequest,
  answer: schemas.scoreAnswer,
  example: { rows: [{ target: [10, 11] }], writer: "base", context: [12] },
  handle: async ({ model, signal }, { rows, writer, context }) => ({
    rows: await model.get().engine.score(rows.map(withLatent), writer, context, signal),
  }),
});

type Row =
  | z.output<typeof schemas.scoreRequest>["rows"][number]
  | z.output<typeof schemas.writeRequest>["rows"][number];

/** A row with its latent as floats. */
function withLatent<Given extends Row>({ z, ...row }: Given) {
  return { ...row, ...(z ? { z: toLatent(z) } : {}) };
}

export const engineRoutes: readonly Route[] = [facts, tokenizer, hashes, encode, embed, write, score];
