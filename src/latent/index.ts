/** Latents and the choice of tokens: pure functions. */
export * from "./latent.js";
export { greedyToken, gumbelToken, logProbability, sampleToken, type TokenChooser } from "./tokenChoice.js";
