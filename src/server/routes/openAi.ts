/** /v1/models and /v1/embeddings, in OpenAI's shape. */
import type { BigVae } from "../../bigVae.js";
import { RequestError } from "../failures.js";
import { checkModel, rowsOf } from "../inputs.js";
import { type Route, route } from "../route.js";
import * as schemas from "../schemas/openAi.js";
import { completions } from "./completions.js";

const models = route({
  method: "GET",
  path: "/v1/models",
  tag: "OpenAI",
  summary: "The model that is served.",
  answer: schemas.modelsAnswer,
  handle: ({ model }) => ({
    object: "list",
    data: [{ id: model.name, object: "model", created: 0, owned_by: "bigvae" }],
  }),
});

const embeddings = route({
  method: "POST",
  path: "/v1/embeddings",
  tag: "OpenAI",
  summary: "Texts as vectors: means of their latents, or of the hidden states where the model is a base alone.",
  body: schemas.embeddingsRequest,
  answer: schemas.embeddingsAnswer,
  example: { model: "pocket", input: ["The fox found a lamp.", "It rained."] },
  async handle({ model, signal, metrics }, { model: asked, input, encoding_format, dimensions }) {
    checkModel(model, asked);
    const vae = model.get();
    const rows = rowsOf(vae, input);
    const means = await meansOf(vae, rows, signal);
    const tokens = rows.reduce((sum, ids) => sum + ids.length, 0);
    metrics.tokens.inc({ direction: "read" }, tokens);
    return {
      object: "list",
      model: model.name,
      data: means.map((mean, index) => {
        const values = dimensions === undefined ? mean : firstValues(mean, dimensions);
        return {
          object: "embedding",
          index,
          embedding: encoding_format === "base64" ? base64(values) : Array.from(values),
        };
      }),
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    };
  },
});

async function meansOf(vae: BigVae, rows: readonly number[][], signal: AbortSignal): Promise<Float32Array[]> {
  const { engine, tokenizer, facts } = vae;
  if (Object.keys(facts.adapters).length > 0) {
    const encodings = await engine.encode(
      rows.map((ids) => ({ ids })),
      signal,
    );
    return encodings.map(({ mean }) => mean);
  }
  const { beginId, eosId } = tokenizer;
  const begin = beginId === undefined || beginId === eosId ? [] : [beginId];
  return engine.embed(
    rows.map((ids) => ({ ids: [...begin, ...ids], skip: begin.length })),
    false,
    signal,
  );
}

/** The first values, at length 1. Throws a 400 where there are fewer. */
function firstValues(mean: Float32Array, dimensions: number): Float32Array {
  if (dimensions > mean.length)
    throw new RequestError(400, "invalid_value", {
      subject: "`dimensions`",
      expected: `at most ${mean.length}, the values of an embedding`,
      got: dimensions,
      remedy: "leave it out for all",
    });
  const first = mean.slice(0, dimensions);
  const norm = Math.hypot(...first) || 1;
  return first.map((value) => value / norm);
}

/** Float32, little endian. */
function base64(values: Float32Array): string {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) bytes.writeFloatLE(value, 4 * i);
  return bytes.toString("base64");
}

export const openAiRoutes: readonly Route[] = [models, embeddings, completions];
