/** Checks of the options of samplers, before anything is written. */
import { BigVaeError } from "../errors.js";
import type { SamplingOptions, Weights } from "./model.js";

/** The valid range of an option in words, and its test. */
const whole = ["a whole number of at least 1", (value: number) => Number.isSafeInteger(value) && value >= 1] as const;
const notNegative = ["a number of at least 0", (value: number) => Number.isFinite(value) && value >= 0] as const;

const RULES = {
  nSteps: whole,
  nAvg: whole,
  span: whole,
  tau: notNegative,
  noise: notNegative,
  cfgScale: notNegative,
  nStarts: whole,
  nTries: whole,
} as const;

/** @throws BigVaeError("usage") for an option out of its range, or a weight that the sampler does not have. */
export function checkOptions(
  sampler: string,
  options: SamplingOptions & { nStarts?: number; nTries?: number },
  own: Weights,
): void {
  for (const [name, [expected, fits]] of Object.entries(RULES)) {
    const got = options[name as keyof typeof RULES];
    if (got !== undefined && !fits(got))
      throw new BigVaeError("usage", {
        subject: sampler,
        expected: `\`${name}\` to be ${expected}`,
        got: `${got}`,
        remedy: "leave it out for the default",
      });
  }
  const { weights = {} } = options;
  if (typeof weights !== "object" || weights === null)
    throw new BigVaeError("usage", {
      subject: sampler,
      expected: "`weights` to be an object of numbers by name",
      got: `${weights}`,
      remedy: "leave it out for the sampler's own",
    });
  const names = Object.keys(own);
  for (const [name, value] of Object.entries(weights)) {
    if (names.includes(name) && Number.isFinite(value)) continue;
    const expected = names.length > 0 ? `numbers for ${names.join(", ")}` : "no weights, as it has none";
    throw new BigVaeError("usage", {
      subject: sampler,
      expected,
      got: `${name} = ${value}`,
      remedy: "leave it out for the sampler's own",
    });
  }
}
