/** `bigvae strategy`: named task vectors and templates of plans, kept in a folder, every version of them. */
import { Command } from "@commander-js/extra-typings";
import { BigVaeError } from "../../errors.js";
import { LatentSpace } from "../../latent/index.js";
import { openPlan } from "../../operations/plans.js";
import { describedStrategy, mergedByName, newStrategy } from "../../operations/strategies.js";
import { type NamedStrategy, newStrategyName, readPlan, Strategies, type Strategy } from "../../plans/index.js";
import { mayRemove } from "../confirm.js";
import { EXAMPLES_HELP, openExamples } from "../examples.js";
import { checkInputs, parseLatentInput, textOrLatent } from "../latentInput.js";
import { showEach } from "../listing.js";
import { numberList } from "../options.js";
import { STRATEGIES_HELP, shownPlan, waypointsText } from "../plans.js";
import { type OutputFlags, printJson, reportWritten, useModel, withModel, withOutput } from "../shared.js";

export function strategyCommand() {
  return new Command("strategy")
    .description("Strategies: named task vectors and plans, which generate --strategy writes by.")
    .addCommand(saveCommand())
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(rmCommand())
    .addCommand(mergeCommand());
}

function withStrategies<A extends unknown[], O extends Record<string, unknown>>(command: Command<A, O>) {
  return command.option("--strategies <folder>", STRATEGIES_HELP, "strategies");
}

const NAME_HELP = "its name; NAME@VERSION for an older version";

function saveCommand() {
  return withStrategies(
    withModel(
      new Command("save").description(
        "Keep a strategy: examples to resemble, a plan to follow, or both. A name that is there gets a new version.",
      ),
    ),
  )
    .argument("<name>", "its name")
    .argument("[examples...]", EXAMPLES_HELP)
    .option("--plan <file>", "a plan to follow (bigvae plan make)")
    .option("--origin <text>", "text or latent where the plan begins: elsewhere, the plan is moved by analogy")
    .addHelpText(
      "after",
      `
Examples:
  bigvae strategy save brave "The bear was brave." "The fox was brave."
  bigvae strategy save homecoming --plan plan.json --origin "The owl was far from home."
  bigvae generate --strategy brave --prompt "The owl lost a button."`,
    )
    .action(async (name, given, flags) => {
      newStrategyName(name);
      checkSaved(given, flags);
      const examples = await openExamples("strategy save", given);
      if (flags.plan !== undefined) await readPlan(flags.plan);
      const origin = flags.origin === undefined ? undefined : parseLatentInput(flags.origin);
      await checkInputs("--origin", origin ? [origin] : []);
      await useModel(flags, async (vae) => {
        const begin = origin && (await textOrLatent(origin, vae.space.width));
        const strategy = await newStrategy(vae, {
          examples: await examples(vae.space.width),
          ...(flags.plan === undefined ? {} : { plan: await openPlan(vae, flags.plan) }),
          ...(begin === undefined ? {} : { origin: begin }),
        });
        const version = await new Strategies(flags.strategies).save(name, strategy);
        reportWritten(flags, { strategy: name, version }, `${name}@${version}`);
      });
    });
}

function checkSaved(examples: readonly string[], { plan, origin }: { plan?: string; origin?: string }): void {
  const fail = (expected: string, remedy: string) => {
    throw new BigVaeError("usage", { subject: "strategy save", expected, got: "none", remedy });
  };
  if (examples.length === 0 && plan === undefined) fail("examples, a plan, or both", "give texts or --plan");
  if (origin !== undefined && plan === undefined) fail("a plan that begins at --origin", "give --plan too");
}

function listCommand() {
  return withStrategies(withOutput(new Command("list").description("List the strategies of the folder.")))
    .addHelpText("after", "\nExample:\n  bigvae strategy list")
    .action(async (flags) => {
      const strategies = new Strategies(flags.strategies);
      const listed = new Map((await strategies.list()).map((each) => [each.name, each]));
      await showEach(
        flags,
        `strategies ${flags.strategies}`,
        [...listed.keys()],
        (name) => describedStrategy(strategies, listed.get(name)!),
        ({ name, versions, examples, waypoints }) => {
          if (flags.json) printJson({ strategy: name, versions, examples, waypoints });
          else process.stdout.write(`${name}@${versions.join(",")}  ${contents({ examples, waypoints })}\n`);
        },
      );
    });
}

/** "task vector of 3 examples, plan of 4 waypoints" */
function contents({ examples, waypoints }: { examples: number; waypoints: number }): string {
  const parts = [
    ...(examples > 0 ? [`task vector of ${examples} ${examples === 1 ? "example" : "examples"}`] : []),
    ...(waypoints > 0 ? [`plan of ${waypointsText(waypoints)}`] : []),
  ];
  return parts.join(", ");
}

/** How much of each there is. */
const counts = ({ task, plan }: Strategy) => ({ examples: task?.examples ?? 0, waypoints: plan?.length ?? 0 });

function showCommand() {
  return withStrategies(withOutput(new Command("show").description("Show what a strategy is made of.")))
    .argument("<name>", NAME_HELP)
    .addHelpText("after", "\nExamples:\n  bigvae strategy show brave\n  bigvae strategy show brave@1 --json")
    .action(async (given, flags) => {
      const strategy = await new Strategies(flags.strategies).open(given);
      if (flags.json) printJson(strategy);
      else process.stdout.write(shownStrategy(strategy));
    });
}

function shownStrategy(strategy: NamedStrategy): string {
  const { name, version, plan, origin, from } = strategy;
  const merged = from ? `, merged from ${from.join(", ")}` : "";
  const begins = origin ? "\n  the plan is moved by analogy to where it is applied" : "";
  return `${name}@${version}: ${contents(counts(strategy))}${merged}${begins}\n${plan ? shownPlan(new LatentSpace(strategy.space), plan) : ""}`;
}

function rmCommand() {
  return withStrategies(
    withOutput(new Command("rm").description("Remove a version of a strategy, or with its name alone all versions.")),
  )
    .argument("<name>", "its name, or NAME@VERSION")
    .option("--yes", "do not ask", false)
    .addHelpText("after", "\nExamples:\n  bigvae strategy rm brave@1 --yes\n  bigvae strategy rm brave --yes")
    .action(async (given, flags) => {
      const strategies = new Strategies(flags.strategies);
      // One that is damaged can be removed too.
      await strategies.require(given);
      if (!(await mayRemove("strategy rm", given, flags))) return;
      const removed = await strategies.remove(given);
      reportWritten(flags, { strategy: given, removed }, `${given}: ${removed} removed`);
    });
}

function mergeCommand() {
  return withStrategies(
    withOutput(
      new Command("merge").description(
        "Merge strategies into one: the mean of their task vectors, and their plans mixed.",
      ),
    ),
  )
    .argument("<name>", "of the new one")
    .argument("<names...>", "the strategies to merge")
    .option("--weights <list>", "what each counts, with commas between; default: all the same", numberList)
    .addHelpText("after", "\nExample:\n  bigvae strategy merge brave-and-kind brave kind@2 --weights 2,1")
    .action(async (name, given, flags: OutputFlags & { strategies: string; weights?: number[] }) => {
      const strategies = new Strategies(flags.strategies);
      const merged = await mergedByName(strategies, given, flags.weights);
      const version = await strategies.save(name, merged);
      reportWritten(
        flags,
        { strategy: name, version, from: merged.from },
        `${name}@${version}: ${contents(counts(merged))}`,
      );
    });
}
