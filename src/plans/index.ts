/** Plans and strategies on disk. */
export { checkPlanPath, readPlan, type StoredPlan, type StoredWaypoint, writePlan } from "./planFile.js";
export { type ListedStrategy, type NamedStrategy, newStrategyName, Strategies, type Strategy } from "./strategies.js";
