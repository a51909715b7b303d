/** The routes of a server without a studio, by their methods. */
export const PATHS = {
  get: [
    "/engine",
    "/engine/hashes",
    "/engine/tokenizer",
    "/healthz",
    "/memory",
    "/metrics",
    "/openapi.json",
    "/readyz",
    "/strategy",
    "/v1/models",
  ],
  post: ["/check-tokens", "/generate", "/vae-guided", "/v1/embeddings", "/v1/completions"].concat(
    "encode decode reconstruct interpolate mix generate plan trace".split(" ").map((name) => `/latent/${name}`),
    "encode embed write score".split(" ").map((name) => `/engine/${name}`),
    "add search calibrate delete".split(" ").map((name) => `/memory/${name}`),
    "make edit merge show".split(" ").map((name) => `/plan/${name}`),
    "save show remove merge".split(" ").map((name) => `/strategy/${name}`),
  ),
};
