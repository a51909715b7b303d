/** A loom: branches of texts, written by a model into a project span by span, and told as they come. */
import type { BigVae, GeneratedSpan, GenerateOptions } from "../bigVae.js";
import { BigVaeError } from "../errors.js";
import type { Latent } from "../latent/index.js";
import { importProject, type NodeMarks, type Project, type ProjectNode } from "../project/index.js";
import { type SamplerName, samplers } from "../sampling/samplers.js";
import { type MapPoint, StudioEvents } from "./events.js";
import { SpanMap } from "./spanMap.js";

/** Options of a sampler that a branch may be written with. */
export type BranchOptions = Pick<
  GenerateOptions,
  "prompt" | "nSteps" | "nAvg" | "span" | "tau" | "noise" | "cfgScale" | "preset" | "averaging" | "terminal" | "weights"
>;

/** What is written on. */
export interface BranchRequest {
  /** The node that is gone on from; default: a text of its own. */
  parent?: number;
  sampler: SamplerName;
  /** Branches, each with a seed of its own, from `seed` on. */
  branches?: number;
  seed?: number;
  options?: BranchOptions;
}

export class Loom {
  readonly events = new StudioEvents();
  readonly map: SpanMap;
  /** Nodes that are written on. */
  readonly #writing = new Map<number, { abort: AbortController; done: Promise<void>; text: string }>();

  constructor(
    readonly project: Project,
    /** The model; another object after its engine was started again. */
    readonly model: () => BigVae,
  ) {
    const { space } = model();
    this.map = new SpanMap(space, project.spans());
    // A process that was killed leaves nodes half written: they stay as they are.
    for (const { id, finished } of project.nodes()) if (!finished) project.finish(id);
  }

  nodes(): ProjectNode[] {
    return this.project.nodes();
  }

  /** Nodes that are written on, with what is not kept yet. */
  pending(): { node: number; text: string }[] {
    return Array.from(this.#writing, ([node, { text }]) => ({ node, text }));
  }

  /** The latent of a span. Throws "usage" for one that has none. */
  latentOf(span: number): Latent {
    return this.map.latentOf(span) ?? unknownSpan(span);
  }

  /** Decodes what lies at a place of the map. Throws "usage" where the map is empty. */
  async read(x: number, y: number, signal?: AbortSignal): Promise<{ z: Latent; text: string; nearest: MapPoint }> {
    const found = this.map.at(x, y) ?? emptyMap();
    const text = await this.model().decode(found.z, { signal });
    return { ...found, text: text.trim() };
  }

  /** The text from the first node to this one. */
  textTo(id: number): string {
    const { parent, text } = this.project.node(id);
    return parent === undefined ? text : this.textTo(parent) + text;
  }

  /** Adds a text that somebody typed, cut into spans and encoded. Throws "usage" for an empty one. */
  async type(text: string, { parent, title = "" }: { parent?: number; title?: string } = {}): Promise<ProjectNode> {
    const vae = this.model();
    const pieces = vae.cut(text);
    const encoded = await vae.encode(pieces);
    // A span holds its text as it was typed, with the space before it.
    let at = 0;
    const spans = encoded.map(({ mean }, i) => {
      const end = i + 1 < pieces.length ? text.indexOf(pieces[i]!, at) + pieces[i]!.length : text.length;
      const span = { text: text.slice(at, end), z: mean };
      at = end;
      return span;
    });
    const node = this.project.add({ origin: "typed", title, ...(parent === undefined ? {} : { parent }) }, spans);
    this.#tellNode(node);
    for (const span of this.project.spans(node)) this.#tellSpan(span);
    return this.project.node(node);
  }

  /** Adds the nodes of an export; returns their number. Throws as `importProject` does. */
  import(file: unknown): number {
    const added = [...importProject(this.project, file).values()];
    for (const node of added) {
      // Nobody goes on with what was half written elsewhere.
      this.project.finish(node);
      this.#tellNode(node);
      for (const span of this.project.spans(node)) this.map.add(span);
    }
    this.#layMap();
    return added.length;
  }

  /** Begins branches, which are written on at the same time; returns their ids. `stop` ends one, `finished` waits for it. */
  write({ parent, sampler, branches = 1, seed = 0, options = {} }: BranchRequest): number[] {
    const begun = this.#beginning(parent, sampler, options.prompt);
    return Array.from({ length: branches }, (_, i) => {
      const settings = { ...options, seed: seed + i };
      const place = parent === undefined ? {} : { parent };
      const node = this.project.begin({ ...place, origin: sampler, settings: plain(settings), unread: true });
      this.#tellNode(node);
      const abort = new AbortController();
      const done = this.#write(node, sampler, { ...settings, ...begun, signal: abort.signal });
      this.#writing.set(node, { abort, done, text: "" });
      return node;
    });
  }

  /** Ends the writing of a node; what was kept stays. */
  stop(node: number): void {
    this.#writing.get(node)?.abort.abort();
  }

  /** Waits until a node is written. */
  async finished(node: number): Promise<void> {
    await this.#writing.get(node)?.done;
  }

  mark(node: number, marks: Partial<NodeMarks>): void {
    this.project.mark(node, marks);
    this.#tellNode(node);
  }

  /** Takes back the newest change of a mark, or does it again. */
  turn(direction: "undo" | "redo"): void {
    const node = this.project[direction]();
    if (node !== undefined) this.#tellNode(node);
  }

  /** Stops all writing. */
  async close(): Promise<void> {
    for (const { abort } of this.#writing.values()) abort.abort();
    await Promise.all(Array.from(this.#writing.values(), ({ done }) => done));
  }

  /**
   * What a sampler goes on from. A plan starts at the last span; for others that is the topic and what stands before it the context, unless a
   * topic is given.
   */
  #beginning(parent: number | undefined, sampler: SamplerName, prompt: BranchOptions["prompt"]): GenerateOptions {
    if (parent === undefined) return {};
    const text = this.textTo(parent);
    const last = this.#lastSpan(parent);
    const needs: readonly string[] = samplers[sampler].needs;
    if (needs.includes("terminal")) return { context: text, start: last };
    if (prompt !== undefined) return { context: text };
    return { context: text.slice(0, text.length - last.length), prompt: last };
  }

  /** The last span with words on the way to a node, and what follows it. */
  #lastSpan(id: number): string {
    let text = "";
    for (let node = this.project.node(id); ; node = this.project.node(node.parent)) {
      for (const span of this.project.spans(node.id).reverse()) {
        text = span.text + text;
        if (span.text.trim() !== "") return text;
      }
      if (node.parent === undefined) return text;
    }
  }

  async #write(node: number, sampler: SamplerName, options: GenerateOptions): Promise<void> {
    // What is told of a node comes behind the node itself.
    await Promise.resolve();
    try {
      const run = this.model().generate(sampler, {
        ...options,
        onText: (text) => {
          this.#writing.get(node)!.text += text;
          this.events.tell({ kind: "text", node, text });
        },
      });
      for await (const span of run) await this.#keep(node, span, options.signal);
    } catch (error) {
      const isStopped = options.signal?.aborted || (error instanceof BigVaeError && error.kind === "aborted");
      if (!isStopped) this.#tellFailure(node, error);
    }
    this.#writing.delete(node);
    try {
      this.project.finish(node);
      this.#tellNode(node);
    } catch (error) {
      // A full disk.
      this.#tellFailure(node, error);
    }
  }

  /** A span lies where its own text is read to, which is not quite what it was asked for: that is among its origins. */
  async #keep(node: number, { text, latent }: GeneratedSpan, signal?: AbortSignal): Promise<void> {
    const [encoded] = text.trim() === "" ? [] : await this.model().encode([text], signal);
    const z: Latent = encoded?.mean ?? latent.z;
    const origins = latent.parents.map(({ latent: { role }, weight }) => ({ role, weight }));
    const place = this.project.write(node, { text, z, origins });
    const writing = this.#writing.get(node)!;
    writing.text = writing.text.slice(text.length);
    this.#tellSpan(this.project.spans(node)[place]!);
  }

  #tellNode(id: number): void {
    this.events.tell({ kind: "node", node: this.project.node(id) });
  }

  #tellFailure(node: number, error: unknown): void {
    this.events.tell({ kind: "failed", node, message: error instanceof Error ? error.message : String(error) });
  }

  #layMap(): void {
    this.map.fit();
    this.events.tell({ kind: "map", points: this.map.points() });
  }

  #tellSpan(span: { id: number; node: number; place: number; text: string; z?: Float32Array }): void {
    const point: MapPoint | undefined = this.map.add(span);
    const { node, place, text } = span;
    this.events.tell({ kind: "span", node, place, text, ...(point ? { point } : {}) });
    if (this.map.isStale) this.#layMap();
  }
}

function unknownSpan(span: number): never {
  const remedy = "choose a point of the map";
  throw new BigVaeError("usage", { subject: "span", expected: "one with a latent", got: String(span), remedy });
}

function emptyMap(): never {
  const remedy = "write or type a sentence first";
  throw new BigVaeError("usage", { subject: "map", expected: "at least one span", got: "none", remedy });
}

/** Latents of settings as plain numbers. */
function plain(settings: object): Record<string, unknown> {
  return JSON.parse(
    JSON.stringify(settings, (_, value: unknown) => (value instanceof Float32Array ? Array.from(value) : value)),
  ) as Record<string, unknown>;
}
