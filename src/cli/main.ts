#!/usr/bin/env node
/** The command `bigvae`: a Node that is too old is refused before anything else is loaded. */
import type { BigVaeError } from "../errors.js";
import { checkNode } from "../nodeVersion.js";

try {
  checkNode(process.versions.node);
} catch (error) {
  const { message, exitCode } = error as BigVaeError;
  process.stderr.write(`bigvae: ${message}\n`);
  process.exit(exitCode);
}
await import("./program.js");
