/** bigvae: work in the latent space of a language model. */
import "./oldNode.js";

export * from "./bigVae.js";
export { BigVaeError, type ErrorDetail, type ErrorKind, EXIT_CODES } from "./errors.js";
export { type NamedLatent, readLatents, writeLatents } from "./host/latentFiles.js";
export type { Latent } from "./latent/index.js";
export { Rng } from "./rng.js";
export type { SamplerName } from "./sampling/samplers.js";
