/** The spans of a project on a plane, and the way back from a place to a latent. */
import { average, cosine, type Latent, type LatentSpace } from "../latent/index.js";
import type { MapPoint } from "./events.js";
import { type Layout, principalLayout } from "./layout.js";
import { LEAST_FOR_UMAP, umapLayout } from "./umap.js";

/** A span as the map takes it; one without a latent is not on it. */
interface MappedSpan {
  id: number;
  node: number;
  place: number;
  text: string;
  z?: Float32Array;
}

/** A span on the map: its key stays in memory, its latent with the project. */
interface Mapped extends MapPoint {
  key: Latent;
}

export class SpanMap {
  #spans: Mapped[] = [];
  #layout: Layout = principalLayout([]);
  #laid = 0;
  /** Counts the layouts: points of different ones do not belong together. */
  round = 0;

  constructor(
    readonly space: LatentSpace,
    spans: Iterable<MappedSpan>,
  ) {
    for (const span of spans) this.add(span);
    this.layByAxes();
  }

  get layout(): Layout["name"] {
    return this.#layout.name;
  }

  get size(): number {
    return this.#spans.length;
  }

  /** Whether the layout was found for less than half of the spans. Points stay where they are until then. */
  get isStale(): boolean {
    return this.#spans.length > 2 * this.#laid;
  }

  /** Whether there are spans enough for neighbourhoods. */
  get takesUmap(): boolean {
    return this.#spans.length >= LEAST_FOR_UMAP;
  }

  /** Lays all spans along the principal axes of their keys. */
  layByAxes(): void {
    this.#lay(principalLayout(this.#spans.map(({ key }) => key)));
  }

  /** Lays all spans by UMAP, beside other work. Rejects with the signal's reason where that aborts; the spans stay where they are then. */
  async layByUmap(onShare: (share: number) => void, signal: AbortSignal): Promise<void> {
    const spans = [...this.#spans];
    const keys = spans.map(({ key }) => key);
    const { layout, places } = await umapLayout(keys, onShare, signal);
    // The thread takes a while to end, in which another layout may have been chosen.
    signal.throwIfAborted();
    const known = new Map(spans.map(({ id }, i) => [id, { x: places[2 * i]!, y: places[2 * i + 1]! }]));
    this.#lay(layout, known);
  }

  points(): MapPoint[] {
    return this.#spans.map(pointOf);
  }

  /** Adds a span; its point, if it has a latent of this model's width. */
  add({ z, ...span }: MappedSpan): MapPoint | undefined {
    if (!z || z.length !== this.space.width) return undefined;
    const key = this.space.key(z);
    const mapped = { ...span, key, ...this.#layout.place(key), layout: this.round };
    this.#spans.push(mapped);
    return pointOf(mapped);
  }

  /** Takes points off the map. */
  remove(ids: ReadonlySet<number>): void {
    if (ids.size > 0) this.#spans = this.#spans.filter(({ id }) => !ids.has(id));
  }

  /** The span that is nearest to a place, and the key that lies there. Of no spans: none. Those of `hidden` nodes are left out. */
  at(x: number, y: number, hidden: ReadonlySet<number>): { key: Latent; nearest: MapPoint } | undefined {
    let nearest: Mapped | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const span of this.#spans) {
      if (hidden.has(span.node)) continue;
      const distance = Math.hypot(span.x - x, span.y - y);
      if (distance < least) [nearest, least] = [span, distance];
    }
    return nearest && { key: this.#layout.keyAt(x, y, nearest), nearest: pointOf(nearest) };
  }

  /**
   * The first `count` spans by the cosine of their keys with that of a latent; what all keys have in common is left out, and so are spans of `hidden`
   * nodes.
   */
  alike(z: Latent, count: number, hidden: ReadonlySet<number>): MapPoint[] {
    const shown = this.#spans.filter(({ node }) => !hidden.has(node));
    const mean = average([this.space.key(z), ...shown.map(({ key }) => key)]);
    const centred = (key: Latent) => key.map((value, d) => value - mean[d]!);
    const wanted = centred(this.space.key(z));
    const found = shown.map((span) => ({ span, by: cosine(wanted, centred(span.key)) }));
    found.sort((a, b) => b.by - a.by);
    return found.slice(0, count).map(({ span }) => pointOf(span));
  }

  /** The place of a latent that is no span. */
  placeOf(z: Latent): { x: number; y: number } {
    return this.#layout.place(this.space.key(z));
  }

  #lay(layout: Layout, known = new Map<number, { x: number; y: number }>()): void {
    this.#layout = layout;
    this.#laid = this.#spans.length;
    this.round++;
    for (const span of this.#spans)
      Object.assign(span, known.get(span.id) ?? layout.place(span.key), { layout: this.round });
  }
}

function pointOf({ id, node, place, text, x, y, layout }: Mapped): MapPoint {
  return { id, node, place, text, x, y, layout };
}
