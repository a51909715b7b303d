/** The engine's router as samplers see a model. */
import type { LatentSpace } from "../latent/index.js";
import type { RemoteEngine } from "../remote/remoteEngine.js";
import type { LatentModel } from "../sampling/model.js";
import type { Tokenizer } from "../tokenizer/index.js";

/** A row ends at the tokenizer's end token. */
export function routerModel(engine: RemoteEngine, tokenizer: Tokenizer, space: LatentSpace): LatentModel {
  const { maxPositions } = engine.facts;
  const stop = tokenizer.eosId === undefined ? {} : { stopId: tokenizer.eosId };
  return {
    space,
    maxPositions,
    tokenizer,
    encode: (spans, signal) =>
      engine.encode(
        spans.map((ids) => ({ ids })),
        signal,
      ),
    write: (rows, context, { ignoreEos, ...options }) =>
      engine.write(rows, {
        ...options,
        ...(ignoreEos ? {} : stop),
        beginId: tokenizer.beginId,
        writer: options.writer ?? "router",
        context,
      }),
    async score(rows, context, signal) {
      const scores = await engine.score(rows, "router", context, signal);
      return scores.map(({ logProbabilities: all }) => all.reduce((sum, value) => sum + value, 0) / all.length);
    },
  };
}
