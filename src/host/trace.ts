/** The trace of a run: trace.jsonl (a line per latent and per span) and latents.safetensors (every z, float32 [N, Z]). */
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { BigVaeError } from "../errors.js";
import { openSafetensors, writeFileAtomic, writeSafetensors } from "../formats/index.js";
import type { LatentModel, Span, TokenIds, TracedLatent } from "../sampling/model.js";
import type { Tokenizer } from "../tokenizer/index.js";
import type { EngineFacts } from "./protocol.js";

/** What a trace names of the model, so that a replay can tell another one. */
interface TracedModel {
  tokenizer: Tokenizer;
  facts: EngineFacts;
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
}

interface SpanLine {
  kind: "span";
  ids: TokenIds;
  text: string;
  /** Row of the latent that it was written from. */
  latent: number;
  drafts: { ids: TokenIds; text: string; from: number; latent: number }[];
  written: Span["written"];
}

export class TraceWriter {
  readonly #rows = new Map<TracedLatent, number>();
  readonly #lines: object[] = [];
  readonly #zs: Float32Array[] = [];

  constructor(readonly folder: string) {}

  /** Writes both files; parents stand before what was mixed from them. */
  async write(spans: readonly Span[], { tokenizer, facts }: TracedModel): Promise<void> {
    const text = (ids: TokenIds) => tokenizer.decode(ids as number[]);
    this.#lines.push({ kind: "model", ...facts.hashes, zDim: facts.zDim });
    for (const { ids, latent, drafts, written } of spans) {
      const line: SpanLine = {
        kind: "span",
        ids,
        text: text(ids),
        latent: this.#row(latent, text),
        drafts: drafts.map((draft) => ({
          ids: draft.ids,
          text: text(draft.ids),
          from: this.#row(draft.from, text),
          latent: this.#row(draft.latent, text),
        })),
        written,
      };
      this.#lines.push(line);
    }
    await mkdir(this.folder, { recursive: true });
    const flat = new Float32Array(this.#zs.length * facts.zDim);
    for (const [i, z] of this.#zs.entries()) flat.set(z, i * facts.zDim);
    const latents = { dtype: "F32" as const, shape: [this.#zs.length, facts.zDim], data: flat };
    await writeSafetensors(join(this.folder, "latents.safetensors"), new Map([["z", latents]]));
    await writeFileAtomic(
      join(this.folder, "trace.jsonl"),
      this.#lines.map((line) => `${JSON.stringify(line)}\n`).join(""),
    );
  }

  #row(latent: TracedLatent, text: (ids: TokenIds) => string): number {
    const known = this.#rows.get(latent);
    if (known !== undefined) return known;
    const parents = latent.parents.map(({ latent: parent, weight }) => ({ index: this.#row(parent, text), weight }));
    const index = this.#zs.length;
    this.#rows.set(latent, index);
    this.#zs.push(latent.z);
    const { role, ids, norm } = latent;
    const line: LatentLine = {
      kind: "latent",
      index,
      role,
      parents,
      ...(ids ? { ids, text: text(ids) } : {}),
      ...(norm === undefined ? {} : { norm }),
    };
    this.#lines.push(line);
    return index;
  }
}

/** Writes every span of a trace again from its latent; returns the tokens written, to be compared with those saved. */
export async function replay(folder: string, model: LatentModel): Promise<{ saved: TokenIds; written: TokenIds }[]> {
  const lines = (await readFile(join(folder, "trace.jsonl"), "utf8").catch(() => missingTrace(folder)))
    .trim()
    .split("\n");
  const file = await openSafetensors(join(folder, "latents.safetensors"));
  try {
    const zs = await file.readFloat32("z");
    const width = file.info("z").shape[1]!;
    const results: { saved: TokenIds; written: TokenIds }[] = [];
    for (const line of lines.map((text) => JSON.parse(text) as SpanLine).filter(({ kind }) => kind === "span")) {
      const { context, noise, ...options } = line.written;
      const z = zs.slice(line.latent * width, (line.latent + 1) * width);
      const [written] = await model.write([{ z, noise }], context, options);
      results.push({ saved: line.ids, written: written! });
    }
    return results;
  } finally {
    await file.close();
  }
}

function missingTrace(folder: string): never {
  throw new BigVaeError(
    "usage",
    `trace: expected ${join(folder, "trace.jsonl")}, got no such file; give a folder that --trace wrote`,
  );
}
