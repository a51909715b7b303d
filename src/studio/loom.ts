/** A loom: branches of texts, written by a model into a project span by span, and told as they come. */
import type { BigVae, GeneratedSpan, GenerateOptions } from "../bigVae.js";
import { BigVaeError } from "../errors.js";
import type { Latent } from "../latent/index.js";
import {
  importProject,
  type NodeMarks,
  type PassedWaypoint,
  type PlacedSpan,
  type Project,
  type ProjectNode,
} from "../project/index.js";
import type { ExpertPolicy } from "../sampling/model.js";
import { requireInputs, type SamplerName, samplers } from "../sampling/samplers.js";
import { Atlas } from "./atlas.js";
import { Corpora } from "./corpora.js";
import { StudioEvents } from "./events.js";
import { pointOfRecord, type StudioMemory } from "./memoryLayer.js";
import { noted } from "./notes.js";
import { Passage, StudioPlans } from "./plans.js";

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
  /** A plan of the project that is followed. */
  plan?: number;
  /** Whether drafts are recalled from the memory, and kept in it; default: false. */
  recalls?: boolean;
  /** Whether experts write; default: false. */
  byExperts?: boolean;
}

/** A node that is written on. */
interface Writing {
  abort: AbortController;
  done: Promise<void>;
  /** Characters that are kept. */
  kept: number;
  /** What is written behind them. */
  text: string;
}

export class Loom {
  readonly events = new StudioEvents();
  readonly atlas: Atlas;
  readonly corpora: Corpora;
  readonly plans: StudioPlans;
  /** Nodes that are written on. */
  readonly #writing = new Map<number, Writing>();

  constructor(
    readonly project: Project,
    /** The model; another object after its engine was started again. */
    readonly model: () => BigVae,
    /** What branches may be written with beside the model: a memory of drafts, and experts. */
    readonly sources: { memory?: StudioMemory | undefined; experts?: (() => ExpertPolicy) | undefined } = {},
  ) {
    this.atlas = new Atlas(project, model, this.events, sources.memory);
    this.corpora = new Corpora(project, model, this.events, this.atlas);
    this.plans = new StudioPlans(project, model, this.events, this.atlas);
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

  /** The text from the first node to this one. */
  textTo(id: number): string {
    const { parent, text } = this.project.node(id);
    return parent === undefined ? text : this.textTo(parent) + text;
  }

  /** Adds a text that somebody typed, cut into spans and encoded. Throws "usage" for an empty one. */
  async type(text: string, { parent, title = "" }: { parent?: number; title?: string } = {}): Promise<ProjectNode> {
    const vae = this.model();
    this.#checkParent(parent);
    const pieces = vae.cut(text);
    const encoded = await vae.encode(pieces);
    // It may have been removed meanwhile.
    this.#checkParent(parent);
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
    let from = 0;
    for (const span of this.project.spans(node)) {
      this.#tellSpan(span, from);
      from += span.text.length;
    }
    return this.project.node(node);
  }

  /** Adds the nodes and plans of an export; returns the number of nodes. Throws as `importProject` does. */
  import(file: unknown): number {
    const added = importProject(this.project, file, this.atlas.map.space.width);
    for (const node of added.nodes.values()) {
      // Nobody goes on with what was half written elsewhere.
      this.project.finish(node);
      this.#tellNode(node);
      this.atlas.add(this.project.spans(node));
    }
    this.atlas.lay(this.atlas.map.layout);
    this.plans.tellAll(new Set(added.plans.values()));
    return added.nodes.size;
  }

  /** Begins branches, which are written on at the same time; returns their ids. `stop` ends one, `finished` waits for it. */
  async write({ parent, sampler, branches = 1, seed = 0, options = {}, ...by }: BranchRequest): Promise<number[]> {
    const { plan: id, ...named } = by;
    // Each branch has a memory of its own of what it has used.
    const sources = await Promise.all(Array.from({ length: branches }, () => this.#sourcesOf(named)));
    this.#checkParent(parent);
    const begun = this.#beginning(parent, sampler, options.prompt);
    const plan = id === undefined ? {} : { plan: this.plans.waypointsOf(id) };
    const texts = { ...options, ...begun, ...plan };
    requireInputs(
      sampler,
      new Set(Object.keys(texts).filter((name) => texts[name as keyof typeof texts] !== undefined)),
    );
    return sources.map((source, i) => {
      const settings = { ...options, seed: seed + i };
      const place = parent === undefined ? {} : { parent };
      const node = this.project.begin({
        ...place,
        origin: sampler,
        settings: { ...plain(settings), ...by },
        unread: true,
      });
      this.#tellNode(node);
      const abort = new AbortController();
      const done = this.#write(node, sampler, {
        ...settings,
        ...begun,
        ...plan,
        ...source,
        signal: abort.signal,
      });
      this.#writing.set(node, { abort, done, kept: 0, text: "" });
      return node;
    });
  }

  /** Ends the writing of a node, or the reading of a corpus; what was kept stays. */
  stop(node: number): void {
    this.#writing.get(node)?.abort.abort();
    this.corpora.stop(node);
  }

  /** Waits until a node is written. */
  async finished(node: number): Promise<void> {
    await this.#writing.get(node)?.done;
  }

  mark(node: number, marks: Partial<NodeMarks>): void {
    this.project.mark(node, marks);
    this.#tellNode(node);
  }

  /** Takes back the newest change of a mark or a plan, or does it again, after the edits of plans that are under way. */
  async turn(direction: "undo" | "redo"): Promise<void> {
    await this.plans.inTurn(async () => {
      const changed = this.project[direction]();
      if (changed?.kind === "node") this.#tellNode(changed.id);
      else if (changed) this.plans.tell(changed.id);
    });
  }

  /** Stops all that is under way. */
  async close(): Promise<void> {
    this.atlas.close();
    await this.corpora.close();
    for (const { abort } of this.#writing.values()) abort.abort();
    await Promise.all(Array.from(this.#writing.values(), ({ done }) => done));
  }

  /** Throws "usage" for a text that nothing goes on from: one that was removed, and one that is still written. */
  #checkParent(parent: number | undefined): void {
    if (parent === undefined) return;
    const { finished } = this.project.node(parent);
    const fail = (expected: string, got: string, remedy: string) => {
      throw new BigVaeError("usage", { subject: `parent ${parent}`, expected, got, remedy });
    };
    if (!finished) fail("a text that is written to its end", "one that is still written", "wait for it, or stop it");
    if (this.project.hidden().has(parent)) fail("a text of the tree", "one that was removed", "undo that first");
  }

  /**
   * What a sampler goes on from. Toward a terminal that is the last span; along a plan, all of the text; for others that is the topic and what stands before it the context, unless a
   * topic is given.
   */
  #beginning(parent: number | undefined, sampler: SamplerName, prompt: BranchOptions["prompt"]): GenerateOptions {
    if (parent === undefined) return {};
    const text = this.textTo(parent);
    const last = this.#lastSpan(parent);
    const needs: readonly string[] = samplers[sampler].needs;
    if (needs.includes("terminal")) return { context: text, start: last };
    if (prompt !== undefined || needs.includes("plan")) return { context: text };
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
          const writing = this.#writing.get(node)!;
          this.events.tell({ kind: "text", node, from: writing.kept + writing.text.length, text });
          writing.text += text;
        },
      });
      const passage = options.plan && new Passage(options.plan);
      for await (const span of run) {
        const passed = passage && span.plan && passage.step(span.plan);
        await this.#keep(node, span, passed, options.signal);
      }
    } catch (error) {
      const isStopped = options.signal?.aborted || (error instanceof BigVaeError && error.kind === "aborted");
      if (!isStopped) this.events.fail(error, node);
    }
    this.#writing.delete(node);
    this.events.settle(this.project, node);
  }

  /** A span lies where its own text is read to, which is not quite what it was asked for: that is among its origins. */
  async #keep(
    node: number,
    { text, latent, drafts, written }: GeneratedSpan,
    passed?: PassedWaypoint,
    signal?: AbortSignal,
  ): Promise<void> {
    const [encoded] = text.trim() === "" ? [] : await this.model().encode([text], signal);
    const z: Latent = encoded?.mean ?? latent.z;
    const parents = latent.parents.map(({ latent: { role }, weight }) => ({ role, weight }));
    const origins = [...noted(written.experts && { expert: written.experts[0]!.name }, passed), ...parents];
    const span = this.project.write(node, { text, z, origins });
    const writing = this.#writing.get(node)!;
    const from = writing.kept;
    writing.kept += text.length;
    writing.text = writing.text.slice(text.length);
    const recalled = drafts.flatMap((draft) => (draft.recalled === undefined ? [] : pointOfRecord(draft.recalled)));
    this.#tellSpan(span, from, { ...(recalled.length > 0 ? { recalled } : {}), ...(passed ? { passed } : {}) });
  }

  /** What a branch is written with beside the model. Throws "usage" for what the studio does not have. */
  async #sourcesOf({ recalls = false, byExperts = false }: Pick<BranchRequest, "recalls" | "byExperts">) {
    const { memory } = this.atlas;
    const { experts } = this.sources;
    if (recalls && !memory) throw without("`recalls`", "a memory", "memory");
    if (byExperts && !experts) throw without("`byExperts`", "experts", "experts");
    return {
      ...(recalls ? { memory: await memory!.forRun(this.model()) } : {}),
      ...(byExperts ? { experts: experts!() } : {}),
    };
  }

  #tellNode(id: number): void {
    this.events.tell({ kind: "node", node: this.project.node(id) });
  }

  #tellSpan(span: PlacedSpan, from: number, told: { recalled?: number[]; passed?: PassedWaypoint } = {}): void {
    const [point] = this.atlas.add([span]);
    const { node, place, text } = span;
    this.events.tell({ kind: "span", node, place, from, text, ...(point ? { point } : {}), ...told });
    this.atlas.refresh();
  }
}

function without(subject: string, what: string, option: string): BigVaeError {
  const remedy = `start the studio with \`${option}\`, the folder of them`;
  return new BigVaeError("usage", { subject, expected: `a studio with ${what}`, got: "one without", remedy });
}

/** Latents of settings as plain numbers. */
function plain(settings: object): Record<string, unknown> {
  return JSON.parse(
    JSON.stringify(settings, (_, value: unknown) => (value instanceof Float32Array ? Array.from(value) : value)),
  ) as Record<string, unknown>;
}
