/** Free memory, and whether a model fits: refused before anything is allocated. */
import { readFileSync } from "node:fs";
import { freemem } from "node:os";
import { weightBytes } from "../engine/baseModel.js";
import type { AdapterForm } from "../engine/sessions.js";
import { BigVaeError } from "../errors.js";
import type { ModelConfig } from "../model/config.js";

/** Bytes that can be taken: MemAvailable, less where a control group allows less. */
export function availableBytes(): number {
  const system = fromMeminfo() ?? freemem();
  return Math.min(system, controlGroupRoom());
}

function fromMeminfo(): number | undefined {
  const found = /^MemAvailable:\s+(\d+) kB$/m.exec(readText("/proc/meminfo"));
  return found ? Number(found[1]) * 1024 : undefined;
}

function controlGroupRoom(): number {
  const limit = Number.parseInt(readText("/sys/fs/cgroup/memory.max"), 10);
  const used = Number.parseInt(readText("/sys/fs/cgroup/memory.current"), 10);
  return Number.isFinite(limit) && Number.isFinite(used) ? limit - used : Number.POSITIVE_INFINITY;
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Memory of the process without a model: Node, ONNX Runtime, this library. */
const PROCESS_BYTES = 150e6;

/**
 * Bytes that a model takes at work. The weights lie in memory once; a merged adapter holds a packed copy, of which encoder and
 * router are the usual two, and while a copy is made its source lies beside it.
 */
export function neededBytes(config: ModelConfig, form: AdapterForm): number {
  const weights = weightBytes(config);
  return PROCESS_BYTES + weights * (form === "merged" ? 4 : 1.2);
}

/** Throws "memory" with need, have and what to do. */
export function checkFits(config: ModelConfig, form: AdapterForm, available = availableBytes()): void {
  const need = neededBytes(config, form);
  if (need <= available) return;
  const megabytes = (bytes: number) => `${Math.ceil(bytes / 1e6)} MB`;
  throw new BigVaeError(
    "memory",
    `model: expected ${megabytes(need)} of free memory, got ${megabytes(available)}; close other programs, or choose a smaller model`,
  );
}

/** Merged copies where the memory is there, one shared base otherwise. */
export function chooseForm(config: ModelConfig, available = availableBytes()): AdapterForm {
  return neededBytes(config, "merged") * 1.5 < available ? "merged" : "unmerged";
}
