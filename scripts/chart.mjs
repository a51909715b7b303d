/** A line chart as SVG: axes, 95 % intervals as bands, each line named at its right end; readable on light and on dark pages. */

const [WIDTH, HEIGHT] = [720, 400];
const PLOT = { left: 64, right: 560, top: 44, bottom: 344 };
/** Least distance of two labels. */
const LABEL_STEP = 17;
/** Least distance of two numbers below the plot. */
const TICK_STEP = 34;

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #333 }
  .title { font-size: 15px; font-weight: 600 }
  .grid { stroke: #8884; stroke-width: 1 }
  .line { fill: none; stroke-width: 2.2 }
  .dashed { stroke-dasharray: 5 4 }
  .band { opacity: 0.15 }
  .stroke-0 { stroke: #1f6fb4 } .fill-0 { fill: #1f6fb4 }
  .stroke-1 { stroke: #b4531f } .fill-1 { fill: #b4531f }
  @media (prefers-color-scheme: dark) {
    text { fill: #ddd }
    .stroke-0 { stroke: #6db3ee } .fill-0 { fill: #6db3ee }
    .stroke-1 { stroke: #f0a070 } .fill-1 { fill: #f0a070 }
  }`;

/**
 * @param {{ title: string, xLabel: string, yLabel: string, yFrom: number, yTo?: number,
 *   lines: { label: string, color: 0 | 1, dashed: boolean, points: { x: number, value: number, low: number, high: number }[] }[] }} options
 *   yTo: what the values reach where it is left out.
 * @returns {string} An SVG document.
 */
export function chart({ title, xLabel, yLabel, yFrom, yTo, lines }) {
  const all = lines.flatMap(({ points }) => points);
  const yTicks = ticks(yFrom, yTo ?? Math.max(...all.map(({ high }) => high)));
  const xs = [...new Set(all.map(({ x }) => x))].sort((a, b) => a - b);
  const x = scale([0, xs.at(-1)], [PLOT.left, PLOT.right]);
  const xTicks = apart(xs, x);
  const y = scale([yFrom, yTicks.at(-1)], [PLOT.bottom, PLOT.top]);
  const digits = yTicks.some((tick) => !Number.isInteger(tick)) ? 1 : 0;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<style>${STYLE}\n</style>`,
    text(PLOT.left, 22, title, { class: "title" }),
    ...yTicks.flatMap((tick) => [
      `<path class="grid" d="M${PLOT.left} ${y(tick)}H${PLOT.right}"/>`,
      text(PLOT.left - 8, y(tick) + 4, tick.toFixed(digits), { "text-anchor": "end" }),
    ]),
    ...xTicks.flatMap((tick) => [
      `<path class="grid" d="M${x(tick)} ${PLOT.bottom}v5"/>`,
      text(x(tick), PLOT.bottom + 20, `${tick}`, { "text-anchor": "middle" }),
    ]),
    text((PLOT.left + PLOT.right) / 2, HEIGHT - 12, xLabel, { "text-anchor": "middle" }),
    text(0, 0, yLabel, {
      "text-anchor": "middle",
      transform: `translate(18 ${(PLOT.top + PLOT.bottom) / 2}) rotate(-90)`,
    }),
    ...lines.flatMap(({ color, dashed, points }) => [
      `<path class="band fill-${color}" d="${bandOf(points, x, y)}"/>`,
      `<path class="line stroke-${color}${dashed ? " dashed" : ""}" d="${pathOf(points.map((p) => [x(p.x), y(p.value)]))}"/>`,
      ...points.map((p) => `<circle class="fill-${color}" cx="${x(p.x)}" cy="${y(p.value)}" r="2.8"/>`),
    ]),
    ...labels(lines, y),
    "</svg>\n",
  ];
  return parts.join("\n");
}

/** Each line's label beside its last point, moved down where another stands there. */
function labels(lines, y) {
  const placed = lines
    .map(({ label, color, points }) => ({ label, color, at: y(points.at(-1).value) + 4 }))
    .sort((a, b) => a.at - b.at);
  for (let i = 1; i < placed.length; i++) placed[i].at = Math.max(placed[i].at, placed[i - 1].at + LABEL_STEP);
  const beyond = Math.max(placed.at(-1).at - (PLOT.bottom + 4), 0);
  return placed.map(({ label, color, at }) =>
    text(PLOT.right + 10, round(at - beyond), label, { class: `fill-${color}` }),
  );
}

/** About five round numbers from `from` to at least `to`. */
function ticks(from, to) {
  const rough = (to - from) / 5;
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * size).find((each) => each >= rough - 1e-12);
  const count = Math.ceil((to - from) / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, i) => from + i * step);
}

/** The largest of the numbers, and those below it that have room. */
function apart(xs, place) {
  const kept = [];
  for (const x of xs.toReversed()) if (kept.length === 0 || place(kept[0]) - place(x) >= TICK_STEP) kept.unshift(x);
  return kept;
}

function scale([from, to], [start, end]) {
  return (value) => round(start + ((value - from) / (to - from)) * (end - start));
}

function round(value) {
  return Math.round(value * 10) / 10;
}

function pathOf(points) {
  return `M${points.map((point) => point.join(" ")).join("L")}`;
}

function bandOf(points, x, y) {
  const edge = (side) => points.map((point) => [x(point.x), y(point[side])]);
  return `${pathOf([...edge("high"), ...edge("low").reverse()])}Z`;
}

function text(x, y, content, attributes = {}) {
  const rest = Object.entries(attributes).map(([name, value]) => ` ${name}="${value}"`);
  return `<text x="${x}" y="${y}"${rest.join("")}>${escaped(content)}</text>`;
}

/** Text inside XML. */
export function escaped(content) {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
