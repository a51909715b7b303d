import { Command } from "@commander-js/extra-typings";
import { expect, it } from "vitest";
import { nameFlagsOf, withFlags } from "./flags.js";

it("a message names the flags of the command that runs, and other options by their bare names", () => {
  const message = "`nAvg`, `nSteps`, `span`: give `tokenizer`, `length` or run `ulimit -n`";
  expect(withFlags(message)).toBe("nAvg, nSteps, span: give tokenizer, length or run `ulimit -n`");
  nameFlagsOf(new Command().option("--n-avg <n>").option("--steps <n>").option("--span <n>"));
  expect(withFlags(message)).toMatch(/^--n-avg, --steps, --span: give tokenizer, length/);
  nameFlagsOf(new Command().option("--context <n>").option("--tokenizer <path>"));
  expect(withFlags(message)).toMatch(/^nAvg, nSteps, span: give --tokenizer, length/);
});
