/** The map of a project while it grows: laid anew where it has to be, and read anywhere. */
import type { BigVae } from "../bigVae.js";
import { BigVaeError } from "../errors.js";
import { FIRST_CHOICE, type Latent, nearest } from "../latent/index.js";
import { mixOf } from "../operations/blending.js";
import type { PlacedSpan, Project } from "../project/index.js";
import type { MapPoint, StudioEvents } from "./events.js";
import type { LayoutName } from "./layout.js";
import { isOfRecord, MemoryLayer, type StudioMemory } from "./memoryLayer.js";
import { SpanMap } from "./spanMap.js";
import { LEAST_FOR_UMAP } from "./umap.js";

/** Spans of a mean at most; of more, so many evenly chosen ones. */
const MOST_OF_A_MEAN = 512;

export class Atlas {
  readonly map: SpanMap;
  /** The memory that is on the map too. */
  readonly memory: MemoryLayer | undefined;
  /** Of the layout that is being found. */
  #laying: AbortController | undefined;

  constructor(
    readonly project: Project,
    readonly model: () => BigVae,
    readonly events: StudioEvents,
    memory?: StudioMemory,
  ) {
    this.map = new SpanMap(model().space, project.allSpans());
    this.memory = memory && new MemoryLayer(memory, events, this.map);
  }

  /** Puts kept spans on the map; returns the points of those that have a latent. */
  add(spans: readonly PlacedSpan[]): MapPoint[] {
    return spans.flatMap((span) => this.map.add(span) ?? []);
  }

  /** Lays the map anew where most spans came after its layout. */
  refresh(): void {
    if (this.map.isStale && !this.#laying) this.lay(this.map.layout);
  }

  /** Lays the map anew. That by UMAP takes seconds, and is told as it goes. Throws "usage" for too few spans. */
  lay(layout: LayoutName): void {
    this.#laying?.abort();
    this.#laying = undefined;
    if (layout === "umap") {
      if (!this.map.takesUmap) tooFewSpans(this.map.size);
      const laying = new AbortController();
      this.#laying = laying;
      void this.#layByUmap(laying);
      return;
    }
    this.map.layByAxes();
    this.events.tell({ kind: "map", share: 1 });
  }

  /** The latent of a point. Throws "usage" for one that has none. */
  async latentOf(point: number): Promise<Latent> {
    if (isOfRecord(point)) return (await this.memory?.latentOf(point)) ?? unknownSpan(point);
    return this.project.span(point).z ?? unknownSpan(point);
  }

  /** Decodes what lies at a place. Throws "usage" where the map is empty. */
  async read(x: number, y: number, signal?: AbortSignal): Promise<{ z: Latent; text: string; nearest: MapPoint }> {
    const { key, nearest } = this.map.at(x, y, this.project.hidden()) ?? emptyMap();
    const z = this.model().space.withKey(await this.latentOf(nearest.id), key);
    const text = await this.model().decode(z, { signal });
    return { z, text: text.trim(), nearest };
  }

  /** Decodes the mean of spans. */
  async mean(spans: readonly number[], signal?: AbortSignal): Promise<{ z: Latent; text: string }> {
    const step = Math.max(1, spans.length / MOST_OF_A_MEAN);
    const chosen = Array.from({ length: Math.ceil(spans.length / step) }, (_, i) => spans[Math.floor(i * step)]!);
    const zs = await this.#latentsOf(chosen);
    const weights = zs.map(() => 1 / zs.length);
    const { z, cfgScale } = mixOf(this.model(), zs, weights, {});
    const text = await this.model().decode(z, { cfgScale, signal });
    return { z, text: text.trim() };
  }

  /** The spans nearest to a latent, slot by slot, but for those of the same text. */
  async nearest(z: Latent, count: number, text: string): Promise<(MapPoint & { similarity: number })[]> {
    const isOther = (point: MapPoint) => point.text.trim() !== text.trim();
    const first = this.map.alike(z, FIRST_CHOICE, this.project.hidden()).filter(isOther);
    const latents = await this.#latentsOf(first.map(({ id }) => id));
    const found = nearest(this.model().space, z, latents, count);
    return found.map(({ index, similarity }) => ({ ...first[index]!, similarity }));
  }

  close(): void {
    this.#laying?.abort();
  }

  async #latentsOf(points: readonly number[]): Promise<Latent[]> {
    const latents: Latent[] = [];
    for (const point of points) latents.push(await this.latentOf(point));
    return latents;
  }

  async #layByUmap(laying: AbortController): Promise<void> {
    // A thread that is being ended may still say how far it is.
    const tell = (share: number) => laying.signal.aborted || this.events.tell({ kind: "map", share });
    try {
      tell(0);
      await this.map.layByUmap(tell, laying.signal);
      tell(1);
    } catch (error) {
      if (!laying.signal.aborted) {
        this.events.fail(error);
        // The map stays as it was.
        tell(1);
      }
    } finally {
      if (this.#laying === laying) this.#laying = undefined;
    }
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

function tooFewSpans(got: number): never {
  const remedy = "write more, or drop a file of texts on the map";
  throw new BigVaeError("usage", { subject: "UMAP", expected: `at least ${LEAST_FOR_UMAP} spans`, got, remedy });
}
