/** The tables of all runs. */
import { BASE_OPTIONS } from "./base.js";
import { EXPERT_OPTIONS } from "./expert.js";
import { ROUTER_OPTIONS } from "./router.js";
import type { OptionTable } from "./table.js";
import { VAE_OPTIONS } from "./vae.js";

/** The options of each kind of run: what they take, their defaults and descriptions. */
export const TRAIN_OPTIONS: Readonly<Record<"base" | "vae" | "router" | "expert", OptionTable>> = {
  base: BASE_OPTIONS,
  vae: VAE_OPTIONS,
  router: ROUTER_OPTIONS,
  expert: EXPERT_OPTIONS,
};
