/** Errors a user can cause: one sentence with what, expected, got and what to do, and a kind that fixes the exit code. */

/** Exit code of the command for each kind of error; documented in the README. */
export const EXIT_CODES = {
  /** A wrong option, a missing argument, an empty text. */
  usage: 2,
  /** A training run that stopped itself: three non-finite steps in a row. */
  diverged: 3,
  /** A file that is missing, truncated or malformed. */
  format: 4,
  /** Files that are sound but do not belong together: another base, another shape, another width. */
  mismatch: 5,
  /** The work does not fit into the free memory. */
  memory: 6,
  /** The disk refused: full, read-only, no permission. */
  disk: 7,
  /** Another process holds the folder. */
  locked: 8,
  /** NaN or infinity in weights or in a latent. */
  nonFinite: 9,
  /** An architecture, a quantisation or a feature that is not supported. */
  unsupported: 10,
  /** No connection, no answer in time, or one of the hub that cannot be used. */
  network: 11,
  /** The engine ended, or a server is loading, busy or closing: the same call may succeed later. */
  unavailable: 12,
  /** A mistake of the library, not of the user. */
  internal: 70,
  /** The caller aborted. */
  aborted: 130,
} as const;

/** What went wrong, as code tells errors apart. @useDeclaredType */
export type ErrorKind = keyof typeof EXIT_CODES;

/** An error in its parts; those of the user's options are in backticks, and a program shows them under its own names. */
export interface ErrorDetail {
  /** The option, the file or the call that it is about. */
  subject: string;
  /** What would have been right. */
  expected: string | number;
  /** What was found in its place. */
  got: string | number;
  /** What to do. */
  remedy: string;
}

/** The only error this library throws on purpose. `kind` fixes the exit code, `message` is one sentence for the user. */
export class BigVaeError extends Error {
  /** As it stands in stack traces. */
  override readonly name = "BigVaeError";
  /** The parts of the sentence; none where the caller aborted. */
  readonly detail: ErrorDetail | undefined;
  constructor(kind: "aborted", reason: string, options?: ErrorOptions);
  constructor(kind: ErrorKind, detail: ErrorDetail, options?: ErrorOptions);
  constructor(
    /** The class of the error: what to decide on, where the message is for reading. */
    readonly kind: ErrorKind,
    detail: ErrorDetail | string,
    options?: ErrorOptions,
  ) {
    super(typeof detail === "string" ? detail : sentence(detail), options);
    this.detail = typeof detail === "string" ? undefined : detail;
  }
  /** What the command exits with, by EXIT_CODES. */
  get exitCode(): number {
    return EXIT_CODES[this.kind];
  }

  /** The same error with other parts. */
  with(changes: Partial<ErrorDetail>): BigVaeError {
    if (!this.detail) return this;
    return new BigVaeError(this.kind, { ...this.detail, ...changes }, { cause: this });
  }
}

function sentence({ subject, expected, got, remedy }: ErrorDetail): string {
  return `${subject}: expected ${expected}, got ${got}; ${remedy}`;
}

/** A name that a file gives, for an error message: as a JSON string, on one line, cut to 120 characters. */
export function quote(name: string): string {
  const quoted = JSON.stringify(name);
  return quoted.length > 120 ? `${quoted.slice(0, 116)}..."` : quoted;
}
