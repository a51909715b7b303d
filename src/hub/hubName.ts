/** Names of models on the hub: "owner/name", "owner/name@revision", "owner/name:file.gguf". None of them leads out of the cache. */
import { BigVaeError } from "../errors.js";

/** A name in its parts. */
export interface HubName {
  /** "owner/name" */
  readonly repository: string;
  /** A branch, a tag or a commit; undefined where the name has none, which means "main". */
  readonly revision?: string;
  /** Path of a .gguf file in the repository; undefined where the whole model is meant. */
  readonly file?: string;
}

/** What a branch is called where nobody says otherwise. */
export const MAIN = "main";

const PART = "[A-Za-z0-9_][\\w.-]{0,95}";
const NAME = new RegExp(`^(${PART}/${PART})(?:@([^:]+))?(?::(.+))?$`);
const REVISION = /^\w[\w.-]*(?:\/\w[\w.-]*)*$/;
const MAX_LENGTH = 300;

/** The name in its parts; undefined where `text` is none. */
export function parseHubName(text: string): HubName | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const [, repository = "", revision, file] = NAME.exec(text) ?? [];
  if (!isRepository(repository) || (revision !== undefined && !isRevision(revision))) return undefined;
  if (file !== undefined && !(isFilePath(file) && file.endsWith(".gguf"))) return undefined;
  return { repository, ...(revision === undefined ? {} : { revision }), ...(file === undefined ? {} : { file }) };
}

/** The name in its parts. @throws BigVaeError("usage") where `text` is none. */
export function requireHubName(text: string): HubName {
  const name = parseHubName(text);
  if (name) return name;
  throw new BigVaeError("usage", {
    subject: JSON.stringify(text.slice(0, 100)),
    expected: "a hub name: owner/name, owner/name@revision or owner/name:file.gguf",
    got: "another text",
    remedy: "copy the name from the model's page",
  });
}

/** The name as it is typed. */
export function showHubName({ repository, revision, file }: HubName): string {
  return `${repository}${revision === undefined ? "" : `@${revision}`}${file === undefined ? "" : `:${file}`}`;
}

/** As the hub itself wants it: two parts that begin and end with a letter, a digit or "_", without "--" and "..". */
function isRepository(text: string): boolean {
  const parts = text.split("/");
  return parts.length === 2 && parts.every((part) => !/--|\.\.|[.-]$/.test(part)) && !text.endsWith(".git");
}

/** A branch, a tag or a commit that can be the path of a file below refs/. */
function isRevision(text: string): boolean {
  return text.length <= 200 && REVISION.test(text) && !/\.\.|\.(?:lock)?(?:\/|$)/.test(text);
}

/** 40 hexadecimal digits: the only revision that never means another content. */
export function isCommit(text: unknown): text is string {
  return typeof text === "string" && /^[0-9a-f]{40}$/.test(text);
}

/** A path below a folder, with forward slashes, on any system: no "..", no drive, no device. */
export function isFilePath(text: string): boolean {
  if (text.length > 250) return false;
  const isName = (part: string) => /^\w[\w .+=@-]*$/.test(part) && !/[. ]$/.test(part) && !WINDOWS_DEVICE.test(part);
  return text.split("/").every(isName);
}

const WINDOWS_DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;
