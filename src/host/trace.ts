/** The trace of a run: trace.jsonl (a line per latent and per span) and latents.safetensors (every z, float32 [N, Z]). */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { BigVaeError } from "../errors.js";
import { readExpert } from "../expert/index.js";
import { makeFolder } from "../formats/fileOps.js";
import { openSafetensors, parseStrictJson, toPlain, writeFileAtomic, writeSafetensors } from "../formats/index.js";
import { refuseHolding } from "../formats/readFiles.js";
import type { Latent } from "../latent/index.js";
import type { ModelHashes } from "../remote/protocol.js";
import type { RngKey } from "../rng.js";
import type { LatentModel, PlanStep, Span, TokenIds, TracedLatent } from "../sampling/model.js";
import type { SpelledSpan } from "../sampling/runText.js";
import type { Tokenizer } from "../tokenizer/index.js";

const LINES = "trace.jsonl";
const LATENTS = "latents.safetensors";

/** What a trace needs of a model. */
interface TracedModel {
  tokenizer: Pick<Tokenizer, "decode">;
  facts: { width: number };
  /** By which a replay can tell another model. */
  hashes(): Promise<ModelHashes>;
}

interface ModelLine extends Pick<ModelHashes, "base" | "adapters"> {
  kind: "model";
  /** Values of a latent. */
  zDim: number;
}

interface LatentLine {
  kind: "latent";
  /** Row of latents.safetensors. */
  index: number;
  role: TracedLatent["role"];
  ids?: TokenIds;
  text?: string;
  parents: { index: number; weight: number }[];
  norm?: number;
  keyPull?: number;
}

interface SpanLine {
  kind: "span";
  ids: TokenIds;
  text: string;
  /** Row of the latent that it was written from. */
  latent: number;
  /** `recalled`: of a kept draft, its record in the memory. */
  drafts: { ids: TokenIds; text: string; from?: number; latent: number; recalled?: number }[];
  /** Of a run along a plan: rows of the waypoint's latent and of that of what was written; agreement, share, distance. */
  plan?: Omit<PlanStep, "asked" | "written"> & { asked: number; written: number };
  written: SavedWriting;
}

/** How a span was written; its key is `noise` in the file. */
type SavedWriting = Omit<Span["written"], "rngKey"> & { noise: RngKey };

type Line = ModelLine | LatentLine | SpanLine;

/** Roles of texts that go on from another one. */
const CONTINUATIONS: readonly TracedLatent["role"][] = ["span", "draft"];

/** A run as lines and, by the index of their latents, z; parents stand before what was mixed from them. */
export async function traceOf(
  spans: readonly SpelledSpan[],
  model: TracedModel,
): Promise<{ lines: Line[]; latents: Latent[] }> {
  const { tokenizer, facts } = model;
  const text = (ids: TokenIds, role: TracedLatent["role"]) =>
    tokenizer.decode(ids, { skipSpecial: true, continues: CONTINUATIONS.includes(role) });
  const { base, adapters } = await model.hashes();
  const header: ModelLine = { kind: "model", base, ...(adapters ? { adapters } : {}), zDim: facts.width };
  const lines: Line[] = [header];
  const rows = new Map<TracedLatent, number>();
  const rowOf = (latent: TracedLatent): number => {
    const known = rows.get(latent);
    if (known !== undefined) return known;
    const { role, ids, norm, keyPull } = latent;
    const parents = latent.parents.map(({ latent: parent, weight }) => ({ index: rowOf(parent), weight }));
    const index = rows.size;
    rows.set(latent, index);
    lines.push({ kind: "latent", index, role, parents, ...(ids ? { ids, text: text(ids, role) } : {}), norm, keyPull });
    return index;
  };
  for (const {
    ids,
    text: spelled,
    latent,
    drafts,
    plan,
    written: { rngKey, ...how },
  } of spans) {
    const traced = drafts.map((draft) => ({
      ids: draft.ids,
      text: text(draft.ids, "draft"),
      ...(draft.from ? { from: rowOf(draft.from) } : {}),
      latent: rowOf(draft.latent),
      ...(draft.recalled === undefined ? {} : { recalled: draft.recalled }),
    }));
    lines.push({
      kind: "span",
      ids,
      text: spelled,
      latent: rowOf(latent),
      drafts: traced,
      ...(plan ? { plan: { ...plan, asked: rowOf(plan.asked), written: rowOf(plan.written) } } : {}),
      written: { ...how, noise: rngKey },
    });
  }
  return { lines, latents: Array.from(rows.keys(), ({ z }) => z) };
}

/** @throws BigVaeError("usage") where a folder holds a trace already. */
export function refuseTraced(folder: string): Promise<void> {
  return refuseHolding(folder, "a trace", [LINES, LATENTS]);
}

/** Saves a run. */
export async function writeTrace(folder: string, spans: readonly SpelledSpan[], model: TracedModel): Promise<void> {
  const { lines, latents: zs } = await traceOf(spans, model);
  const { width } = model.facts;
  const data = new Float32Array(zs.length * width);
  for (const [row, z] of zs.entries()) data.set(z, row * width);
  const latents = { dtype: "F32" as const, shape: [zs.length, width], data };
  await makeFolder(folder);
  await writeSafetensors(join(folder, LATENTS), new Map([["z", latents]]));
  await writeFileAtomic(join(folder, LINES), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
}

/** A span written again, beside what was saved. */
export interface ReplayedSpan {
  saved: TokenIds;
  written: TokenIds;
  /** As it was saved. */
  text: string;
}

/**
 * Writes every span of a trace again from its latent. Throws "usage" where the folder holds no trace, "format" for a damaged one,
 * and "mismatch" where another model wrote it, or where a span comes out otherwise.
 */
export async function* replay(
  folder: string,
  model: TracedModel & { latentModel: LatentModel },
  signal?: AbortSignal,
): AsyncGenerator<ReplayedSpan, void, void> {
  const { header, spans } = await readTrace(folder);
  const { base, adapters } = await model.hashes();
  for (const [name, saved, got] of [
    ["base", header.base, base],
    ["adapters", header.adapters, adapters],
  ]) {
    if (saved === got) continue;
    throw new BigVaeError("mismatch", {
      subject: `replay ${folder}`,
      expected: saved ? `${name} with sha256 ${saved.slice(0, 12)}` : `no ${name}`,
      got: got?.slice(0, 12) ?? "none",
      remedy: "give `model` and `adapters` of the run",
    });
  }
  await checkExperts(folder, spans);
  const zs = await readTable(folder, model.facts.width);
  for (const [i, { ids: saved, text, latent, written: how }] of spans.entries()) {
    const { context, noise: rngKey, experts, ...options } = how;
    const z = zs.slice(latent * model.facts.width, (latent + 1) * model.facts.width);
    const [written] = await model.latentModel.write([{ z, rngKey, ...(experts ? { experts } : {}) }], context, {
      ...options,
      signal,
    });
    const at = written!.findIndex((id, t) => id !== saved[t]);
    if (at >= 0 || written!.length !== saved.length)
      throw new BigVaeError("mismatch", {
        subject: `replay ${folder}`,
        expected: `span ${i + 1} as saved`,
        got: `another token at ${at < 0 ? written!.length : at}`,
        remedy: "use the version, machine and threads of the run",
      });
    yield { saved, written: written!, text };
  }
}

/** Throws "mismatch" where another expert lies where one of the run did, and as `readExpert` where it is not there. */
async function checkExperts(folder: string, spans: readonly SpanLine[]): Promise<void> {
  const all = spans.flatMap(({ written }) => written.experts ?? []);
  // An expert that was replaced during the run is two.
  const shares = new Map(all.map((share) => [`${share.folder} ${share.sha256}`, share]));
  for (const { name, folder: place, sha256 } of shares.values()) {
    const { adapterSha256 } = await readExpert(place);
    if (sha256 === undefined || sha256 === adapterSha256) continue;
    throw new BigVaeError("mismatch", {
      subject: `replay ${folder}`,
      expected: `expert ${name} with sha256 ${sha256.slice(0, 12)}`,
      got: adapterSha256.slice(0, 12),
      remedy: `put the expert of the run at ${place}`,
    });
  }
}

async function readTrace(folder: string): Promise<{ header: ModelLine; spans: SpanLine[] }> {
  const path = join(folder, LINES);
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined)
    throw new BigVaeError("usage", {
      subject: "trace",
      expected: path,
      got: "no such file",
      remedy: "give a folder that a trace was saved in",
    });
  const lines = text.trim().split("\n");
  const [header, ...rest] = lines.map((line, i) => toPlain(parseStrictJson(line, `${path}, line ${i + 1}`)) as Line);
  const spans = rest.filter((line) => line.kind === "span");
  const isSound = ({ ids, text, latent, written }: SpanLine) =>
    Array.isArray(ids) &&
    typeof text === "string" &&
    Number.isInteger(latent) &&
    Array.isArray(written?.context) &&
    written.noise?.length === 4;
  if (header?.kind === "model" && spans.every(isSound)) return { header, spans };
  throw new BigVaeError("format", {
    subject: path,
    expected: "a line on the model and then whole spans",
    got: "something else",
    remedy: "save the run again",
  });
}

/** All z, one behind the other. */
async function readTable(folder: string, width: number): Promise<Float32Array> {
  const file = await openSafetensors(join(folder, LATENTS));
  try {
    if (file.names.includes("z") && file.info("z").shape[1] === width) return await file.readFloat32("z");
    throw new BigVaeError("format", {
      subject: join(folder, LATENTS),
      expected: `z of width ${width}`,
      got: "another table",
      remedy: "save the run again",
    });
  } finally {
    await file.close();
  }
}
