/** The report of `bigvae eval` for people: a line for each measure, 95 % intervals in brackets. */
import type { Estimate } from "../eval/bootstrap.js";

/** What is long, and there with --json. */
const LEFT_OUT = new Set(["klPerDimension", "examples", "failures"]);

/** With fewer effective draws, an importance-sampling estimate is that of one draw. */
const LEAST_ESS = 10;

export function reportLines(report: object): string[] {
  const rows = Object.entries(report)
    .filter(([name]) => !LEFT_OUT.has(name))
    .flatMap(([name, value]) => rowsOf(name, value));
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
}

function rowsOf(name: string, value: unknown): [name: string, value: string][] {
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return [[name, value.join(", ")]];
  if (Array.isArray(value)) return value.map((item: object) => itemRow(name, item));
  if (typeof value !== "object" || value === null || isEstimate(value)) return [[name, shown(value)]];
  return Object.entries(value).flatMap(([part, item]) => rowsOf(`${name}, ${part}`, item));
}

/** An item of a list is named by its first field. */
function itemRow(name: string, item: object): [string, string] {
  const [[key, first], ...rest] = Object.entries(item) as [[string, unknown], ...[string, unknown][]];
  const values = rest.map(([field, value]) => `${field} ${shown(value)}`).join(", ");
  const isNone = "ess" in item && (item.ess as Estimate).value < LEAST_ESS;
  return [`${name}, ${key} ${shown(first)}`, isNone ? `${values}; ess below ${LEAST_ESS}: not an estimate` : values];
}

function isEstimate(value: object): value is Estimate {
  return "value" in value && "low" in value && "high" in value;
}

function shown(value: unknown): string {
  if (typeof value === "number") return rounded(value);
  if (typeof value !== "object" || value === null || !isEstimate(value)) return `${value}`;
  return `${rounded(value.value)} [${rounded(value.low)}, ${rounded(value.high)}]`;
}

/** 0.9123, 1235, 1.2e8 */
function rounded(value: number): string {
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e9) return `${value}`;
  if (size >= 1e6 || size < 1e-3) return value.toExponential(1).replace("e+", "e");
  return `${Number(value.toPrecision(4))}`;
}
