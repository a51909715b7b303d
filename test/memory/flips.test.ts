/** Flipped bits in the files of a memory: what is read is what was written, or an error that names it. BIGVAE_FLIPS=10000 is the long form. */
import { cp, open, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { BigVaeError } from "../../src/errors.js";
import { type FoundRecord, type MemoryRecord, openMemory, repairMemory } from "../../src/memory/index.js";
import { Rng } from "../../src/rng.js";
import { inFolder, recordOf, recordsOf, SPACE } from "./make.js";

const FLIPS = Number(process.env.BIGVAE_FLIPS ?? 150);
const RECORDS = 60;
const QUERY = recordOf(9000).z;

/** What a sound memory answers. */
interface Answers {
  records: MemoryRecord[];
  near: FoundRecord[];
}

it(
  `gives the right answer or an error that says where, at ${FLIPS} flips; a repair keeps what is sound`,
  () =>
    inFolder(async (root) => {
      const [sound, broken] = [join(root, "sound"), join(root, "broken")];
      const memory = await openMemory(sound, SPACE);
      await memory.add(recordsOf(RECORDS));
      await memory.delete([7, 8]);
      const right: Answers = { records: [], near: await memory.search({ z: QUERY, count: 5 }) };
      for (const id of await memory.ids()) right.records.push(await memory.record(id));
      await memory.close();
      const rng = Rng.fromSeed("flips");
      const outcomes = { right: 0, record: 0, file: 0 };
      for (let flip = 0; flip < FLIPS; flip++) {
        await rm(broken, { recursive: true, force: true });
        await cp(sound, broken, { recursive: true });
        const where = await flipBit(broken, rng);
        const failures = await differences(broken, right, where);
        if (failures.length === 0) outcomes.right++;
        else if (failures.some((message) => /record \d+/.test(message))) outcomes.record++;
        else outcomes.file++;
        if (flip % 10 > 0) continue;
        await repairAndCheck(broken, right, where);
      }
      console.info(`${FLIPS} flips: ${JSON.stringify(outcomes)}`);
      expect(outcomes.record).toBeGreaterThan(FLIPS / 20);
      expect(outcomes.right).toBeGreaterThan(FLIPS / 20);
    }),
  1000 * FLIPS,
);

/** Flips one bit of one of the files, each as likely as it is long; says where. */
async function flipBit(folder: string, rng: Rng): Promise<string> {
  const names = (await readdir(folder)).sort();
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
  let at = rng.integer(sizes.reduce((sum, size) => sum + size, 0));
  const file = sizes.findIndex((size) => {
    if (at < size) return true;
    at -= size;
    return false;
  });
  const path = join(folder, names[file]!);
  const bytes = await readFile(path);
  const bit = rng.integer(8);
  const handle = await open(path, "r+");
  await handle.write(Uint8Array.of(bytes[at]! ^ (1 << bit)), 0, 1, at);
  await handle.close();
  return `${names[file]}, byte ${at}, bit ${bit}`;
}

/** Errors of a memory; throws where it gives a wrong answer without one. */
async function differences(folder: string, right: Answers, where: string): Promise<string[]> {
  const failures: string[] = [];
  const attempt = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof BigVaeError)) throw new Error(`${where}: ${error}`, { cause: error });
      failures.push(error.message);
      return undefined;
    }
  };
  const memory = await attempt(() => openMemory(folder, SPACE));
  if (!memory) return failures;
  for (const record of right.records) {
    const read = await attempt(() => memory.record(record.id));
    if (read) expect(read, where).toEqual(record);
  }
  const near = await attempt(() => memory.search({ z: QUERY, count: 5 }));
  if (near) expect(near, where).toEqual(right.near);
  const exact = await attempt(() => memory.search({ z: QUERY, count: 5, exact: true }));
  if (exact) expect(exact, where).toEqual(right.near);
  await attempt(() => memory.close());
  return failures;
}

async function repairAndCheck(folder: string, right: Answers, where: string): Promise<void> {
  let lost: number[];
  try {
    ({ lost } = await repairMemory(folder, SPACE));
  } catch (error) {
    // Where the file's own head is damaged, SQLite reads nothing of it.
    if (error instanceof BigVaeError && error.kind === "format") return;
    throw new Error(`${where}: ${error}`, { cause: error });
  }
  const memory = await openMemory(folder, SPACE);
  const kept = right.records.filter(({ id }) => !lost.includes(id));
  expect(await memory.ids(), where).toEqual(kept.map(({ id }) => id));
  for (const record of kept) expect(await memory.record(record.id), where).toEqual(record);
  expect(await memory.verify(), where).toEqual({ records: kept.length, problems: [] });
  await memory.close();
}
