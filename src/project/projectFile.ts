/** A project as one JSON value, and back: what is exported holds all that is imported. */
import { BigVaeError } from "../errors.js";
import { latentOfText, textOfLatent } from "./latentText.js";
import { exportedPlan, waypointsOf } from "./plans.js";
import type { Project } from "./project.js";
import { PROJECT_VERSION } from "./schema.js";
import { CORPUS, type ProjectFile, type ProjectSpan } from "./types.js";

/** All but corpora, which their own files hold. */
export function exportProject(project: Project): ProjectFile {
  const nodes = project.nodes().filter(({ origin }) => origin !== CORPUS);
  const exported = new Set(nodes.map(({ id }) => id));
  return {
    format: "bigvae-project",
    version: PROJECT_VERSION,
    facts: project.facts(),
    nodes: nodes.map(({ text: _, parent, ...node }) => ({
      ...node,
      // Older projects have nodes behind a corpus.
      ...(parent !== undefined && exported.has(parent) ? { parent } : {}),
      spans: project.spans(node.id).map(({ text, z, origins = [] }) => ({
        text,
        ...(z ? { z: textOfLatent(z) } : {}),
        ...(origins.length > 0 ? { origins } : {}),
      })),
    })),
    plans: project.plans.all().map(exportedPlan),
  };
}

/**
 * Adds the nodes and plans of an export to a project, all of them or none; returns their new ids by the old ones. Facts that the project has stay as they are.
 * `width`: values of a latent.
 * @throws BigVaeError: "format" for JSON that is no export, "mismatch" for latents of another model.
 */
export function importProject(
  project: Project,
  file: unknown,
  width: number,
): Record<"nodes" | "plans", Map<number, number>> {
  const { facts, nodes, plans = [] } = checked(file);
  return project.together(() => {
    project.addFacts(facts);
    const waypoints = plans.flatMap((plan) => plan.waypoints);
    checkWidths([...waypoints, ...nodes.flatMap(({ spans }) => spans)], width);
    const planIds = new Map<number, number>();
    for (const { id, waypoints, ...plan } of plans)
      planIds.set(id, project.plans.add({ ...plan, waypoints: waypointsOf(waypoints) }));
    const ids = new Map<number, number>();
    for (const { id, parent, spans, finished, settings, ...node } of nodes) {
      const placed =
        parent === undefined ? {} : { parent: ids.get(parent) ?? malformed(`node ${id} behind node ${parent}`) };
      const fresh = project.begin({ ...node, ...placed, settings: withPlan(settings, planIds) });
      ids.set(id, fresh);
      for (const span of spans) project.write(fresh, spanOf(span));
      if (finished) project.finish(fresh);
    }
    return { nodes: ids, plans: planIds };
  });
}

/** Settings that name a plan by its new id. */
function withPlan(settings: Readonly<Record<string, unknown>>, ids: ReadonlyMap<number, number>) {
  const { plan, ...others } = settings;
  const id = typeof plan === "number" ? ids.get(plan) : undefined;
  return { ...others, ...(id === undefined ? {} : { plan: id }) };
}

function spanOf({ text, z, origins }: ProjectFile["nodes"][number]["spans"][number]): ProjectSpan {
  return { text, ...(z === undefined ? {} : { z: latentOfText(z) }), ...(origins ? { origins } : {}) };
}

/** Throws "format" for what no export holds. */
function checked(file: unknown): ProjectFile {
  const { format, version, nodes, plans = [], facts = {} } = (isRecord(file) ? file : {}) as Partial<ProjectFile>;
  if (format !== "bigvae-project" || !Array.isArray(nodes)) return malformed("another kind of JSON");
  if (!(Number.isInteger(version) && version! >= 1 && version! <= PROJECT_VERSION))
    return malformed(`version ${JSON.stringify(version)}`);
  if (!isRecord(facts) || !Object.values(facts).every(isText)) return malformed("facts that are no texts");
  if (Object.hasOwn(facts, "version")) return malformed("a version among its facts");
  for (const node of nodes as unknown[]) checkNode(node);
  if (!Array.isArray(plans) || !plans.every(isPlan)) return malformed("a plan that is not whole");
  for (const [what, all] of Object.entries({ nodes, plans }))
    if (new Set(all.map(({ id }) => id)).size < all.length) return malformed(`${what} of the same id`);
  return file as ProjectFile;
}

/** Throws "mismatch" for latents of another number of values. */
function checkWidths(all: readonly { z?: string }[], width: number): void {
  const values = all.flatMap(({ z }) => (z === undefined ? [] : Buffer.byteLength(z, "base64") / 4));
  const other = values.find((count) => count !== width);
  if (other === undefined) return;
  throw new BigVaeError("mismatch", {
    subject: "project file",
    expected: `latents of ${width} values`,
    got: `one of ${other}`,
    remedy: "give the model that it was made with as `model`",
  });
}

function checkNode(node: unknown): void {
  const { id, parent, origin, settings, created, finished, title, rating, unread, removed, spans } = (
    isRecord(node) ? node : {}
  ) as Record<string, unknown>;
  const isWhole =
    [id, created].every(Number.isSafeInteger) &&
    [-1, 0, 1].includes(rating as number) &&
    (parent === undefined || Number.isSafeInteger(parent)) &&
    [origin, title].every(isText) &&
    isRecord(settings) &&
    [finished, unread, removed].every(isFlag) &&
    Array.isArray(spans) &&
    spans.every(isSpan);
  if (!isWhole) malformed(`a node that is not whole (${JSON.stringify(id) ?? "without id"})`);
}

function isSpan(span: unknown): boolean {
  if (!isRecord(span)) return false;
  const { text, z, origins } = span;
  return isText(text) && (z === undefined || isLatent(z)) && (origins === undefined || areOrigins(origins));
}

/** What is said of a span stands first (`noted` of the studio). */
function areOrigins(origins: unknown): boolean {
  if (!Array.isArray(origins) || !origins.every(isRecord)) return false;
  const { labels, plan } = (origins[0] ?? {}) as Record<string, unknown>;
  const areLabels = isRecord(labels) && Object.values(labels).every((value) => isText(value) || isNumber(value));
  return (labels === undefined || areLabels) && (plan === undefined || isPassed(plan));
}

function isPassed(plan: unknown): boolean {
  if (!isRecord(plan)) return false;
  const { waypoint, hash, isFound, tries, distance, tolerance, isReached } = plan;
  return [waypoint, tries, distance, tolerance].every(isNumber) && isText(hash) && [isFound, isReached].every(isFlag);
}

function isPlan(plan: unknown): boolean {
  const { id, title, removed, waypoints } = (isRecord(plan) ? plan : {}) as Record<string, unknown>;
  const isWhole = Number.isSafeInteger(id) && isText(title) && typeof removed === "boolean";
  return isWhole && Array.isArray(waypoints) && waypoints.length > 0 && waypoints.every(isWaypoint);
}

function isWaypoint(waypoint: unknown): boolean {
  const { z, text, tolerance, weight } = (isRecord(waypoint) ? waypoint : {}) as Record<string, unknown>;
  const isWithin = (value: unknown, most: number) => typeof value === "number" && value >= 0 && value <= most;
  return isLatent(z) && (text === undefined || isText(text)) && isWithin(tolerance, 2) && isWithin(weight, 1);
}

/** Base64 of finite float32 values, at least one. */
function isLatent(value: unknown): boolean {
  const bytes = isText(value) ? Buffer.from(value, "base64") : Buffer.alloc(0);
  if (bytes.length === 0 || bytes.length % 4 !== 0) return false;
  for (let at = 0; at < bytes.length; at += 4) if (!Number.isFinite(bytes.readFloatLE(at))) return false;
  return true;
}

const isFlag = (value: unknown): value is boolean => typeof value === "boolean";
const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
const isText = (value: unknown): value is string => typeof value === "string";

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function malformed(got: string): never {
  throw new BigVaeError("format", {
    subject: "project",
    expected: `an export of a project, version ${PROJECT_VERSION}`,
    got,
    remedy: "export the project again",
  });
}
