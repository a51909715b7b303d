/** The files behind paths and folders of texts, links followed, and what of a folder was left out. */
import { readdir, realpath, stat } from "node:fs/promises";
import { extname, join, resolve } from "node:path";
import { BigVaeError } from "../errors.js";
import { errorCode, readError } from "../formats/fileOps.js";

export interface InputFile {
  readonly path: string;
  readonly sizeBytes: number;
}

/** Files in the order of their paths, and what is in their folders besides. */
export interface Inputs {
  readonly files: readonly InputFile[];
  /** "2 .md, 1 link to nothing"; nothing where all was taken. */
  readonly leftOut?: string;
}

/** How texts lie in their files. */
export interface TextOptions {
  /** The field of a record that holds the text; "text" by default. */
  readonly field?: string;
  /** Whether a .txt file is one text; default: each line is one. */
  readonly whole?: boolean;
}

/** Of files that hold text alone; the others hold records. */
const PLAIN = ".txt";
const ENDINGS = [PLAIN, ".jsonl", ".jsonl.gz", ".parquet"];
/** The endings that are read, as an error or a help text names them. */
export const KNOWN_ENDINGS = ENDINGS.join(", ");

/**
 * The files behind `inputs`, each folder in the order of its paths.
 * @throws BigVaeError("format") for what cannot be read, BigVaeError("usage") for a wrong path, a file of another kind, none at all or
 * an option that concerns none of them.
 */
export async function listInputs(inputs: readonly string[], options: TextOptions = {}): Promise<Inputs> {
  const files: InputFile[] = [];
  const walk = new FolderWalk();
  for (const input of inputs) {
    const path = resolve(input);
    const status = await stat(path).catch((error) => {
      if (errorCode(error) !== "ENOENT") throw readError(path, error);
      throw new BigVaeError("usage", {
        subject: path,
        expected: "a file or folder",
        got: "nothing there",
        remedy: "check the path",
      });
    });
    if (status.isDirectory()) files.push(...(await walk.filesOf(path)));
    else files.push(namedFile(path, status.size));
  }
  const leftOut = walk.leftOut();
  if (files.length > 0) {
    checkConcerned(files, options);
    return { files, ...(leftOut ? { leftOut } : {}) };
  }
  throw new BigVaeError("usage", {
    subject: inputs.join(", ") || "inputs",
    expected: `files of ${KNOWN_ENDINGS}`,
    got: leftOut ?? "none",
    remedy: "convert the texts to one of them",
  });
}

/** Throws "usage" for `whole` without a .txt file, and for `field` without a file of records. */
function checkConcerned(files: readonly InputFile[], { field, whole }: TextOptions): void {
  const isPlain = ({ path }: InputFile) => path.endsWith(PLAIN);
  const others = files.length > 1 ? ` and ${files.length - 1} more` : "";
  const fail = (option: string, expected: string) =>
    new BigVaeError("usage", {
      subject: option,
      expected,
      got: `${files[0]!.path}${others}`,
      remedy: "leave it out, or give such a file",
    });
  if (whole && !files.some(isPlain)) throw fail("`whole`", `a ${PLAIN} file`);
  const records = ENDINGS.filter((ending) => ending !== PLAIN).join(", ");
  if (field !== undefined && files.every(isPlain)) throw fail("`field`", `a file of records (${records})`);
}

/** A file that was given by its name: not one of a folder, of which other files are passed over. */
function namedFile(path: string, sizeBytes: number): InputFile {
  if (isKnown(path)) return { path, sizeBytes };
  throw new BigVaeError("usage", {
    subject: path,
    expected: `a file of ${KNOWN_ENDINGS}`,
    got: extname(path) || "no ending",
    remedy: "convert it to one of them",
  });
}

function isKnown(path: string): boolean {
  return ENDINGS.some((ending) => path.endsWith(ending));
}

/** Reads folders with all that is below them. A folder that several links lead to is read once, so that a loop of links ends. */
class FolderWalk {
  readonly #seen = new Set<string>();
  readonly #leftOut = new Map<string, number>();

  async filesOf(folder: string): Promise<InputFile[]> {
    const files = await this.#filesBelow(folder);
    return files.sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  /** What was passed over, by kind, the most frequent first. */
  leftOut(): string | undefined {
    if (this.#leftOut.size === 0) return undefined;
    const kinds = [...this.#leftOut].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
    return kinds.map(([kind, count]) => `${count} ${kind}`).join(", ");
  }

  async #filesBelow(folder: string): Promise<InputFile[]> {
    const real = await realpath(folder);
    if (this.#seen.has(real)) {
      this.#leaveOut("folder that was read already");
      return [];
    }
    this.#seen.add(real);
    const names = await readdir(folder).catch((error) => {
      throw readError(folder, error);
    });
    const files: InputFile[] = [];
    for (const name of names.sort()) files.push(...(await this.#filesAt(join(folder, name))));
    return files;
  }

  async #filesAt(path: string): Promise<InputFile[]> {
    const status = await stat(path).catch((error) => {
      if (["ENOENT", "ELOOP"].includes(errorCode(error) ?? "")) return undefined;
      throw readError(path, error);
    });
    if (status?.isDirectory()) return this.#filesBelow(path);
    if (status?.isFile() && isKnown(path)) return [{ path, sizeBytes: status.size }];
    if (status === undefined) this.#leaveOut("link to nothing");
    else this.#leaveOut(status.isFile() ? extname(path) || "without ending" : "of another kind");
    return [];
  }

  #leaveOut(kind: string): void {
    this.#leftOut.set(kind, (this.#leftOut.get(kind) ?? 0) + 1);
  }
}
