/** What LanceDB throws is told from what it says, not from the names that a user has chosen. */
import { describe, expect, it } from "vitest";
import { guarded, isConflict } from "./failures.js";

const refusal = (place: string, message: string) =>
  guarded(place, async () => {
    throw new Error(message);
  }).catch(({ kind, message }: { kind: string; message: string }) => `${kind}: ${message}`);

describe("a failure in a place whose name speaks of another", () => {
  it.each([
    [
      "lance:/home/me/credentials/stories",
      "lance error: LanceError(IO): Generic LocalFileSystem error: Unable to walk dir: IO error for operation on /home/me/credentials/stories/records.lance: Not a directory (os error 20)",
      /^disk: .*; check the path, its permissions and the free space$/,
    ],
    [
      "s3://signatures/401",
      "Generic S3 error: Error performing GET http://127.0.0.1:1/signatures/401/memory.lance\nCaused by: Connection refused (os error 111), /cargo/registry/lance-io-8.0.0/src/store.rs:403:26",
      /^network: .* got Connection refused \(os error 111\); see that it runs; /,
    ],
    [
      "s3://stories/x",
      "Generic S3 error: the credential provider was not enabled: no providers in chain provided credentials",
      /^usage: .* got none; see that AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are right$/,
    ],
  ])("%s", async (place, message, expected) => {
    expect(await refusal(place, message)).toMatch(expected);
  });

  it("is told without what it was caused by", async () => {
    const message = "Table 'records-1' was not found  Caused by: Dataset at path x/records-1.lance was not found";
    expect(await refusal("lance:/x", message)).toMatch(
      /^format: memory lance:\/x: expected a sound memory, got Table 'records-1' was not found; go back to /,
    );
  });

  it("tells of others that are always first", async () => {
    expect(await refusal("lance:/x", "Too many concurrent writers")).toBe(
      "locked: memory lance:/x: expected a turn to change it, got another process that was first; try again",
    );
  });

  it("is a conflict only where LanceDB says so", () => {
    expect(isConflict(new Error("Retryable commit conflict for version 7 at /home/me/stories"))).toBe(true);
    expect(isConflict(new Error("Not a directory: /home/me/conflict/stories"))).toBe(false);
  });
});
