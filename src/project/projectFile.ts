/** A project as one JSON value, and back: what is exported holds all that is imported. */
import { BigVaeError } from "../errors.js";
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
        ...(z ? { z: Buffer.from(z.buffer, z.byteOffset, z.byteLength).toString("base64") } : {}),
        ...(origins.length > 0 ? { origins } : {}),
      })),
    })),
  };
}

/**
 * Adds the nodes of an export to a project, all of them or none; returns their new ids by the old ones. Facts that the project has stay as they are.
 * @throws BigVaeError: "format" for JSON that is no export, "mismatch" for latents of another model.
 */
export function importProject(project: Project, file: unknown): Map<number, number> {
  const { facts, nodes } = checked(file);
  return project.together(() => {
    project.addFacts(facts);
    const ids = new Map<number, number>();
    for (const { id, parent, spans, finished, ...node } of nodes) {
      const placed =
        parent === undefined ? {} : { parent: ids.get(parent) ?? malformed(`node ${id} behind node ${parent}`) };
      const fresh = project.begin({ ...node, ...placed });
      ids.set(id, fresh);
      for (const span of spans) project.write(fresh, spanOf(span));
      if (finished) project.finish(fresh);
    }
    return ids;
  });
}

function spanOf({ text, z, origins }: ProjectFile["nodes"][number]["spans"][number]): ProjectSpan {
  const bytes = z === undefined ? undefined : Uint8Array.from(Buffer.from(z, "base64"));
  if (bytes && bytes.length % 4 > 0) return malformed("a latent of broken bytes");
  return { text, ...(bytes ? { z: new Float32Array(bytes.buffer) } : {}), ...(origins ? { origins } : {}) };
}

/** Throws "format" for what no export holds. */
function checked(file: unknown): ProjectFile {
  const { format, version, nodes, facts = {} } = (isRecord(file) ? file : {}) as Partial<ProjectFile>;
  if (format !== "bigvae-project" || !Array.isArray(nodes)) return malformed("another kind of JSON");
  if (version !== PROJECT_VERSION) return malformed(`version ${JSON.stringify(version)}`);
  if (!isRecord(facts) || !Object.values(facts).every(isText)) return malformed("facts that are no texts");
  if (Object.hasOwn(facts, "version")) return malformed("a version among its facts");
  for (const node of nodes as unknown[]) checkNode(node);
  return file as ProjectFile;
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
    [finished, unread, removed].every((flag) => typeof flag === "boolean") &&
    Array.isArray(spans) &&
    spans.every(isSpan);
  if (!isWhole) malformed(`a node that is not whole (${JSON.stringify(id) ?? "without id"})`);
}

function isSpan(span: unknown): boolean {
  if (!isRecord(span)) return false;
  const { text, z, origins } = span;
  return isText(text) && (z === undefined || isText(z)) && (origins === undefined || Array.isArray(origins));
}

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
