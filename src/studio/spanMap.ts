/** The spans of a project on a plane: the first two principal axes of their keys, and the way back from a place to a latent. */
import type { Latent, LatentSpace } from "../latent/index.js";
import { type PrincipalAxes, principalAxes, project } from "../latent/principalAxes.js";
import type { MapPoint } from "./events.js";

/** A span as the map takes it; one without a latent is not on it. */
interface MappedSpan {
  id: number;
  node: number;
  place: number;
  text: string;
  z?: Float32Array;
}

interface Mapped extends MappedSpan {
  z: Float32Array;
  key: Latent;
}

export class SpanMap {
  readonly #spans: Mapped[] = [];
  /** Found anew when there are twice as many spans: points stay where they are in between. */
  #axes: PrincipalAxes = { mean: new Float32Array(), axes: [] };
  #fitted = 0;

  constructor(
    readonly space: LatentSpace,
    spans: readonly MappedSpan[],
  ) {
    for (const span of spans) this.#take(span);
    this.fit();
  }

  /** Lays the axes through all spans anew. */
  fit(): void {
    this.#axes = principalAxes(
      this.#spans.map(({ key }) => key),
      2,
    );
    this.#fitted = this.#spans.length;
  }

  points(): MapPoint[] {
    return this.#spans.map((span) => this.#pointOf(span));
  }

  latentOf(id: number): Latent | undefined {
    return this.#spans.find((span) => span.id === id)?.z;
  }

  /** Adds a span; its point, if it has a latent. */
  add(span: MappedSpan): MapPoint | undefined {
    const mapped = this.#take(span);
    return mapped && this.#pointOf(mapped);
  }

  /** Whether the axes were laid through less than half of the spans. */
  get isStale(): boolean {
    return this.#spans.length > 2 * this.#fitted;
  }

  /**
   * The latent of a place: that of the nearest span, each slot moved alike until its key lies there. Of no spans: none.
   */
  at(x: number, y: number): { z: Latent; nearest: MapPoint } | undefined {
    let nearest: { span: Mapped; point: MapPoint; distance: number } | undefined;
    for (const span of this.#spans) {
      const point = this.#pointOf(span);
      const distance = Math.hypot(point.x - x, point.y - y);
      if (!nearest || distance < nearest.distance) nearest = { span, point, distance };
    }
    if (!nearest) return undefined;
    const { span, point } = nearest;
    const z = span.z.slice();
    const [first, second] = this.#axes.axes;
    for (const slot of this.space.slots(z))
      for (let d = 0; d < slot.length; d++)
        slot[d]! += (x - point.x) * (first?.[d] ?? 0) + (y - point.y) * (second?.[d] ?? 0);
    return { z, nearest: point };
  }

  #take(span: MappedSpan): Mapped | undefined {
    if (!span.z || span.z.length !== this.space.width) return undefined;
    const mapped = { ...span, z: span.z, key: this.space.key(span.z) };
    this.#spans.push(mapped);
    return mapped;
  }

  #pointOf({ id, node, place, text, key }: Mapped): MapPoint {
    const [x = 0, y = 0] = this.#axes.axes.length > 0 ? project(this.#axes, key) : [];
    return { id, node, place, text, x, y };
  }
}
