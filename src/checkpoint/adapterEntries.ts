/** The adapters that a checkpoint has beside encoder/, decoder/ and router/: `adapters` of bigvae.json, by name. */
import { BigVaeError } from "../errors.js";
import { ADAPTER_ROLES, WRITER_ROLES, type WriterRole } from "../vae/roles.js";

/** A further adapter, which writes under its own name. */
export interface AdapterEntry {
  role: WriterRole;
  /** The folder of its PEFT files, beside bigvae.json; no other adapter's. */
  folder: string;
}

/** Reserved names and folders. */
const TAKEN: readonly string[] = [...ADAPTER_ROLES, "base"];
const NAME = /^[a-z][a-z0-9-]{0,63}$/;

/**
 * Looks at the entries of the file at `path`. Throws "format" for malformed ones, "unsupported" for a role or a field that is not supported.
 */
export function checkEntries(path: string, entries: Readonly<Record<string, unknown>>): void {
  const folders = new Set<string>(TAKEN);
  for (const [name, entry] of Object.entries(entries)) {
    if (!NAME.test(name) || TAKEN.includes(name))
      throw malformed(
        path,
        `the name of a further adapter to be of lower-case letters, digits and hyphens, and none of ${TAKEN.join(", ")}`,
        name,
        "rename it",
      );
    if (typeof entry !== "object" || entry === null || Array.isArray(entry))
      throw malformed(path, `adapter ${name} to be an object of role and folder`, entry, "get the file again");
    checkEntry(path, name, entry, folders);
  }
}

/** `folders` are those that are taken; the entry's own is added. */
function checkEntry(path: string, name: string, entry: Partial<Record<string, unknown>>, folders: Set<string>): void {
  const { role, folder, ...others } = entry;
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined)
    throw foreign(path, `adapter ${name} to have role and folder alone`, `${quoted(unknown)} too`);
  const roles = WRITER_ROLES.join(" or ");
  if (typeof role === "string" && !(WRITER_ROLES as readonly string[]).includes(role))
    throw foreign(path, `adapter ${name} to have the role ${roles}`, quoted(role));
  if (typeof role !== "string") throw malformed(path, `adapter ${name} to have a role, ${roles}`, role, "add it");
  if (typeof folder !== "string" || !NAME.test(folder) || folders.has(folder))
    throw malformed(
      path,
      `adapter ${name} to have a folder of its own beside bigvae.json, named in lower-case letters, digits and hyphens`,
      folder,
      "give each adapter one",
    );
  folders.add(folder);
}

function malformed(subject: string, expected: string, got: unknown, remedy: string): BigVaeError {
  return new BigVaeError("format", { subject, expected, got: quoted(got), remedy });
}

function foreign(subject: string, expected: string, got: string): BigVaeError {
  return new BigVaeError("unsupported", { subject, expected, got, remedy: "it is of another version: update bigvae" });
}

function quoted(value: unknown): string {
  return (JSON.stringify(value) ?? "none").slice(0, 100);
}
