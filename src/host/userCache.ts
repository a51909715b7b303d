/** Where files are kept that can be made again. */
import { homedir } from "node:os";
import { join } from "node:path";

/** BIGVAE_CACHE, or bigvae in the user's cache folder. */
export function userCache(env: NodeJS.ProcessEnv = process.env): string {
  return env.BIGVAE_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "bigvae");
}
