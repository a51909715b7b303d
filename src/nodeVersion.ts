/** Which Node this library runs on. */
import { BigVaeError } from "./errors.js";

/** As package.json says it (engines). */
const OLDEST = [20, 19] as const;

/** @throws BigVaeError("unsupported") for a version before 20.19. */
export function checkNode(version: string): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return;
  throw new BigVaeError("unsupported", {
    subject: "Node",
    expected: `version ${OLDEST.join(".")} or later`,
    got: version,
    remedy: "install a newer one from https://nodejs.org",
  });
}
