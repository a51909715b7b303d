/** What commands on plans and strategies share. */
import type { LatentSpace } from "../latent/index.js";
import { distancesOf } from "../operations/planMaking.js";
import type { StoredPlan } from "../plans/index.js";
import { onOneLine } from "./shade.js";

/** Of --strategies. */
export const STRATEGIES_HELP = "folder of strategies";

/** A line for each waypoint, with how far it is from the one before it. */
export function shownPlan(space: LatentSpace, waypoints: StoredPlan["waypoints"]): string {
  const distances = distancesOf(space, waypoints);
  return waypoints
    .map(({ z, text, tolerance, weight }, i) => {
      const what = text === undefined ? "(a latent without a text)" : onOneLine(text);
      const { toPrevious } = distances[i]!;
      const note = z ? (toPrevious === undefined ? "" : `  (${toPrevious.toFixed(2)} from ${i})`) : "  (to be encoded)";
      return `${`${i + 1}`.padStart(3)}  tolerance ${tolerance.toFixed(2)}  weight ${weight.toFixed(2)}  ${what}${note}\n`;
    })
    .join("");
}

/** "4 waypoints" */
export function waypointsText(count: number): string {
  return `${count} ${count === 1 ? "waypoint" : "waypoints"}`;
}
