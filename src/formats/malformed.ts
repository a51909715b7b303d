/** Errors of files that are not what their format says. */
import { BigVaeError, quote } from "../errors.js";

/** The error of a damaged file, whose remedy is another copy. `expected` and `got` as in `ErrorDetail`. */
export function malformed(
  subject: string,
  expected: string,
  got: string | number,
  options?: ErrorOptions,
): BigVaeError {
  return new BigVaeError("format", { subject, expected, got, remedy: "get the file again" }, options);
}

/** The error of a reader that is asked for a tensor which its file lacks. */
export function missingTensor(what: string, name: string): BigVaeError {
  return new BigVaeError("mismatch", {
    subject: what,
    expected: `a tensor ${quote(name)}`,
    got: "none",
    remedy: "check that it is the right file",
  });
}
