/** A folder of strategies: named task vectors and templates of plans, of which every version is kept until it is removed. */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { BigVaeError } from "../errors.js";
import { makeFolder } from "../formats/fileOps.js";
import { lockFolder, writeFileAtomic } from "../formats/index.js";
import type { NamedLatent } from "../host/latentFiles.js";
import type { Latent, SpaceIdentity } from "../latent/index.js";
import type { TaskVector } from "../sampling/model.js";
import { Fields, latentField, readJson, spaceField, wrong } from "./jsonFields.js";
import { isSheetOf, writeWithLatents } from "./latentSheet.js";
import { latentsOf, named, type StoredWaypoint, waypointsField, withReferences } from "./planFile.js";

const KIND = "bigvae strategy";

/** How to write: what to resemble, which places to pass, or both. */
export interface Strategy {
  /** Of which space its latents are. */
  space: SpaceIdentity;
  /** What its examples have in common. */
  task?: TaskVector;
  /** Places to pass. */
  plan?: readonly StoredWaypoint[];
  /** Where the plan begins, [W]: applied elsewhere, it is moved by analogy (`transposed`). Without it the plan is taken as it is. */
  origin?: Latent;
  /** The strategies that it was merged from, as NAME@VERSION. */
  from?: readonly string[];
}

/** A version of a strategy. */
export interface NamedStrategy extends Strategy {
  /** By which it is applied. */
  name: string;
  /** From 1 on; the number of a version that was removed is not given again. */
  version: number;
}

/** A name in a folder of strategies. */
export interface ListedStrategy {
  /** By which it is applied. */
  name: string;
  /** Numbers of the versions that are there, the newest last. */
  versions: number[];
}

/** How long a writer waits for another one of the same name. */
const WAIT_MS = 1000;

const VERSION_FILE = /^(\d+)\.(json|removed)$/;

/** Throws "usage" for a name that would be no folder of its own. "NAME@VERSION" names a version, NAME the newest. */
function parseStrategyName(given: string): { name: string; version?: number } {
  const [, name, version] = /^([\p{L}\d][\p{L}\d._-]{0,99})(?:@(\d{1,9}))?$/u.exec(given) ?? [];
  // A folder's name has 255 bytes at most.
  if (name !== undefined && Buffer.byteLength(name) <= 255)
    return { name, ...(version === undefined ? {} : { version: Number(version) }) };
  throw new BigVaeError("usage", {
    subject: `strategy ${JSON.stringify(given.slice(0, 40))}`,
    expected: "a name of letters, digits, dots, hyphens and underscores, or NAME@VERSION",
    got: "another one",
    remedy: "choose another name",
  });
}

/** The name that a strategy is saved by. Throws "usage" for one with a version, which cannot be chosen, and as `parseStrategyName`. */
export function newStrategyName(given: string): string {
  const { name, version } = parseStrategyName(given);
  if (version === undefined) return name;
  throw new BigVaeError("usage", {
    subject: `strategy ${given}`,
    expected: "a name alone, which gets the next version",
    got: `version ${version}`,
    remedy: `save it as ${name}`,
  });
}

/** Strategies of one folder. */
export class Strategies {
  constructor(
    /** Made when the first is saved. */
    readonly folder: string,
  ) {}

  /** Keeps a strategy as the next version of its name, and returns which that is. Throws "locked" where somebody else writes it for longer than a second, "disk". */
  async save(given: string, strategy: Strategy): Promise<number> {
    const name = newStrategyName(given);
    if (strategy.task && !Number.isSafeInteger(strategy.task.examples))
      throw new BigVaeError("usage", {
        subject: `strategy ${name}`,
        expected: "as many examples as can be counted",
        got: strategy.task.examples,
        remedy: "give the task vectors the numbers of their examples",
      });
    if (!strategy.task && !strategy.plan) throw wrong(`strategy ${name}`, "a task vector, a plan, or both", undefined);
    const folder = join(this.folder, name);
    await makeFolder(folder);
    const lock = await lockFolder(folder, WAIT_MS);
    try {
      const { all } = await this.#numbers(name);
      const version = Math.max(0, ...all) + 1;
      await write(join(folder, `${version}.json`), strategy);
      return version;
    } finally {
      await lock.release();
    }
  }

  /** A version of a strategy, by default the newest. Throws "usage" where there is none, "format" for a damaged file. */
  async open(given: string): Promise<NamedStrategy> {
    const { name, version } = await this.#find(given);
    const path = join(this.folder, name, `${version}.json`);
    return { name, version, ...(await read(path)) };
  }

  /** Throws "usage" where there is no such strategy; it may be damaged. */
  async require(given: string): Promise<void> {
    await this.#find(given);
  }

  /** All names, in alphabetical order, with their versions. */
  async list(): Promise<ListedStrategy[]> {
    const names = await readdir(this.folder, { withFileTypes: true }).catch(() => []);
    const folders = names.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
    const found = await Promise.all(
      folders.sort().map(async (name) => ({ name, versions: (await this.#numbers(name)).there })),
    );
    return found.filter(({ versions }) => versions.length > 0);
  }

  /** Removes a version, or with a name alone all of them; returns how many. Throws "usage" where there is none. */
  async remove(given: string): Promise<number> {
    const { name, version } = parseStrategyName(given);
    const found = await this.#find(given);
    const folder = join(this.folder, name);
    const lock = await lockFolder(folder, WAIT_MS);
    try {
      const versions = version === undefined ? (await this.#numbers(name)).there : [found.version];
      for (const each of versions) await removeVersion(folder, each);
      return versions.length;
    } finally {
      await lock.release();
    }
  }

  async #find(given: string): Promise<{ name: string; version: number }> {
    const { name, version } = parseStrategyName(given);
    const { there } = await this.#numbers(name);
    const wanted = version ?? there.at(-1);
    if (wanted !== undefined && there.includes(wanted)) return { name, version: wanted };
    const known = (await this.list()).map((each) => each.name).join(", ");
    throw new BigVaeError("usage", {
      subject: `strategy ${given}`,
      expected: there.length > 0 ? `one of the versions ${there.join(", ")}` : `a strategy in ${this.folder}`,
      got: there.length > 0 ? `${version}` : "none of this name",
      remedy: there.length > 0 ? "name one of them" : known === "" ? "save one first" : `there are ${known}`,
    });
  }

  /** Numbers of the versions that are there, and of all that ever were, in their order. */
  async #numbers(name: string): Promise<{ there: number[]; all: number[] }> {
    const names = await readdir(join(this.folder, name)).catch(() => []);
    const found = names.flatMap((file) => {
      const [, number, kind] = VERSION_FILE.exec(file) ?? [];
      return number === undefined ? [] : [{ number: Number(number), kind }];
    });
    const sorted = (numbers: number[]) => numbers.sort((a, b) => a - b);
    return {
      there: sorted(found.filter(({ kind }) => kind === "json").map(({ number }) => number)),
      all: sorted(found.map(({ number }) => number)),
    };
  }
}

/** Leaves a mark, so that the number is not given again. */
async function removeVersion(folder: string, version: number): Promise<void> {
  await writeFileAtomic(join(folder, `${version}.removed`), "");
  await rm(join(folder, `${version}.json`), { force: true });
  for (const name of await readdir(folder)) if (isSheetOf(name, `${version}`)) await rm(join(folder, name));
}

async function write(path: string, { space, task, plan, origin, from }: Strategy): Promise<void> {
  const own: NamedLatent[] = [...(task ? [task] : []), ...(origin ? [{ z: origin }] : [])];
  await writeWithLatents(path, [...own, ...latentsOf(plan ?? [])], (references) => ({
    kind: KIND,
    space: named(space),
    ...(task ? { task: { z: references[0], examples: task.examples } } : {}),
    ...(origin ? { origin: { z: references[own.length - 1] } } : {}),
    ...(plan ? { plan: withReferences(plan, references.slice(own.length)) } : {}),
    ...(from ? { from } : {}),
  }));
}

async function read(path: string): Promise<Strategy> {
  const file = (await readJson(path, KIND)).only("kind", "space", "task", "origin", "plan", "from");
  const space = spaceField(file);
  const { values } = file;
  if (!file.has("task") && !file.has("plan")) throw wrong(path, "a task vector, a plan, or both", undefined);
  const task = file.has("task") ? Fields.of(`${path}, task`, values.task).only("z", "examples") : undefined;
  const origin = file.has("origin") ? Fields.of(`${path}, origin`, values.origin).only("z") : undefined;
  const from = file.has("from") ? file.list("from").map((each) => `${each}`) : undefined;
  return {
    space,
    ...(task ? { task: { z: (await latentField(path, task, "z", space)).z, examples: task.whole("examples") } } : {}),
    ...(origin ? { origin: (await latentField(path, origin, "z", space)).z } : {}),
    ...(file.has("plan") ? { plan: await waypointsField(path, file, "plan", space) } : {}),
    ...(from ? { from } : {}),
  };
}
