/** Routes of strategies: those of the server's folder. */
import { BigVaeError } from "../../errors.js";
import { describedStrategy, mergedByName, newStrategy } from "../../operations/strategies.js";
import { newStrategyName } from "../../plans/index.js";
import { type Route, route, toExample, toSource } from "../route.js";
import * as schemas from "../schemas/plan.js";
import { planOf } from "./plans.js";

const list = route({
  method: "GET",
  path: "/strategy",
  tag: "plans",
  summary: "The strategies of the server's folder.",
  answer: schemas.strategiesAnswer,
  handle: async ({ strategies }) => {
    const listed = await strategies.list();
    const described = await Promise.all(
      listed.map((each) =>
        describedStrategy(strategies, each).catch((error: unknown) => {
          if (!(error instanceof BigVaeError)) throw error;
          return { ...each, problem: error.message };
        }),
      ),
    );
    return { folder: strategies.folder, strategies: described };
  },
});

const save = route({
  method: "POST",
  path: "/strategy/save",
  tag: "plans",
  summary: "Keeps a strategy, as the next version of its name: examples to resemble, a plan to follow, or both.",
  body: schemas.saveStrategyRequest,
  answer: schemas.saveStrategyAnswer,
  example: { name: "brave", examples: ["The bear was brave.", "The fox was brave."] },
  async handle({ model, strategies, signal }, { name: given, examples, plan, origin }) {
    const name = newStrategyName(given);
    const vae = model.withLatents();
    const strategy = await newStrategy(
      vae,
      {
        examples: examples.map(toExample),
        ...(plan ? { plan: await planOf(vae, plan, signal) } : {}),
        ...(origin === undefined ? {} : { origin: toSource(origin) }),
      },
      signal,
    );
    return { name, version: await strategies.save(name, strategy) };
  },
});

const show = route({
  method: "POST",
  path: "/strategy/show",
  tag: "plans",
  summary: "What a strategy is made of.",
  body: schemas.showStrategyRequest,
  answer: schemas.showStrategyAnswer,
  async handle({ strategies }, { name }) {
    const { space: _, ...strategy } = await strategies.open(name);
    return strategy;
  },
});

const remove = route({
  method: "POST",
  path: "/strategy/remove",
  tag: "plans",
  summary: "Removes a version of a strategy, or with its name alone all of them.",
  body: schemas.removeStrategyRequest,
  answer: schemas.removeStrategyAnswer,
  handle: async ({ strategies }, { name }) => ({ removed: await strategies.remove(name) }),
});

const merge = route({
  method: "POST",
  path: "/strategy/merge",
  tag: "plans",
  summary: "Keeps several strategies as one: the mean of their task vectors, and their plans mixed.",
  body: schemas.mergeStrategiesRequest,
  answer: schemas.mergeStrategiesAnswer,
  async handle({ strategies }, { name: given, names, weights }) {
    const name = newStrategyName(given);
    const merged = await mergedByName(strategies, names, weights);
    return { name, version: await strategies.save(name, merged), from: merged.from };
  },
});

export const strategyRoutes: readonly Route[] = [list, save, show, remove, merge];
