/** `bigvae doctor`: what this machine has, what was found, and one hint per problem. */
import { availableParallelism, totalmem } from "node:os";
import { Command } from "@commander-js/extra-typings";
import { adapterPlaces } from "../../checkpoint/layout.js";
import { EXIT_CODES } from "../../errors.js";
import { add, input, toOnnx } from "../../graph/index.js";
import { availableBytes } from "../../host/memory.js";
import { findModel } from "../../host/modelFiles.js";
import { onnxNodeRuntime } from "../../runtime/onnxNode.js";
import { float32 } from "../../runtime/runtime.js";
import type { AdapterRole } from "../../vae/roles.js";
import { withFlags } from "../flags.js";
import { printJson, withOutput } from "../shared.js";
import { packageVersion } from "../version.js";

interface Check {
  name: string;
  ok: boolean;
  found: string;
  hint?: string;
  /** What each adapter of the model does, by name. */
  adapters?: Readonly<Record<string, AdapterRole>>;
}

export function doctorCommand() {
  return withOutput(new Command("doctor").description("Check this machine: Node, memory, ONNX Runtime, the model."))
    .option("--model <name>", '"pocket", a model\'s folder or a .gguf file', "pocket")
    .addHelpText("after", "\nExample:\n  bigvae doctor")
    .action(async ({ json, quiet, model: name }) => {
      const checks = [node(), memory(), await runtime(), await model(name)];
      for (const check of checks) {
        if (json) printJson(check);
        else if (!quiet || !check.ok)
          process.stdout.write(
            `${check.ok ? "ok  " : "FAIL"}  ${check.name}: ${check.found}${check.hint ? `\n      ${check.hint}` : ""}\n`,
          );
      }
      if (checks.some(({ ok }) => !ok)) process.exitCode = EXIT_CODES.unsupported;
    });
}

function node(): Check {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const ok = major > 20 || (major === 20 && minor >= 19);
  const found = `bigvae ${packageVersion()}, Node ${process.versions.node} on ${process.platform}-${process.arch}, ${availableParallelism()} cores`;
  return { name: "node", ok, found, ...(ok ? {} : { hint: "Install Node 20.19 or later." }) };
}

function memory(): Check {
  const [free, total] = [availableBytes() / 1e9, totalmem() / 1e9];
  const ok = free > 0.5;
  const found = `${free.toFixed(1)} GB free of ${total.toFixed(1)} GB`;
  return {
    name: "memory",
    ok,
    found,
    ...(ok ? {} : { hint: "Close other programs: the pocket model takes about 300 MB." }),
  };
}

async function runtime(): Promise<Check> {
  try {
    const session = await onnxNodeRuntime().createSession(toOnnx({ y: add(input("x", [1]), 1) }));
    const { y } = await session.run({ x: float32(Float32Array.of(1), 1) });
    await session.release();
    return { name: "onnxruntime-node", ok: y!.data[0] === 2, found: "computes on the CPU" };
  } catch (error) {
    const hint =
      "Install again with npm ci on this machine; the package brings libraries for Linux, macOS and Windows.";
    return { name: "onnxruntime-node", ok: false, found: `${error}`, hint };
  }
}

async function model(name: string): Promise<Check> {
  try {
    const { base, adapters: folder } = await findModel(name);
    if (folder === undefined) return { name: "model", ok: true, found: `${base}, without adapters` };
    const places = await adapterPlaces(folder);
    const found = `${base}, ${places.map(({ name, role }) => (name === role ? name : `${name} (${role})`)).join(", ")}`;
    return {
      name: "model",
      ok: true,
      found,
      adapters: Object.fromEntries(places.map(({ name, role }) => [name, role])),
    };
  } catch (error) {
    const hint = "Install the package again, or give --model a folder.";
    return { name: "model", ok: false, found: withFlags(error instanceof Error ? error.message : `${error}`), hint };
  }
}
