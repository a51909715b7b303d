import { expect, it } from "vitest";
import { reportLines } from "./evalReport.js";

it("is aligned, rounded, and says what is no estimate", () => {
  const estimate = (value: number) => ({ value, low: value / 3, high: value * 3 });
  const report = {
    spans: 1200,
    editSimilarity: estimate(0.912345),
    klPerDimension: [1, 2],
    factors: ["who", "where"],
    mutualInformation: { value: 4.123456, cap: Math.log(200) },
    perplexity: [
      { draws: 1, value: estimate(123456789.5), ess: estimate(1) },
      { draws: 100, value: estimate(31.4159), ess: estimate(20) },
    ],
    examples: [{ from: "a", to: "b", blend: "c" }],
  };
  expect(reportLines(report)).toEqual([
    "spans                     1200",
    "editSimilarity            0.9123 [0.3041, 2.737]",
    "factors                   who, where",
    "mutualInformation, value  4.123",
    "mutualInformation, cap    5.298",
    "perplexity, draws 1       value 1.2e8 [4.1e7, 3.7e8], ess 1 [0.3333, 3]; ess below 10: not an estimate",
    "perplexity, draws 100     value 31.42 [10.47, 94.25], ess 20 [6.667, 60]",
  ]);
});
