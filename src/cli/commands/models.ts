/** `bigvae list` and `bigvae rm`: the models that go by a name, and taking one out of the cache. */
import { Command } from "@commander-js/extra-typings";
import { type ListedModel, listModels } from "../../host/listModels.js";
import { planRemoval, removeModel } from "../../host/removeModel.js";
import { mayRemove } from "../confirm.js";
import { printJson, reportWritten, withOutput } from "../shared.js";
import { daysAgo, size, table } from "../sizes.js";

export function listCommand() {
  return withOutput(new Command("list").description("List the models on this machine that go by a name."))
    .addHelpText("after", "\nExample:\n  bigvae list\n\nA name of the list is what --model, --adapters and show take.")
    .action(async ({ json }) => {
      const models = await listModels();
      if (json) for (const model of models) printJson(model);
      else process.stdout.write(table([["NAME", "REVISION", "KIND", "SIZE", "LAST USED"], ...models.map(row)]));
    });
}

function row({ name, refs, commit = "", kind, bytes, lastUsed }: ListedModel): string[] {
  return [name, refs.join(", ") || commit.slice(0, 12) || "-", kind, size(bytes), daysAgo(lastUsed)];
}

export function rmCommand() {
  return withOutput(
    new Command("rm").description("Remove a model from the cache; files that another revision has too stay."),
  )
    .argument("<name>", "owner/name for all its revisions, owner/name@revision, owner/name:file.gguf")
    .option("--yes", "do not ask", false)
    .addHelpText(
      "after",
      "\nExample:\n  bigvae rm jdpressman/BigVAE-Mistral-7B-v0.1\n\nThe pocket model is a part of the package and stays. Packed weights lie in ~/.cache/bigvae/packed, or in BIGVAE_CACHE: delete that folder\nto free them; the next load packs again.",
    )
    .action(async (name, { yes, ...flags }) => {
      const { bytes, commits } = await planRemoval(name);
      const what = `${name}, ${commits.length} revision${commits.length === 1 ? "" : "s"}, ${size(bytes)}`;
      if (!(await mayRemove(`rm ${name}`, what, { ...flags, yes }))) return;
      const removed = await removeModel(name);
      reportWritten(flags, removed, `${name}: removed, ${size(removed.bytes)} free`);
    });
}
