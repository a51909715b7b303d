/**
 * What a memory of drafts does over a long session, as docs/memory/*.svg and as a table on standard output, from what
 * `bigvae eval --measure memory --json` printed for some seeds, guided and with --cfg 1:
 * node scripts/memoryCurves.mjs guided-1.json,guided-2.json,... free-1.json,free-2.json,...
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { chart } from "./chart.mjs";

const [guided, free] = process.argv
  .slice(2)
  .map((list) => list.split(",").map((path) => JSON.parse(readFileSync(path, "utf8"))));
if (!free) throw new Error("usage: memoryCurves.mjs GUIDED.json,... UNGUIDED.json,...");

/** The mean over the seeds of a value of each part of the session, and its range. */
function curve(reports, value) {
  return reports[0].parts.map(({ spans: x }, i) => {
    const values = reports.map(({ parts }) => value(parts[i]));
    return { x, value: mean(values), low: Math.min(...values), high: Math.max(...values) };
  });
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const lines = (of) => of.map(([label, color, dashed, points]) => ({ label, color, dashed, points }));
const xLabel = "spans of the session (mean and range of the seeds)";
const CHARTS = {
  recalled: {
    title: "Drafts recalled from the memory",
    yLabel: "share",
    yTo: 1,
    lines: lines([
      ["of drafts", 0, false, curve(guided, ({ recalled }) => recalled)],
      ["of spans, all drafts", 0, true, curve(guided, ({ allRecalled }) => allRecalled)],
    ]),
  },
  time: {
    title: "Time of a span, in times of plain sampling",
    yLabel: "times plain sampling",
    lines: lines([
      ["guided, all", 0, false, curve(guided, ({ secondsPerSpan, secondsPlain }) => secondsPerSpan / secondsPlain)],
      [
        "all recalled",
        0,
        true,
        curve(guided, ({ secondsAllRecalled, secondsPlain }) => secondsAllRecalled / secondsPlain),
      ],
      ["--cfg 1, all", 1, false, curve(free, ({ secondsPerSpan, secondsPlain }) => secondsPerSpan / secondsPlain)],
      [
        "all recalled",
        1,
        true,
        curve(free, ({ secondsAllRecalled, secondsPlain }) => secondsAllRecalled / secondsPlain),
      ],
    ]),
  },
};
mkdirSync("docs/memory", { recursive: true });
for (const [name, options] of Object.entries(CHARTS))
  writeFileSync(`docs/memory/${name}.svg`, chart({ xLabel, yFrom: 0, ...options }));

const interval = ({ value, low, high }) => `${value.toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}]`;
for (const [name, reports] of Object.entries({ guided, "--cfg 1": free }))
  for (const kind of ["written", "recalled"])
    for (const { [kind]: prose } of reports) {
      const { lossAbovePlain, gainFromZ, topicKept, written, distinctSpans } = prose;
      const cells = [interval(lossAbovePlain), interval(gainFromZ), interval(topicKept)];
      const repeated = `${(100 * written.repeatedGrams.value).toFixed(1)} %`;
      process.stdout.write(`| ${name}, ${kind} | ${[...cells, repeated, interval(distinctSpans)].join(" | ")} |\n`);
    }
