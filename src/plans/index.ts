/** Plans and strategies on disk. */
export { checkPlanPath, readPlan, type StoredPlan, type StoredWaypoint, writePlan } from "./planFile.js";
export { type ListedStrategy, type NamedStrategy, parseStrategyName, Strategies, type Strategy } from "./strategies.js";
