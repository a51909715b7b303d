/** Latents and the choice of tokens: pure functions. */
export * from "./latent.js";
export { type LatentShape, LatentSpace } from "./latentSpace.js";
export { checkLogits, greedyToken, logProbability, sampleToken, type TokenChooser } from "./tokenChoice.js";
