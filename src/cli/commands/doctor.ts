/** `bigvae doctor`: what this machine has, what was found, and one hint per problem. */
import { availableParallelism, totalmem } from "node:os";
import { Command } from "@commander-js/extra-typings";
import { BigVae, type Confidence } from "../../bigVae.js";
import { adapterPlaces } from "../../checkpoint/layout.js";
import { BigVaeError, EXIT_CODES } from "../../errors.js";
import { add, input } from "../../graph/index.js";
import { chosenFor, int8Gain } from "../../host/computeChoice.js";
import { availableBytes } from "../../host/memory.js";
import { findModel, readConfig } from "../../host/modelFiles.js";
import { onnxNodeRuntime } from "../../runtime/onnxNode.js";
import { float32 } from "../../runtime/runtime.js";
import type { AdapterRole } from "../../vae/roles.js";
import { withFlags } from "../flags.js";
import { MODEL_HELP, OF_BASE_ALONE, printJson, withOutput } from "../shared.js";
import { packageVersion } from "../version.js";

interface Check {
  name: string;
  ok: boolean;
  found: string;
  hint?: string;
  /** What each adapter of the model does, by name. */
  adapters?: Readonly<Record<string, AdapterRole>>;
  /** Of a check that failed; default: that of "unsupported". */
  exitCode?: number;
}

export function doctorCommand() {
  return withOutput(
    new Command("doctor").description("Check this machine: Node, memory, ONNX Runtime, the model and its adapters."),
  )
    .option("--model <name>", MODEL_HELP, "pocket")
    .option("--adapters <name>", "folder or hub name of the adapters, where it is another")
    .addHelpText("after", "\nExample:\n  bigvae doctor --model models/mistral --adapters models/bigvae")
    .action(async ({ json, quiet, model: name, adapters }) => {
      const checks: Check[] = [];
      for await (const check of allChecks(name, adapters)) {
        checks.push(check);
        if (json) printJson(check);
        else if (!quiet || !check.ok)
          process.stdout.write(
            `${check.ok ? "ok  " : "FAIL"}  ${check.name}: ${check.found}${check.hint ? `\n      ${check.hint}` : ""}\n`,
          );
      }
      const failed = checks.find(({ ok }) => !ok);
      if (failed) process.exitCode = failed.exitCode ?? EXIT_CODES.unsupported;
    });
}

async function* allChecks(model: string, adapters: string | undefined): AsyncGenerator<Check> {
  yield node();
  yield memory();
  yield await runtime();
  yield* modelChecks(model, adapters);
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
    const session = await onnxNodeRuntime().createSession({ y: add(input("x", [1]), 1) });
    const { y } = await session.run({ x: float32(Float32Array.of(1), 1) });
    await session.release();
    return { name: "onnxruntime-node", ok: y!.data[0] === 2, found: "computes on the CPU" };
  } catch (error) {
    const hint =
      "Install again with npm ci on this machine; the package brings libraries for Linux, macOS and Windows.";
    return { name: "onnxruntime-node", ok: false, found: `${error}`, hint };
  }
}

/** Of the model alone where it is not there, or is a base without adapters. */
async function* modelChecks(name: string, adapters: string | undefined): AsyncGenerator<Check> {
  try {
    const { base, adapters: folder } = await findModel(name, adapters);
    if (folder === undefined) {
      yield { name: "model", ok: true, found: `${base}, without adapters`, hint: `It takes ${OF_BASE_ALONE}.` };
      yield await int8(base);
      return;
    }
    const places = await adapterPlaces(folder);
    const found = `${base}, ${places.map(({ name, role }) => (name === role ? name : `${name} (${role})`)).join(", ")}`;
    const roles = Object.fromEntries(places.map(({ name, role }) => [name, role]));
    yield { name: "model", ok: true, found, adapters: roles };
    yield await int8(base);
    yield await latents(name, adapters);
  } catch (error) {
    if (!(error instanceof BigVaeError)) throw error;
    yield { name: "model", ok: false, found: withFlags(error.message), exitCode: error.exitCode };
  }
}

/** What `--compute auto` goes by. */
async function int8(base: string): Promise<Check> {
  const gain = await int8Gain(await readConfig(base), { runtime: onnxNodeRuntime() });
  const found = gain === 0 ? "not exact on this processor" : `${gain.toFixed(1)} times the rate of fp32`;
  return { name: "products in int8", ok: true, found: `${found}; --compute auto takes ${chosenFor(gain)}` };
}

/** A sentence that every model of English keeps. */
const PROBE = "The old man walked slowly through the wood and thought about his brother.";

/** Whether a plain sentence comes through its latent: adapters of another base have the shape of one that fits, and write rubbish. */
async function latents(name: string, adapters: string | undefined): Promise<Check> {
  const vae = await BigVae.load(name, adapters === undefined ? {} : { adapters });
  try {
    const encoded = await vae.encode([PROBE]);
    const [{ confidence, isKnown }] = (await vae.confidence(encoded)) as [Confidence];
    const found = `${vae.space.width} values; a plain sentence has confidence ${confidence.toFixed(2)}`;
    const hint = "These adapters may belong to another base: give the base that they were trained on as --model.";
    return { name: "latents", ok: isKnown, found, ...(isKnown ? {} : { hint }) };
  } finally {
    await vae.close();
  }
}
