/** Errors of a memory that is not as it was written. */
import { BigVaeError } from "../errors.js";

const REMEDY = "repair the memory: what is sound is kept, what is not is named";

/** A record that cannot be read as it was written. */
export function damagedRecord(path: string, id: number, got: string, cause?: unknown): BigVaeError {
  const subject = `${path}, record ${id}`;
  return new BigVaeError("format", { subject, expected: "what was written", got, remedy: REMEDY }, { cause });
}

/** An id that no record has. */
export function noRecord(id: number): BigVaeError {
  return new BigVaeError("usage", {
    subject: `memory: record ${id}`,
    expected: "the id of a record",
    got: "none of that id",
    remedy: "search for its text",
  });
}

/** A fact that cannot be read as it was written. */
export function damagedFact(path: string, name: string): BigVaeError {
  const got = "another checksum";
  return new BigVaeError("format", { subject: `${path}, ${name}`, expected: "what was written", got, remedy: REMEDY });
}

/** What SQLite throws, as one sentence: the disk refused, or the file is damaged. */
export function storeError(path: string, error: unknown): unknown {
  if (error instanceof BigVaeError) return error;
  const got = error instanceof Error ? error.message.replace(/\.$/, "") : String(error);
  return new BigVaeError(
    "format",
    { subject: path, expected: "a sound memory", got, remedy: REMEDY },
    { cause: error },
  );
}
