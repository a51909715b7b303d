/** Fields of JSON files that people edit: each is what it should be, or the error says which is not. */
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { BigVaeError } from "../errors.js";
import { readError } from "../formats/fileOps.js";
import { parseStrictJson, toPlain } from "../formats/index.js";
import type { NamedLatent } from "../host/latentFiles.js";
import { parseLatentPlace, readLatent } from "../host/latentPlaces.js";
import { LatentSpace, type SpaceIdentity } from "../latent/index.js";

/** An object of a file, and where it stands. */
export class Fields {
  constructor(
    readonly where: string,
    readonly values: Readonly<Record<string, unknown>>,
  ) {}

  /** Throws "format" for what is no object. */
  static of(where: string, value: unknown): Fields {
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return new Fields(where, value as Record<string, unknown>);
    throw wrong(where, "an object", value);
  }

  /** Throws "format" for a field that is not among these. */
  only(...known: string[]): this {
    const other = Object.keys(this.values).find((name) => !known.includes(name));
    if (other === undefined) return this;
    throw wrong(this.where, `the fields ${known.join(", ")}`, other);
  }

  text(name: string): string {
    const value = this.values[name];
    if (typeof value === "string" && value.trim() !== "") return value;
    throw wrong(`${this.where}, ${name}`, "a text", value);
  }

  has(name: string): boolean {
    return this.values[name] !== undefined;
  }

  list(name: string): unknown[] {
    const value = this.values[name];
    if (Array.isArray(value) && value.length > 0) return value;
    throw wrong(`${this.where}, ${name}`, "a list that is not empty", value);
  }

  number(name: string, least: number, most: number): number {
    const value = this.values[name];
    if (typeof value === "number" && value >= least && value <= most) return value;
    throw wrong(`${this.where}, ${name}`, `a number from ${least} to ${most}`, value);
  }

  whole(name: string, least = 1): number {
    const value = this.number(name, least, Number.MAX_SAFE_INTEGER);
    if (Number.isInteger(value)) return value;
    throw wrong(`${this.where}, ${name}`, "a whole number", value);
  }
}

/** The object of a JSON file of this kind. Throws "format" for a file that is missing, damaged or of another kind. */
export async function readJson(path: string, kind: string): Promise<Fields> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw readError(path, error);
  });
  const fields = Fields.of(path, toPlain(parseStrictJson(text, path)));
  if (fields.values.kind !== kind) throw wrong(path, `a file of the kind ${JSON.stringify(kind)}`, fields.values.kind);
  return fields;
}

/** Of which space the latents of a file are. */
export function spaceField(file: Fields): SpaceIdentity {
  const space = Fields.of(`${file.where}, space`, file.values.space).only("base", "encoder", "zDim", "slots", "span");
  return {
    base: space.text("base"),
    encoder: space.text("encoder"),
    zDim: space.whole("zDim"),
    slots: space.whole("slots"),
    span: space.whole("span"),
  };
}

/** The latent that a field refers to, in a file beside the JSON file at `path`. Throws as `readLatent`, and "format" for no reference. */
export async function latentField(
  path: string,
  file: Fields,
  name: string,
  space: SpaceIdentity,
): Promise<NamedLatent> {
  const reference = file.text(name);
  if (!reference.startsWith("@")) throw wrong(`${file.where}, ${name}`, '"@FILE#NUMBER"', reference);
  const { file: of, ...place } = parseLatentPlace(reference, 'write for example "@z.npy#3"');
  return readLatent({ file: join(dirname(path), of), ...place }, new LatentSpace(space).width);
}

export function wrong(subject: string, expected: string, value: unknown): BigVaeError {
  const got = value === undefined ? "nothing" : (JSON.stringify(value) ?? `${value}`).slice(0, 60);
  return new BigVaeError("format", { subject, expected, got, remedy: "correct the file, or make it anew" });
}
