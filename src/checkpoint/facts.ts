/** bigvae.json: what a checkpoint says of itself, beside the files that a published BigVAE checkpoint has. */
import { join } from "node:path";
import { BigVaeError } from "../errors.js";
import { writeFileAtomic } from "../formats/atomic.js";
import { exists, readJsonObject } from "../formats/readFiles.js";
import { parseHubName } from "../hub/hubName.js";
import { type AdapterEntry, checkEntries } from "./adapterEntries.js";

/** The fields of bigvae.json, by their names there. */
export interface CheckpointFacts {
  /** sha256 of the base's weights file (of its files' hashes where there are several). */
  base_sha256?: string;
  /** Hub name of the base: owner/name, owner/name@revision. */
  base_model?: string;
  /** Tokens of a span. */
  span: number;
  /** Positions between z and a text without prefix. */
  gap: number;
  /** Slots of a latent; default: 1. */
  slots?: number;
  /** How several slots are placed: relative to their text, evenly. */
  places?: string;
  /** Which value of a latent with several slots is the length of its text: the last. */
  length?: string;
  /** RMS of sampled z over a data set. */
  ae_scale: number;
  /** Usual loss of the decoder on a span from its latent, nats per token: the mean over held-out spans. */
  decoder_loss?: number;
  /** The same of the base, without a latent. */
  base_loss?: number;
  /** Adapters beside encoder, decoder and router, by name. */
  adapters?: Readonly<Record<string, AdapterEntry>>;
}

/** What MiniHF trains with, and the release's ae_scale: a folder's facts by default. */
const ORIGINAL_FACTS: CheckpointFacts = { span: 64, gap: 64, ae_scale: 1.28125 };

/** The only supported layout of several slots. */
const SLOT_LAYOUT = { places: "relative", length: "last" } as const;

/** How slots are laid out and where a latent has its length; nothing for one slot. */
export function slotFacts(slots: number): Pick<CheckpointFacts, "slots" | "places" | "length"> {
  return slots > 1 ? { slots, ...SLOT_LAYOUT } : {};
}

/** The name of the file. */
export const FACTS = "bigvae.json";

/** Path of a checkpoint's facts, for errors. */
export function factsPath(folder: string): string {
  return join(folder, FACTS);
}

/** What a fact must be. */
interface FactRule {
  expected: string;
  holds(value: unknown): boolean;
  /** Whether a value names a feature that is not supported, rather than being malformed. */
  isForeign?(value: unknown): boolean;
}

/** Limit of tokens and slots, far beyond any window: a file must not decide how much memory is allocated. */
const MAX_COUNT = 2 ** 24;

const count = (least: number): FactRule => ({
  expected: `a whole number from ${least} to ${MAX_COUNT}`,
  holds: (value) => Number.isInteger(value) && (value as number) >= least && (value as number) <= MAX_COUNT,
});
const number = (expected: string, holds: (value: number) => boolean): FactRule => ({
  expected: `a number ${expected}`,
  holds: (value) => Number.isFinite(value) && holds(value as number),
});
const only = (known: string): FactRule => ({
  expected: JSON.stringify(known),
  holds: (value) => value === known,
  isForeign: (value) => typeof value === "string",
});

const RULES: { [K in keyof CheckpointFacts]-?: FactRule } = {
  base_sha256: { expected: "64 hexadecimal digits", holds: (value) => /^[0-9a-f]{64}$/.test(`${value}`) },
  base_model: { expected: "a hub name, owner/name", holds: (value) => parseHubName(`${value}`) !== undefined },
  span: count(1),
  gap: count(0),
  slots: count(1),
  places: only(SLOT_LAYOUT.places),
  length: only(SLOT_LAYOUT.length),
  ae_scale: number("above 0", (value) => value > 0),
  decoder_loss: number("of at least 0", (value) => value >= 0),
  base_loss: number("of at least 0", (value) => value >= 0),
  adapters: {
    expected: "an object of adapters by name",
    holds: (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  },
};

/**
 * bigvae.json, or what a published checkpoint means by leaving it out. Throws "format" for a field out of range, "unsupported" for one that
 * is not known, or for a name of something that is not.
 */
export async function readFacts(folder: string): Promise<CheckpointFacts> {
  if (!(await exists(factsPath(folder)))) return ORIGINAL_FACTS;
  return parseFacts(await readJsonObject(folder, FACTS), factsPath(folder));
}

/** The same of the content of a file; `path` names it in errors. */
export function parseFacts(json: object, path: string): CheckpointFacts {
  const given: Partial<CheckpointFacts> = json;
  for (const [name, value] of Object.entries(given)) checkFact(path, name, value);
  if (given.adapters) checkEntries(path, given.adapters);
  return { ...ORIGINAL_FACTS, ...given };
}

function checkFact(path: string, name: string, value: unknown): void {
  const rule = Object.hasOwn(RULES, name) ? RULES[name as keyof CheckpointFacts] : undefined;
  if (rule?.holds(value)) return;
  const isForeign = rule === undefined || (rule.isForeign?.(value) ?? false);
  const advice = isForeign ? "it is of another version: update bigvae" : "get the file again";
  throw new BigVaeError(isForeign ? "unsupported" : "format", {
    subject: path,
    expected: `${name} to be ${rule?.expected ?? "left out"}`,
    got: JSON.stringify(value),
    remedy: advice,
  });
}

/** Writes bigvae.json, its fields in the order given. @throws BigVaeError("disk") */
export async function writeFacts(folder: string, facts: CheckpointFacts): Promise<void> {
  await writeFileAtomic(factsPath(folder), `${JSON.stringify(facts, null, 2)}\n`);
}
