/** Ways to lay the keys of latents on a plane, and back from a place of the plane to a key. */
import type { Latent } from "../latent/index.js";
import { type PrincipalAxes, principalAxes, project } from "../latent/principalAxes.js";

/** By name, as the map calls them. */
export const LAYOUTS = ["pca", "umap"] as const;
export type LayoutName = (typeof LAYOUTS)[number];

/** A key with its place. */
export interface Placed {
  key: Latent;
  x: number;
  y: number;
}

/** A plane through keys. */
export interface Layout {
  readonly name: LayoutName;
  /** Where a key lies. */
  place(key: Latent): { x: number; y: number };
  /** The key of a place, seen from the nearest span: at that span's own place its own key. */
  keyAt(x: number, y: number, nearest: Placed): Latent;
}

/** The first two principal axes of keys. */
export function principalLayout(keys: readonly Latent[]): Layout {
  const plane: PrincipalAxes = principalAxes(keys, 2);
  const [first, second] = plane.axes;
  return {
    name: "pca",
    place(key) {
      const [x = 0, y = 0] = plane.axes.length > 0 ? project(plane, key) : [];
      return { x, y };
    },
    keyAt: (x, y, nearest) =>
      nearest.key.map((value, d) => value + (x - nearest.x) * (first?.[d] ?? 0) + (y - nearest.y) * (second?.[d] ?? 0)),
  };
}

/** Neighbours that place a key among others, and that a place takes its key from. */
const NEIGHBOURS = 5;

/** A layout that was found for some keys alone: others lie among their neighbours. */
export function neighbourLayout(sample: readonly Placed[]): Layout {
  return {
    name: "umap",
    place(key) {
      const near = nearestOf(sample, (each) => distance(each.key, key));
      return { x: mean(near, ({ x }) => x), y: mean(near, ({ y }) => y) };
    },
    keyAt(x, y, nearest) {
      const near = nearestOf([nearest, ...sample], (each) => Math.hypot(each.x - x, each.y - y));
      return nearest.key.map((_, d) => mean(near, ({ key }) => key[d]!));
    },
  };
}

interface Near {
  item: Placed;
  weight: number;
}

/** The nearest few, the nearer the heavier; one that is at the very place has all of the weight. */
function nearestOf(items: readonly Placed[], away: (item: Placed) => number): Near[] {
  const near: { item: Placed; far: number }[] = [];
  for (const item of items) {
    const far = away(item);
    if (near.length === NEIGHBOURS && far >= near.at(-1)!.far) continue;
    const at = near.findIndex((each) => each.far > far);
    near.splice(at < 0 ? near.length : at, 0, { item, far });
    if (near.length > NEIGHBOURS) near.pop();
  }
  return near.map(({ item, far }) => ({ item, weight: 1 / Math.max(far, 1e-9) }));
}

function mean(near: readonly Near[], value: (item: Placed) => number): number {
  const total = near.reduce((sum, { weight }) => sum + weight, 0);
  return near.reduce((sum, { item, weight }) => sum + (weight / total) * value(item), 0);
}

function distance(a: Latent, b: Latent): number {
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += (a[d]! - b[d]!) ** 2;
  return Math.sqrt(sum);
}
