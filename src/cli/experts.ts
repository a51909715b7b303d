/** What the commands on experts share: the flags, and opening those of a folder. */
import type { Command } from "@commander-js/extra-typings";
import type { BigVae } from "../bigVae.js";
import { BigVaeError } from "../errors.js";
import { type ExpertChoice, readExperts } from "../expert/index.js";
import { openExperts } from "../operations/experts.js";
import type { ExpertShare } from "../sampling/model.js";
import { refuseUnused } from "./flags.js";
import { realNumber, wholeNumber } from "./options.js";
import { isServed } from "./shared.js";

export interface ExpertFlags {
  experts?: string;
  expertsK: number;
  expertsTemperature: number;
}

/** Adds --experts, --experts-k and --experts-temperature. */
export function withExperts<A extends unknown[], O extends Record<string, unknown>>(command: Command<A, O>) {
  return command
    .option("--experts <folder>", "experts of this folder write, for each span those nearest to its latent")
    .option("--experts-k <n>", "experts whose outputs are mixed", wholeNumber(1), 1)
    .option(
      "--experts-temperature <x>",
      "of the weights of several: the smaller, the more the nearest counts",
      realNumber(1e-6),
      0.1,
    );
}

/** Looks at what --experts names before a model is loaded. Throws as `readExperts` does, and "usage" for flags without effect. */
export async function checkExperts({ model, experts, expertsK }: ExpertFlags & { model: string }): Promise<void> {
  if (experts === undefined)
    return refuseUnused((flag) => ["expertsK", "expertsTemperature"].includes(flag), "--experts beside it", "none");
  if (expertsK === 1) refuseUnused((flag) => flag === "expertsTemperature", "--experts-k above 1 beside it", "1");
  if (isServed(model))
    throw new BigVaeError("usage", {
      subject: "--experts",
      expected: "a model that is loaded here",
      got: "that of a server",
      remedy: "start the server with bigvae serve --experts, and post to its /latent/generate",
    });
  await readExperts(experts);
}

/** The experts that --experts names; none where it is left out. */
export async function expertsOf(
  vae: BigVae,
  { experts, expertsK: k, expertsTemperature: temperature }: ExpertFlags,
): Promise<ExpertChoice | undefined> {
  return experts === undefined ? undefined : openExperts(vae, experts, { k, temperature });
}

/** "letter", or "0.70 letter + 0.30 diary" */
export function sharesText(shares: readonly ExpertShare[]): string {
  if (shares.length === 1) return shares[0]!.name;
  return shares.map(({ name, weight }) => `${weight.toFixed(2)} ${name}`).join(" + ");
}
