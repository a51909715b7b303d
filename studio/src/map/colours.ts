/** Colours of points, by what they tell. */
import { CORPUS, type MapPoint, type ProjectNode } from "../api.js";
import type { Dots } from "./renderer.js";

export const COLOURINGS = [
  { name: "path", label: "this text" },
  { name: "branch", label: "branch" },
  { name: "time", label: "time" },
  { name: "rating", label: "rating" },
] as const;
export type NodeColouring = (typeof COLOURINGS)[number]["name"];
/** A name of COLOURINGS, or labels of the points. */
export type Colouring = NodeColouring | Label;

/** Labels under a name, by point. */
export interface Label {
  name: string;
  values: ReadonlyMap<number, string | number>;
}

/** What each colouring shows. */
export const LEGENDS: Readonly<Record<NodeColouring, string>> = {
  path: "Strong: spans of the text on the page.",
  branch: "One colour for each branch; files are grey.",
  time: "The newer, the stronger.",
  rating: "Strong: rated +. Red: rated −.",
};

type Colour = readonly [number, number, number];

/** Eight colours that are told apart without red and green (Okabe and Ito), for light and dark alike. */
export const BRANCHES: readonly Colour[] = [
  [0, 114, 178],
  [213, 94, 0],
  [0, 158, 115],
  [204, 121, 167],
  [180, 140, 0],
  [86, 180, 233],
  [120, 94, 240],
  [140, 80, 40],
];

/** Drafts that were recalled for the newest span. */
const RECALLED = BRANCHES[1]!;

export interface Palette {
  soft: Colour;
  accent: Colour;
  warn: Colour;
  sheet: Colour;
}

/** The page's colours, as they are now. */
export function paletteOf(element: Element): Palette {
  const style = getComputedStyle(element);
  const probe = document.createElement("span");
  document.body.append(probe);
  const read = (name: string): Colour => {
    // Only an element resolves light-dark().
    probe.style.color = style.getPropertyValue(name);
    const [red = 0, green = 0, blue = 0] = (getComputedStyle(probe).color.match(/\d+/g) ?? []).map(Number);
    return [red, green, blue];
  };
  const palette = { soft: read("--soft"), accent: read("--accent"), warn: read("--warn"), sheet: read("--sheet") };
  probe.remove();
  return palette;
}

export const css = ([red, green, blue]: Colour) => `rgb(${red} ${green} ${blue})`;

/** Points as the renderer takes them. What is chosen stands out of all else, as do drafts that were recalled. */
export function dotsOf(
  points: readonly MapPoint[],
  by: NodeColouring | "none",
  {
    nodes,
    path,
    chosen,
    recalled,
    shadeOf = () => undefined,
  }: {
    nodes: ReadonlyMap<number, ProjectNode>;
    path: ReadonlySet<number>;
    chosen: ReadonlySet<number>;
    recalled: ReadonlySet<number>;
    /** By labels, where points are coloured by some. */
    shadeOf?: ReturnType<typeof labelShades>["shadeOf"] | undefined;
  },
  palette: Palette,
): Dots {
  const places = new Float32Array(2 * points.length);
  const colours = new Uint8Array(4 * points.length);
  const sizes = new Uint8Array(points.length);
  const shades = shadesOf(nodes, by, path, palette);
  const small = points.length > 5000 ? 3 : 5;
  for (const [i, { id, node, x, y }] of points.entries()) {
    const ofNode = shades.get(node) ?? { colour: palette.soft, alpha: 0.3, isCorpus: true };
    const { colour, alpha, isCorpus } = { ...ofNode, ...shadeOf(id) };
    const isRecalled = recalled.has(id);
    const isChosen = chosen.has(id) || isRecalled;
    places[2 * i] = x;
    places[2 * i + 1] = y;
    colours.set(isRecalled ? RECALLED : isChosen ? palette.accent : colour, 4 * i);
    colours[4 * i + 3] = 255 * (isChosen ? 1 : chosen.size > 0 ? alpha / 3 : alpha);
    sizes[i] = isChosen ? small + 2 : isCorpus ? small : 7;
  }
  return { places, colours, sizes };
}

/** Colour and weight of each node's points. */
function shadesOf(
  nodes: ReadonlyMap<number, ProjectNode>,
  by: NodeColouring | "none",
  path: ReadonlySet<number>,
  { soft, accent, warn }: Palette,
): Map<number, { colour: Colour; alpha: number; isCorpus: boolean }> {
  const order = [...nodes.values()].sort((a, b) => a.created - b.created).map(({ id }) => id);
  const rank = new Map(order.map((id, i) => [id, (i + 1) / order.length]));
  const shades = new Map<number, { colour: Colour; alpha: number; isCorpus: boolean }>();
  for (const { id, origin, rating } of nodes.values()) {
    const isCorpus = origin === CORPUS;
    const plain = { colour: soft, alpha: isCorpus ? 0.3 : 0.5, isCorpus };
    const shade = {
      path: () => (path.has(id) ? { colour: accent, alpha: 1 } : {}),
      branch: () => (isCorpus ? {} : { colour: BRANCHES[id % BRANCHES.length]!, alpha: 0.9 }),
      time: () => ({ colour: accent, alpha: 0.12 + 0.88 * rank.get(id)! ** 2 }),
      none: () => ({}),
      rating: () => (rating === 0 ? {} : { colour: rating > 0 ? accent : warn, alpha: 1 }),
    }[by]();
    shades.set(id, { ...plain, ...shade });
  }
  return shades;
}

/** Colour and weight of each value, and what a legend says: the most frequent words have a colour each; of numbers, the larger, the stronger. */
export function labelShades({ values }: Label, { soft, accent }: Palette) {
  const counts = new Map<string, number>();
  const numbers: number[] = [];
  for (const value of values.values())
    if (typeof value === "number") numbers.push(value);
    else counts.set(value, (counts.get(value) ?? 0) + 1);
  const words = [...counts.entries()].sort((a, b) => b[1] - a[1]).slice(0, BRANCHES.length);
  const colours = new Map(words.map(([word], i) => [word, BRANCHES[i]!]));
  // Of all but the farthest: one outlier would leave all others alike.
  numbers.sort((a, b) => a - b);
  const [least, most] = [
    numbers[Math.floor(0.02 * numbers.length)] ?? 0,
    numbers[Math.ceil(0.98 * (numbers.length - 1))] ?? 0,
  ];
  const shadeOf = (point: number): { colour: Colour; alpha: number } | undefined => {
    const value = values.get(point);
    if (value === undefined) return { colour: soft, alpha: 0.15 };
    if (typeof value === "string") return { colour: colours.get(value) ?? soft, alpha: colours.has(value) ? 0.9 : 0.3 };
    const share = most > least ? Math.min(1, Math.max(0, (value - least) / (most - least))) : 1;
    return { colour: accent, alpha: 0.1 + 0.9 * share };
  };
  const legend = words.map(([word]) => ({ word, colour: colours.get(word)! }));
  return { shadeOf, legend, range: numbers.length > 0 ? ([least, most] as const) : undefined };
}
