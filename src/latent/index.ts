/** Latents and the choice of tokens: pure functions. */

export { EVEN_SCALE, mixScale } from "./guidance.js";
export { checkSameSpace, isSpaceIdentity, type SpaceIdentity, spaceOf } from "./identity.js";
export { kMeans } from "./kMeans.js";
export * from "./latent.js";
export { type LatentShape, LatentSpace } from "./latentSpace.js";
export {
  COMPARED_BY,
  type ComparedBy,
  centredKeys,
  FIRST_CHOICE,
  type Found,
  type FoundLatent,
  LatentSearch,
  nearest,
} from "./search.js";
export { cutToLength, writeLimit } from "./textLength.js";
export { checkLogits, classifierFree, greedyToken, logNormalizer, sampleToken } from "./tokenChoice.js";
