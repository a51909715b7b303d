/** `bigvae plan make` and `bigvae plan edit`: waypoints from texts, along a line, by analogy or by search, and changed one by one. */
import { Command, Option } from "@commander-js/extra-typings";
import type { BigVae, TextOrLatent } from "../../bigVae.js";
import { BigVaeError } from "../../errors.js";
import { openPlan, planAlong, planByAnalogy, planBySearch, planOfTexts, savePlan } from "../../operations/plans.js";
import { checkPlanPath, readPlan } from "../../plans/index.js";
import { DEFAULT_BEAM } from "../../sampling/searchPlan.js";
import { DEFAULT_TOLERANCE, type Waypoint } from "../../sampling/waypoints.js";
import { refuseUnused } from "../flags.js";
import { checkInputs, LATENT_HELP, parseLatentInput, textOrLatent } from "../latentInput.js";
import { interruptSignal, namedNumbers, realNumber, wholeNumber } from "../options.js";
import { shownPlan, waypointsText } from "../plans.js";
import { type OutputFlags, reportWritten, useModel, withModel } from "../shared.js";

const WAYS = ["texts", "line", "analogy", "search"] as const;
type Way = (typeof WAYS)[number];

/** Flags that only some ways take, by their names in code. */
const TAKES: Readonly<Record<Way, readonly string[]>> = {
  texts: [],
  line: ["steps"],
  analogy: [],
  search: ["steps", "context", "nAvg", "beam", "tau", "weights"],
};

export function makeCommand() {
  return withModel(new Command("make").description("Make a plan of texts, along a line, by analogy or by search."))
    .argument("<file>", "the plan to write")
    .argument("<texts...>", "texts or latents")
    .addOption(
      new Option(
        "--by <way>",
        "texts: a waypoint for each; line: from each to the next; analogy: what is to the third as the second is to the first; search: from --context to the only one",
      )
        .choices(WAYS)
        .default("texts" as const),
    )
    .option("--steps <n>", "line, search: waypoints to each text, that one included; default: 4", wholeNumber(1))
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
        const plan = await made(vae, flags.by, sources, flags);
        await savePlan(vae, path, plan);
        report(flags, path, plan);
      });
    });
}

/** Texts that each way takes. */
const COUNTS: Readonly<Record<Way, [expected: string, fits: (count: number) => boolean]>> = {
  texts: ["at least one text", (count) => count >= 1],
  line: ["at least two texts", (count) => count >= 2],
  analogy: ["three texts", (count) => count === 3],
  search: ["one text, the goal", (count) => count === 1],
};

function checkTaken(by: Way, count: number): void {
  const ofSome = Object.values(TAKES).flat();
  refuseUnused((name) => ofSome.includes(name) && !TAKES[by].includes(name), "a plan that takes it", `--by ${by}`);
  const [expected, fits] = COUNTS[by];
  if (fits(count)) return;
  throw new BigVaeError("usage", {
    subject: `plan make --by ${by}`,
    expected,
    got: count,
    remedy: "bigvae plan make --help has an example",
  });
}

interface MakeFlags {
  steps?: number;
  tolerance?: number;
  weight?: number;
  context?: string;
  nAvg?: number;
  beam?: number;
  tau?: number;
  weights?: Record<string, number>;
  seed: number;
}

const STEPS = 4;

function made(vae: BigVae, by: Way, sources: readonly TextOrLatent[], flags: MakeFlags): Promise<Waypoint[]> {
  const { steps = STEPS, tolerance, weight, context, nAvg, beam, tau, weights, seed } = flags;
  const settings = { ...(tolerance === undefined ? {} : { tolerance }), ...(weight === undefined ? {} : { weight }) };
  switch (by) {
    case "texts":
      return planOfTexts(vae, sources, settings);
    case "line":
      return planAlong(vae, sources, steps, settings);
    case "analogy":
      return planByAnalogy(vae, sources as [TextOrLatent, TextOrLatent, TextOrLatent], settings);
    case "search": {
      const search = { goal: sources[0]!, steps, seed, signal: interruptSignal(), ...settings };
      const given = Object.entries({ context, nAvg, beam, tau, weights }).filter(([, value]) => value !== undefined);
      return planBySearch(vae, { ...search, ...Object.fromEntries(given) });
    }
  }
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
      checkEdit(number, flags);
      await useModel(flags, async (vae) => {
        const plan = await openPlan(vae, path);
        const source = input && (await textOrLatent(input, vae.space.width));
        const said = source === undefined ? undefined : (await planOfTexts(vae, [source]))[0]!;
        const edited = number === undefined ? plan : changed(plan, number, said, flags);
        await savePlan(vae, path, edited);
        report(flags, path, edited);
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

/** Throws "usage" for edits that do not go together. */
function checkEdit(number: number | undefined, { text, tolerance, weight, insert, remove }: EditFlags): void {
  const fail = (expected: string, got: string) => {
    throw new BigVaeError("usage", {
      subject: "plan edit",
      expected,
      got,
      remedy: "bigvae plan edit --help has examples",
    });
  };
  const changes = [text, tolerance, weight].some((value) => value !== undefined);
  if (number === undefined && (changes || insert || remove)) fail("the number of a waypoint", "none");
  if (number !== undefined && !changes && !remove) fail("a change of the waypoint", "none");
  if (remove && (changes || insert)) fail("--remove alone", "other changes too");
  if (insert && text === undefined) fail("the --text of the new waypoint", "none");
}

/** Throws "usage" for a number beyond the plan, and where no waypoint would be left. */
function changed(plan: readonly Waypoint[], number: number, said: Waypoint | undefined, flags: EditFlags): Waypoint[] {
  const { tolerance, weight, insert, remove } = flags;
  const most = plan.length + (insert ? 1 : 0);
  if (number > most || (remove && plan.length === 1))
    throw new BigVaeError("usage", {
      subject: `waypoint ${number}`,
      expected: remove && plan.length === 1 ? "a plan of more than this one" : `a number from 1 to ${most}`,
      got: number,
      remedy: "bigvae plan show lists the waypoints",
    });
  const numbers = { ...(tolerance === undefined ? {} : { tolerance }), ...(weight === undefined ? {} : { weight }) };
  if (remove) return plan.toSpliced(number - 1, 1);
  if (insert) return plan.toSpliced(number - 1, 0, { ...said!, ...numbers });
  const { text: _, ...old } = plan[number - 1]!;
  const { z, text } = said ?? plan[number - 1]!;
  return plan.with(number - 1, { ...old, z, ...(text === undefined ? {} : { text }), ...numbers });
}

function report(flags: OutputFlags, path: string, plan: readonly Waypoint[]): void {
  const line = `${path}: ${waypointsText(plan.length)}\n${shownPlan(plan).trimEnd()}`;
  reportWritten(flags, { plan: path, waypoints: plan.map(({ z: _, ...shown }) => shown) }, line);
}
