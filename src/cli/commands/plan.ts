/** `bigvae plan`: plans made, shown, edited and merged; without a further word, text from a start to an end. */
import { resolve } from "node:path";
import { Command, Option } from "@commander-js/extra-typings";
import { BigVaeError } from "../../errors.js";
import { LatentSpace } from "../../latent/index.js";
import { joinedPlans } from "../../operations/planMaking.js";
import { withLatents } from "../../operations/plans.js";
import { checkSpace } from "../../operations/space.js";
import { readPlan, writePlan } from "../../plans/index.js";
import type { SamplerName } from "../../sampling/samplers.js";
import { LATENT_HELP } from "../latentInput.js";
import { numberList } from "../options.js";
import { shownPlan, waypointsText } from "../plans.js";
import { JSON_TEXT, run, withSampling } from "../sampling.js";
import { printJson, reportWritten, withModel, withOutput } from "../shared.js";
import { editCommand, makeCommand } from "./planMake.js";

const SAMPLERS = ["plan", "plan-2", "plan-search", "bridge"] as const satisfies readonly SamplerName[];

export function planCommand() {
  return new Command("plan")
    .description("Plans: places that a text is to pass. Make, edit and merge them, or write from one text to another.")
    .addCommand(writeCommand(), { isDefault: true })
    .addCommand(makeCommand())
    .addCommand(showCommand())
    .addCommand(editCommand())
    .addCommand(mergeCommand())
    .addHelpText(
      "after",
      '\nWithout a command it writes: bigvae plan --start "The owl lost a button." --terminal "They all danced." (bigvae plan write --help).',
    );
}

function writeCommand() {
  return withSampling(
    withModel(new Command("write").description("Write from one text to another, span by span (the default).")),
  )
    .addOption(new Option("--sampler <name>", "sampler").choices(SAMPLERS).default("plan" as (typeof SAMPLERS)[number]))
    .addHelpText(
      "after",
      `\n${LATENT_HELP}\n\n${JSON_TEXT}\n\nExample:\n  bigvae plan --start "The owl lost a button." --terminal "They all danced by the fire." --steps 4`,
    )
    .allowExcessArguments()
    .action((flags, command) => {
      const [word] = command.args;
      // What is no command of plan comes here, the default.
      if (word !== undefined)
        throw new BigVaeError("usage", {
          subject: "plan",
          expected: "make, show, edit, merge, or flags alone",
          got: JSON.stringify(word),
          remedy: "see bigvae plan --help",
        });
      return run(flags.sampler, { ...flags, prompt: [] });
    });
}

function showCommand() {
  return withOutput(new Command("show").description("Show the waypoints of a plan."))
    .argument("<file>", "the plan")
    .addHelpText("after", "\nExample:\n  bigvae plan show plan.json")
    .action(async (path, flags) => {
      const { space, waypoints } = await readPlan(path);
      if (flags.json) printJson({ plan: path, space, waypoints });
      else process.stdout.write(shownPlan(new LatentSpace(space), waypoints));
    });
}

function mergeCommand() {
  return withOutput(
    new Command("merge").description(
      "Merge plans into one: waypoints at the same place are mixed, or one plan follows the other.",
    ),
  )
    .argument("<file>", "the plan to write")
    .argument("<plans...>", "the plans to merge")
    .option("--weights <list>", "what each plan counts, with commas between; default: all the same", numberList)
    .option("--append", "the plans one after the other", false)
    .addHelpText(
      "after",
      "\nExamples:\n  bigvae plan merge both.json storm.json home.json --weights 2,1\n  bigvae plan merge long.json storm.json home.json --append",
    )
    .action(async (target, paths, flags) => {
      if (paths.length < 2 || paths.some((path) => resolve(path) === resolve(target)))
        throw new BigVaeError("usage", {
          subject: "plan merge",
          expected: "a new plan, and at least two to merge",
          got: paths.length < 2 ? `${target} and ${paths[0]} alone` : `${target} among those to merge`,
          remedy: "name the plan to write first, then the others",
        });
      const plans = await Promise.all(paths.map(readPlan));
      const [first] = plans;
      for (const [i, { space }] of plans.entries()) checkSpace(space, first!.space, `plan ${paths[i]}`);
      const ways = plans.map(({ waypoints }, i) => withLatents(paths[i]!, waypoints));
      const waypoints = joinedPlans(new LatentSpace(first!.space), ways, flags);
      await writePlan(target, { space: first!.space, waypoints });
      reportWritten(
        flags,
        { plan: target, waypoints: waypoints.length },
        `${target}: ${waypointsText(waypoints.length)}`,
      );
    });
}
