/** Errors as answers: an HTTP status, and a body in OpenAI's shape. */
import type { z } from "zod";
import { BigVaeError, type ErrorDetail, type ErrorKind } from "../errors.js";
import type { Failure } from "./schemas/common.js";

/** An error of a request, with what only HTTP knows of it. */
export class RequestError extends Error {
  /** The option that it is about. */
  readonly param: string | null;

  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: ErrorDetail,
    /** After how many seconds it is worth another try. */
    readonly retryAfterSeconds?: number,
  ) {
    super(new BigVaeError("usage", detail).message);
    this.param = paramOf(detail.subject);
  }
}

/** Statuses of the library's errors. What the files of the model do wrong is no mistake of the request. */
const STATUSES: Readonly<Record<ErrorKind, number>> = {
  usage: 400,
  mismatch: 400,
  nonFinite: 400,
  unsupported: 400,
  aborted: 499,
  unavailable: 503,
  memory: 503,
  diverged: 500,
  format: 500,
  disk: 507,
  locked: 500,
  network: 500,
  internal: 500,
};

/** What a failed request is answered. */
export interface FailedAnswer {
  status: number;
  body: Failure;
  retryAfterSeconds?: number | undefined;
}

/** `names`: options of the library by what a route calls them. */
export function answerTo(error: unknown, names: Readonly<Record<string, string>> = {}): FailedAnswer {
  if (error instanceof RequestError) {
    const { status, message, param, code, detail, retryAfterSeconds } = error;
    return { status, body: failureBody(status, plainly(message, names), param, code, detail), retryAfterSeconds };
  }
  if (error instanceof BigVaeError) {
    const status = STATUSES[error.kind];
    const param = error.detail ? paramOf(error.detail.subject) : null;
    const named = param && Object.hasOwn(names, param) ? names[param]! : param;
    const retryAfterSeconds = status === 503 ? 1 : undefined;
    return {
      status,
      body: failureBody(status, plainly(error.message, names), named, error.kind, error.detail),
      retryAfterSeconds,
    };
  }
  if (error instanceof Error && error.name === "AbortError")
    return { status: 499, body: failureBody(499, "the request was called off", null, "aborted") };
  const { statusCode, code } = error as { statusCode?: number; code?: string };
  if (statusCode !== undefined && statusCode < 500) {
    const { message } = error as Error;
    return { status: statusCode, body: failureBody(statusCode, message, null, code ?? null) };
  }
  return {
    status: 500,
    body: failureBody(500, "an error of the server's own; its log has it by the request's id", null, "internal"),
  };
}

/** The first thing that is wrong with a body. */
export function invalidBody(error: z.ZodError): RequestError {
  const issue = ofUnion(error.issues[0]!);
  const path = issue.path.map(String).join(".");
  const subject = path === "" ? "body" : `\`${path}\``;
  const unknown = issue.code === "unrecognized_keys" ? issue.keys.slice(0, 3).join(", ").slice(0, 120) : undefined;
  const { expected, got } = partsOf(issue);
  return new RequestError(400, issue.code === "unrecognized_keys" ? "unknown_field" : "invalid_value", {
    subject: unknown === undefined ? subject : `\`${unknown}\``,
    expected: unknown === undefined ? expected : "a field of this route",
    got: unknown === undefined ? got : "none of its name",
    remedy: "see /openapi.json",
  });
}

type Issue = z.core.$ZodIssue;

/** Of a union, the issue of the member that came furthest; where each expects another type, one that expects any of these. */
function ofUnion(issue: Issue): Issue {
  if (issue.code !== "invalid_union") return issue;
  const all = issue.errors.flatMap((member) => member.slice(0, 1).map(ofUnion));
  // What is over a limit is of the right type.
  const isLimit = ({ code, path }: Issue) => path.length === 0 && code !== "invalid_type" && code !== "invalid_union";
  const within = all.filter(({ path }) => path.length > 0).sort((a, b) => firstIndex(b) - firstIndex(a));
  const found = all.find(isLimit) ?? within.sort((a, b) => b.path.length - a.path.length)[0];
  if (found) return { ...found, path: [...issue.path, ...found.path] };
  const types = new Set(all.flatMap((each) => partsOf(each).expected.split(" or ")));
  if (types.size === 0) return issue;
  const message = `expected ${Array.from(types).join(" or ")}, received ${partsOf(all[0]!).got}`;
  return { ...all[0]!, path: issue.path, message };
}

function firstIndex({ path }: Issue): number {
  return typeof path[0] === "number" ? path[0] : 0;
}

/** zod's message in its parts. */
function partsOf({ message }: Issue): { expected: string; got: string } {
  const [, expected = "a value as the route takes it", got = "another value"] =
    /^(?:Invalid \w+: |Too \w+: )?expected (.*?)(?:, received (.*))?$/i.exec(message) ?? [];
  return { expected, got };
}

function failureBody(
  status: number,
  message: string,
  param: string | null,
  code: string | null,
  detail?: ErrorDetail,
): Failure {
  return { error: { message, type: typeOf(status), param, code, ...(detail ? { detail } : {}) } };
}

function typeOf(status: number): string {
  if (status === 401) return "authentication_error";
  if (status === 429) return "rate_limit_error";
  return status < 500 ? "invalid_request_error" : "server_error";
}

/** "`tau`" -> "tau"; null where the subject is no option. */
function paramOf(subject: string): string | null {
  return /^`([^`]+)`/.exec(subject)?.[1] ?? null;
}

/** Options by the names of the route, without backticks. */
function plainly(message: string, names: Readonly<Record<string, string>>): string {
  return message.replace(/`([a-z][\w.]*)`/gi, (_, name: string) => (Object.hasOwn(names, name) ? names[name]! : name));
}
