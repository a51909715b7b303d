/** `bigvae plan make` and `bigvae plan edit`: waypoints from texts, along a line, by analogy or by search, and changed one by one. */
import { Command, Option } from "@commander-js/extra-typings";
import type { BigVae, TextOrLatent } from "../../bigVae.js";
import { BigVaeError } from "../../errors.js";
import type { LatentSpace } from "../../latent/index.js";
import {
  checkEdit,
  checkSources,
  DEFAULT_PLAN_STEPS,
  editedPlan,
  isUnusedBy,
  makePlan,
} from "../../operations/planMaking.js";
import { openPlan, savePlan } from "../../operations/plans.js";
import { checkPlanPath, readPlan } from "../../plans/index.js";
import { DEFAULT_BEAM } from "../../sampling/searchPlan.js";
import { DEFAULT_TOLERANCE, PLAN_WAYS, type PlanWay, type Waypoint } from "../../sampling/waypoints.js";
import { refuseUnused } from "../flags.js";
import { checkInputs, LATENT_HELP, parseLatentInput, textOrLatent } from "../latentInput.js";
import { interruptSignal, namedNumbers, realNumber, wholeNumber } from "../options.js";
import { shownPlan, waypointsText } from "../plans.js";
import { type ModelFlags, type OutputFlags, reportWritten, useModel, warnLong, withModel } from "../shared.js";

export function makeCommand() {
  return withModel(new Command("make").description("Make a plan of texts, along a line, by analogy or by search."))
    .argument("<file>", "the plan to write")
    .argument("<texts...>", "texts or latents")
    .addOption(
      new Option(
        "--by <way>",
        "texts: a waypoint for each; line: from each to the next; analogy: what is to the third as the second is to the first; search: from --context to the only one",
      )
        .choices(PLAN_WAYS)
        .default("texts" as const),
    )
    .option(
      "--steps <n>",
      `line, search: waypoints to each text, that one included; default: ${DEFAULT_PLAN_STEPS}`,
      wholeNumber(1),
    )
    .option(
      "--tolerance <x>",
      `distance within which a waypoint is reached, 0 to 2; default: ${DEFAULT_TOLERANCE}`,
      realNumber(0, 2),
    )
    .option("--weight <x>", "how far a waypoint counts against the context, 0 to 1; default: 1", realNumber(0, 1))
    .option("--context <text>", "search: text that the plan goes on from")
    .option("--n-avg <n>", "search: directions from each way; default: 4", wholeNumber(1))
    .option("--beam <n>", `search: ways that are kept at each step; default: ${DEFAULT_BEAM}`, wholeNumber(1))
    .option("--tau <x>", "search: temperature of what is written on the way; default: 0.9", realNumber(0))
    .option("--weights <list>", "search: what likelihood, nearness and coherence count: NAME=X,NAME=X", namedNumbers)
    .addHelpText(
      "after",
      `
${LATENT_HELP}

Examples:
  bigvae plan make plan.json "A storm came up." "The boat was lost." "They all came home."
  bigvae plan make plan.json --by line "The owl lost a button." "They all danced by the fire." --steps 3
  bigvae plan make plan.json --by analogy "The fox was sad." "The fox was glad." "The owl was sad."
  bigvae plan make plan.json --by search --context "The owl lost a button." "They all danced by the fire."`,
    )
    .action(async (path, given, flags) => {
      await checkPlanPath(path);
      checkTaken(flags.by, given.length);
      const inputs = given.map(parseLatentInput);
      await checkInputs("plan make", inputs);
      await useModel(flags, async (vae) => {
        const sources = await Promise.all(inputs.map((input) => textOrLatent(input, vae.space.width)));
        const { by, steps, tolerance, weight, context, nAvg, beam, tau, weights, seed } = flags;
        const options = { by, steps, tolerance, weight, context, nAvg, beam, tau, weights, seed };
        warnLongTexts(flags, vae, sources);
        const plan = await makePlan(vae, { ...options, sources, signal: interruptSignal() });
        await savePlan(vae, path, plan);
        report(flags, path, plan, vae.space);
      });
    });
}

/** Throws "usage" for flags that the way does not take, and another number of texts than it takes. */
function checkTaken(by: PlanWay, count: number): void {
  refuseUnused((name) => isUnusedBy(by, name), "a plan that takes it", `--by ${by}`);
  checkSources(by, count);
}

export function editCommand() {
  return withModel(
    new Command("edit").description(
      "Change a waypoint of a plan. Without a number, encode texts that were edited in the file.",
    ),
  )
    .argument("<file>", "the plan")
    .argument("[number]", "the waypoint, from 1", wholeNumber(1))
    .option("--text <text>", "what it is to say: a text, or a latent")
    .option("--tolerance <x>", "distance within which it is reached, 0 to 2", realNumber(0, 2))
    .option("--weight <x>", "how far it counts against the context, 0 to 1", realNumber(0, 1))
    .option("--insert", "put a new waypoint of --text there", false)
    .option("--remove", "take it out", false)
    .addHelpText(
      "after",
      `
${LATENT_HELP}

Examples:
  bigvae plan edit plan.json 2 --text "The boat was found." --tolerance 0.4
  bigvae plan edit plan.json 1 --insert --text "It was a grey morning."
  bigvae plan edit plan.json 3 --remove`,
    )
    .action(async (path, number, flags) => {
      await readPlan(path);
      const input = flags.text === undefined ? undefined : parseLatentInput(flags.text);
      await checkInputs("plan edit", input ? [input] : []);
      checkNumber(number, flags);
      await useModel(flags, async (vae) => {
        const plan = await openPlan(vae, path);
        const { tolerance, weight, insert, remove } = flags;
        const source = input && (await textOrLatent(input, vae.space.width));
        warnLongTexts(flags, vae, source === undefined ? [] : [source]);
        const said = typeof source === "string" ? { text: source } : { z: source };
        const edit = { ...said, tolerance, weight, insert, remove };
        const edited = number === undefined ? plan : await editedPlan(vae, plan, number, edit, interruptSignal());
        await savePlan(vae, path, edited);
        report(flags, path, edited, vae.space);
      });
    });
}

interface EditFlags {
  text?: string;
  tolerance?: number;
  weight?: number;
  insert: boolean;
  remove: boolean;
}

/** Says which texts are longer than a span: they are encoded whole, and less exactly. */
function warnLongTexts(flags: ModelFlags, vae: BigVae, sources: readonly TextOrLatent[]): void {
  const texts = sources.filter((source) => typeof source === "string");
  warnLong(
    flags,
    vae,
    texts.map((text) => ({ text, ids: vae.tokenizer.encode(text) })),
  );
}

/** Throws "usage" for a change of no waypoint, and for changes that do not go together. */
function checkNumber(number: number | undefined, { text, tolerance, weight, insert, remove }: EditFlags): void {
  if (number !== undefined) checkEdit({ text, tolerance, weight, insert, remove });
  else if (!insert && !remove && [text, tolerance, weight].every((value) => value === undefined)) return;
  else
    throw new BigVaeError("usage", {
      subject: "plan edit",
      expected: "the number of a waypoint",
      got: "none",
      remedy: "bigvae plan edit --help has examples",
    });
}

function report(flags: OutputFlags, path: string, plan: readonly Waypoint[], space: LatentSpace): void {
  const line = `${path}: ${waypointsText(plan.length)}\n${shownPlan(space, plan).trimEnd()}`;
  reportWritten(flags, { plan: path, waypoints: plan.map(({ z: _, ...shown }) => shown) }, line);
}
