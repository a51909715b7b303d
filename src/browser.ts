/** What of bigvae runs in a browser too: the model of a server (`BigVae.connect`), with every call and sampler of the library. */
export * from "./bigVae.js";
export { BigVaeError, type ErrorDetail, type ErrorKind } from "./errors.js";
export type { Latent } from "./latent/index.js";
export { Rng } from "./rng.js";
export type { SamplerName } from "./sampling/samplers.js";
export {
  DEFAULT_TOLERANCE,
  latentDistance,
  lineBetweenLatents,
  mergedPlans,
  type Plan,
  type Waypoint,
  waypoint,
} from "./sampling/waypoints.js";
