/** `bigvae demo`: the tour, each promise in a few lines. */
import { Command } from "@commander-js/extra-typings";
import { blend, rebuild } from "../demo/blending.js";
import { expert, remembered } from "../demo/finding.js";
import { paragraph, planned } from "../demo/writing.js";
import { useModel, withModel } from "../shared.js";

/** Of a paragraph without a broken sentence; pocket/README.md counts how many of ten seeds give one. */
const SEED = 3;

export function demoCommand() {
  return withModel(new Command("demo").description("A tour of the latent space in under a minute."), { seed: SEED })
    .addHelpText(
      "after",
      "\nExample:\n  bigvae demo --seed 2\n\nThe last step trains an expert for a few seconds, with the pocket alone.",
    )
    .action(async (flags) => {
      await useModel(flags, async (vae) => {
        await rebuild(vae, flags);
        await blend(vae, flags);
        await paragraph(vae, flags);
        await planned(vae, flags);
        await remembered(vae, flags);
        if (flags.model === "pocket") await expert(vae, flags);
        if (!flags.json) process.stdout.write(GO_ON);
      });
    });
}

const GO_ON = `
Go on
  npx bigvae reconstruct "Type your own sentence."
  npx bigvae interpolate "I love the sea." "I am afraid of the dark."
  npx bigvae generate --prompt "One night, the owl lost her lamp."
  npx bigvae studio
  npx bigvae --help
`;
