/** The page's view of the project: what the server told, and what is selected. */
import { SvelteMap } from "svelte/reactivity";
import {
  api,
  CORPUS,
  listen,
  type MapPoint,
  type PassedSpan,
  type ProjectNode,
  type Reading,
  type ShownPlan,
  type StudioEvent,
  type StudioState,
  type WaypointEdit,
} from "./api.js";

type NodeEvent = Extract<StudioEvent, { kind: "node" }>;
type TextEvent = Extract<StudioEvent, { kind: "text" | "span" }>;

export interface DeskItem {
  /** Tells it from others. */
  key: string;
  text: string;
  source: string | number[];
  weight: number;
}

export class Studio {
  model = $state("");
  isOnline = $state(true);
  isLoaded = $state(false);
  /** All nodes by id, the removed ones too. */
  nodes = $state(new Map<number, ProjectNode>());
  /** Text of nodes that is written and not kept yet. */
  live = $state(new Map<number, string>());
  /** Corpora that are read. */
  reading = $state(new Map<number, Reading>());
  /** The memory beside the project. */
  memory = $state<StudioState["memory"]>(null);
  /** Names of experts. */
  experts = $state<readonly string[] | null>(null);
  /** Points of the drafts that were recalled for the newest span. */
  recalled = $state.raw<ReadonlySet<number>>(new Set());
  /** All spans on the map; there may be many, so that a change is another array. */
  points = $state.raw<readonly MapPoint[]>([]);
  layout = $state("pca");
  /** Number of the layout that the points are of. */
  round = $state(0);
  /** How far the map is laid anew, from 0 to 1. */
  laying = $state<number | undefined>(undefined);
  /** Points that are chosen, by their spans. */
  chosen = $state.raw<ReadonlySet<number>>(new Set());
  /** A way over the map that a view shows. */
  trail = $state.raw<readonly { x: number; y: number }[]>([]);
  selected = $state<number | undefined>(undefined);
  desk = $state<DeskItem[]>([]);
  /** What stands below the map. */
  tool = $state<"desk" | "line" | "plan" | "explain" | "runs">("desk");
  /** All plans, the removed ones too. */
  plans = $state.raw<readonly ShownPlan[]>([]);
  /** Id of the plan that is shown; until somebody chooses, the newest. */
  planId = $state<number | undefined>(undefined);
  /** Spans that were written along plans, by their nodes. */
  passed = $state.raw<ReadonlyMap<number, readonly PassedSpan[]>>(new Map());
  /** Where a plan leads. */
  goal = $state("");
  /** Whether a place of the map was read: a newcomer has made that. */
  hasReadPlace = $state(false);
  /** A text that is to be explained. */
  explained = $state("");
  /** Whether the map has more room than the text. */
  isWide = $state(false);
  /** What went wrong, each once: by its own words, or by the name of what the page does by itself. */
  readonly notices = new SvelteMap<string, string>();

  /** Ids of nodes that are not shown: they are removed, or stand behind one that is. */
  readonly hidden = $derived.by(() => {
    const hidden = new Set<number>();
    // Parents come before what stands behind them.
    for (const { id, parent, removed } of this.nodes.values())
      if (removed || (parent !== undefined && hidden.has(parent))) hidden.add(id);
    return hidden;
  });

  /** Nodes that are shown, by their parents; undefined is the parent of first nodes. */
  readonly children = $derived.by(() => {
    const children = new Map<number | undefined, ProjectNode[]>();
    for (const node of this.nodes.values()) {
      if (this.hidden.has(node.id) || node.origin === CORPUS) continue;
      const siblings = children.get(node.parent) ?? [];
      siblings.push(node);
      children.set(node.parent, siblings);
    }
    return children;
  });

  /** The nodes from the first to the selected one, as far as they are shown. */
  readonly path = $derived.by(() => {
    const path: ProjectNode[] = [];
    let node = this.selected === undefined ? undefined : this.nodes.get(this.selected);
    while (node) {
      if (!this.hidden.has(node.id)) path.unshift(node);
      node = node.parent === undefined ? undefined : this.nodes.get(node.parent);
    }
    return path;
  });

  /** Whether a text may be added: a first one, or behind one that is written to its end. */
  readonly canAdd = $derived(this.isLoaded && this.isOnline && this.path.at(-1)?.finished !== false);
  /** Whether the model can write on from the end of the text. */
  readonly canWrite = $derived(this.canAdd && this.path.length > 0);

  /** The last span of the text on the page. */
  readonly lastSpan = $derived.by(() => {
    const order = new Map(this.path.map(({ id }, i) => [id, i]));
    let last: MapPoint | undefined;
    for (const point of this.points) {
      const [own, best] = [order.get(point.node), last && order.get(last.node)];
      if (own === undefined || point.text.trim() === "") continue;
      if (best === undefined || own > best || (own === best && point.place > last!.place)) last = point;
    }
    return last;
  });

  /** The plan that is shown. */
  readonly plan = $derived.by(() => {
    const there = this.plans.filter(({ removed }) => !removed);
    return there.find(({ id }) => id === this.planId) ?? there.at(-1);
  });

  /** The waypoint that was chosen last, and its plan. */
  #chosenWaypoint = $state.raw<{ plan: number | undefined; number: number | undefined }>();

  /** Number of the waypoint of the shown plan that is chosen, from 1. */
  get waypoint(): number | undefined {
    return this.#chosenWaypoint?.plan === this.plan?.id ? this.#chosenWaypoint?.number : undefined;
  }

  set waypoint(number: number | undefined) {
    this.#chosenWaypoint = { plan: this.plan?.id, number };
  }

  /** Of each waypoint of the plan, by its number, the last span of the text on the page that was written toward it. */
  readonly passedOfPlan = $derived.by(() => {
    const run = this.path.findLast(({ settings }) => this.plan && settings.plan === this.plan.id);
    const spans = ((run && this.passed.get(run.id)) ?? []).filter(({ isFound }) => !isFound);
    const waypoints = this.plan?.waypoints ?? [];
    const passed = new Map<number, PassedSpan>();
    for (const [i, { hash }] of waypoints.entries()) {
      const own = spans.filter((span) => span.hash === hash);
      // Of waypoints that are the same, each has those of its number.
      const isMoved = ({ waypoint }: PassedSpan) => waypoints[waypoint - 1]?.hash !== hash;
      const span = own.findLast(({ waypoint }) => waypoint === i + 1) ?? own.findLast(isMoved);
      if (span) passed.set(i + 1, span);
    }
    return passed;
  });

  /** The text on the page, from its first node to the selected one. */
  readonly text = $derived(this.path.map((node) => this.textOf(node)).join(""));

  begin(): void {
    listen(
      (event) => this.#take(event),
      (isOnline) => {
        this.isOnline = isOnline;
        // Not before changes are told: so none is missed.
        if (isOnline) void this.load();
      },
    );
  }

  /** Nodes and texts that were told since the state was asked for, which may be older. */
  #lateTexts: (NodeEvent | TextEvent)[] | undefined;

  async load(): Promise<void> {
    const late: (NodeEvent | TextEvent)[] = [];
    this.#lateTexts = late;
    await this.follow("load", async () => {
      const { model, nodes, writing, reading, memory, experts } = await api.state();
      if (this.#lateTexts !== late) return;
      this.#lateTexts = undefined;
      this.model = model;
      this.memory = memory;
      this.experts = experts;
      this.nodes = new Map(nodes.map((node) => [node.id, node]));
      this.live = new Map(writing.map(({ node, text }) => [node, text]));
      this.reading = new Map(reading.map(({ node, ...far }) => [node, far]));
      // The text of one that is being written goes on from that of the state.
      for (const event of late) {
        if (event.kind !== "node") this.#setText(event);
        else if (event.node.finished) this.#setNode(event.node);
        else this.#setNode({ ...event.node, text: this.nodes.get(event.node.id)?.text ?? event.node.text });
      }
      this.isLoaded = true;
      const linked = Number(/^#node-(\d+)$/.exec(location.hash)?.[1]);
      const wanted = this.selected ?? linked;
      const isText = ({ id, origin }: ProjectNode) => origin !== CORPUS && !this.hidden.has(id);
      const texts = [...this.nodes.values()].filter(isText).map(({ id }) => id);
      const chosen = texts.includes(wanted) ? wanted : texts.at(-1);
      if (chosen === undefined) this.selected = undefined;
      else this.select(chosen);
      await this.#loadMap();
    });
    if (this.#lateTexts === late) this.#lateTexts = undefined;
  }

  /** The text of a node with what is still being written. */
  textOf(node: ProjectNode): string {
    return node.text + (this.live.get(node.id) ?? "");
  }

  isWriting(node: ProjectNode): boolean {
    return !node.finished;
  }

  /** A name for a node: its title or its first words. */
  nameOf(node: ProjectNode): string {
    if (node.title !== "") return node.title;
    const text = this.textOf(node).trim().replace(/\s+/g, " ");
    return text === "" ? (node.finished ? "(nothing)" : "…") : text.length > 48 ? `${text.slice(0, 47)}…` : text;
  }

  select(id: number): void {
    this.selected = id;
    // The address is a link to the node.
    history.replaceState(undefined, "", `#node-${id}`);
    if (this.nodes.get(id)?.unread) void this.follow("read", () => api.mark(id, { unread: false }));
  }

  /** Whether a point is of a text of the tree: others are of files or of the memory. */
  isOfText({ node }: MapPoint): boolean {
    const of = this.nodes.get(node);
    return of !== undefined && of.origin !== CORPUS;
  }

  choose(points: readonly MapPoint[]): void {
    this.chosen = new Set(points.map(({ id }) => id));
  }

  showPlan(id: number): void {
    this.planId = id;
    this.waypoint = undefined;
  }

  /** Changes a waypoint of the plan that is shown; the server tells what it has become. */
  async editWaypoint(number: number, edit: WaypointEdit): Promise<boolean> {
    const { plan } = this;
    if (!plan) return false;
    return (await this.run(() => api.editPlan(plan.id, number, edit))) !== undefined;
  }

  addToDesk(text: string, source: string | number[]): void {
    const key = crypto.randomUUID();
    this.desk = [...this.desk, { key, text, source, weight: 1 }];
  }

  explain(text: string): void {
    this.explained = text.trim();
    this.tool = "explain";
  }

  tell(error: unknown, name?: string): void {
    const words = error instanceof Error ? error.message : String(error);
    this.notices.set(name ?? words, words);
  }

  /** Does what somebody wants, and tells why it failed, unless it was called off. What was told before is past. */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T | undefined> {
    this.notices.clear();
    try {
      return await work();
    } catch (error) {
      if (!signal?.aborted) this.tell(error);
      return undefined;
    }
  }

  /** Does what the page does by itself, under a name, and tells why it failed until it is done or somebody does something. */
  async follow<T>(name: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      const answer = await work();
      this.notices.delete(name);
      return answer;
    } catch (error) {
      this.tell(error, name);
      return undefined;
    }
  }

  #take(event: StudioEvent): void {
    if (event.kind === "node") {
      this.#lateTexts?.push(event);
      this.#setNode(event.node);
    } else if (event.kind === "text") {
      this.#lateTexts?.push(event);
      this.#setText(event);
    } else if (event.kind === "span") {
      this.#lateTexts?.push(event);
      this.#setText(event);
      if (event.point) this.#addPoints([event.point]);
      if (event.recalled) this.recalled = new Set(event.recalled);
      const { node: id, place, text, passed } = event;
      if (passed) this.#addPassed([{ node: id, place, text, ...passed }]);
    } else if (event.kind === "plan") {
      this.#late?.plans.push(event.plan);
      this.#setPlan(event.plan);
    } else if (event.kind === "memory") {
      if (this.memory) this.memory.records = event.records;
      this.#addPoints(event.points);
    } else if (event.kind === "corpus") {
      this.reading = new Map(this.reading).set(event.node, { done: event.done, total: event.total });
      this.#addPoints(event.points);
    } else if (event.kind === "map") {
      this.laying = event.share < 1 ? event.share : undefined;
      if (event.share === 1) void this.follow("map", () => this.#loadMap());
    } else this.tell(event.message);
  }

  /** Points and plans that were told since the map was asked for. */
  #late: { points: MapPoint[]; plans: ShownPlan[] } | undefined;

  /** Asks for all points and plans. Those that are told meanwhile are added, if they are of the same layout and not among them. */
  async #loadMap(): Promise<void> {
    const late = { points: [] as MapPoint[], plans: [] as ShownPlan[] };
    this.#late = late;
    const { layout, round, points, plans, passed } = await api.map();
    if (this.#late !== late) return;
    const known = new Set(points.map(({ id }) => id));
    this.#late = undefined;
    this.round = round;
    this.layout = layout;
    this.plans = plans;
    for (const plan of late.plans) if (plan.layout === round) this.#setPlan(plan);
    this.#addPassed(passed);
    this.points = [...points, ...late.points.filter((point) => point.layout === round && !known.has(point.id))];
  }

  #addPoints(points: readonly MapPoint[]): void {
    this.#late?.points.push(...points);
    this.points = [...this.points, ...points.filter(({ layout }) => layout === this.round)];
  }

  #setPlan(plan: ShownPlan): void {
    const isKnown = this.plans.some(({ id }) => id === plan.id);
    this.plans = isKnown ? this.plans.map((each) => (each.id === plan.id ? plan : each)) : [...this.plans, plan];
  }

  /** Spans never change: those that are known stay. */
  #addPassed(spans: readonly PassedSpan[]): void {
    const passed = new Map(this.passed);
    for (const span of spans) {
      const known = passed.get(span.node) ?? [];
      if (!known.some(({ place }) => place === span.place)) passed.set(span.node, [...known, span]);
    }
    this.passed = passed;
  }

  #setNode(node: ProjectNode): void {
    this.nodes = new Map(this.nodes).set(node.id, node);
    if (node.finished) this.#setLive(node.id, undefined);
  }

  /** A text that is written, or the span that it was kept with, at its place in the node; a second time it changes nothing. */
  #setText({ kind, node: id, from, text }: TextEvent): void {
    const node = this.nodes.get(id);
    if (!node || node.finished) return;
    const whole = this.textOf(node);
    const end = from + text.length;
    // What stands before it is yet to come with the state.
    if (from > whole.length) return;
    const written = end > whole.length ? whole.slice(0, from) + text : whole;
    const kept = kind === "span" ? Math.max(end, node.text.length) : node.text.length;
    if (kept > node.text.length) this.nodes = new Map(this.nodes).set(id, { ...node, text: written.slice(0, kept) });
    this.#setLive(id, written.slice(kept));
  }

  #setLive(node: number, text: string | undefined): void {
    const live = new Map(this.live);
    if (text) live.set(node, text);
    else live.delete(node);
    this.live = live;
  }
}

export const studio = new Studio();
