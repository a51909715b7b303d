/** What LanceDB throws, as one sentence: the object storage refused or did not answer, the disk refused, or the memory is damaged. */
import { BigVaeError, type ErrorDetail, type ErrorKind } from "../../errors.js";

/** What to do about a damaged memory: a database is not repaired as a folder is, but its older versions are there. */
export const OLDER_VERSION = "go back to an older version of the database, or import an export";

/** Runs calls of LanceDB; what it throws becomes one sentence. */
export async function guarded<T>(place: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BigVaeError) throw error;
    if (isConflict(error)) throw noTurn(place, "another process that was first", error);
    const message = messageOf(error);
    const [kind, detail] = isOfStore(message) ? storageFailure(place, message) : diskFailure(message);
    throw new BigVaeError(kind, { subject: `memory ${place}`, ...detail }, { cause: error });
  }
}

/** Whether another process was first with its change. What is said of the requests to an object storage speaks of retries too. */
export function isConflict(error: unknown): boolean {
  const message = messageOf(error);
  return /conflict|contention|concurrent writers/i.test(withoutPaths(message)) && !isOfStore(message);
}

/** The error of a change that others are always first with. */
export function noTurn(place: string, got: string, cause?: unknown): BigVaeError {
  const detail = { subject: `memory ${place}`, expected: "a turn to change it", got, remedy: "try again" };
  return new BigVaeError("locked", detail, { cause });
}

type Failure = [ErrorKind, Omit<ErrorDetail, "subject">];

/** An error of the library that LanceDB reaches object storage with. */
function isOfStore(message: string): boolean {
  return /Generic (?!LocalFileSystem)\w+ error|credential/i.test(withoutPaths(message));
}

function storageFailure(place: string, message: string): Failure {
  const { keys, address } = place.startsWith("s3:") ? AMAZON : place.startsWith("gs:") ? GOOGLE : AZURE;
  const code = /<Code>(\w+)<\/Code>/.exec(message)?.[1] ?? /status code: (\d+ [\w ]+)/.exec(message)?.[1];
  const words = code ?? withoutPaths(message);
  if (/no such ?bucket|NoSuchBucket|ContainerNotFound/i.test(words))
    return ["usage", { expected: "a bucket that is there", got: code ?? "none", remedy: "make it, or name another" }];
  const isDenied = /AccessKey|Signature|AccessDenied|Authenti|Forbidden|Unauthorized|credential|\b40[13]\b/i;
  if (isDenied.test(words)) {
    const got = code ?? (/provid|load/i.test(words) ? "none" : shortened(message));
    return ["usage", { expected: "credentials that the storage takes", got, remedy: `see that ${keys} are right` }];
  }
  if (/URL scheme is not allowed/.test(message))
    return ["usage", { expected: "an address with https://", got: "one with http://", remedy: address }];
  if (code === undefined || /^5\d\d|SlowDown|InternalError|ServiceUnavailable/.test(code)) {
    const got = code ?? lastCause(message);
    return ["network", { expected: "an answer of the object storage", got, remedy: `see that it runs; ${address}` }];
  }
  return ["network", { expected: "a storage that takes it", got: code, remedy: "see what its log says" }];
}

const AMAZON = {
  keys: "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
  address: "AWS_ENDPOINT is its address, and AWS_ALLOW_HTTP=true allows one without TLS",
};
const GOOGLE = { keys: "GOOGLE_APPLICATION_CREDENTIALS", address: "check the network" };
const AZURE = { keys: "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY", address: "check the network" };

function diskFailure(message: string): Failure {
  const words = withoutPaths(message);
  const isDamage =
    /\b(not found|corrupt|decod|invalid|parse|magic|protobuf|panic|range)/i.test(words) &&
    !/permission|denied|no space|Generic \w+ error/i.test(words);
  const got = shortened(message);
  if (isDamage) return ["format", { expected: "a sound memory", got, remedy: OLDER_VERSION }];
  return [
    "disk",
    { expected: "a disk that takes it", got, remedy: "check the path, its permissions and the free space" },
  ];
}

/** What a message says, without the names that a user has chosen and the places in LanceDB's source. */
function withoutPaths(message: string): string {
  return message.replaceAll(/\S*[/\\]\S*/g, "");
}

/** Behind the sentence there are its causes and the line of LanceDB's source. */
function shortened(message: string): string {
  return message
    .split(/\n|\s+Caused by: |, \S+\.rs:/)[0]!
    .slice(0, 300)
    .replace(/\.$/, "");
}

/** LanceDB lists what was the cause of what, on lines of their own. */
function lastCause(message: string): string {
  const causes = message.split(/Caused by: /);
  return shortened(causes.at(-1)!).trim();
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
