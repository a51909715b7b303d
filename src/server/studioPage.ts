/** The studio's page: files that were built beside the library, read once. */
import { readdirSync, readFileSync } from "node:fs";
import { extname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import type { FastifyInstance } from "fastify";
import { BigVaeError } from "../errors.js";

const FOLDER = fileURLToPath(new URL("../studio-page", import.meta.url));

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
  ".txt": "text/plain; charset=utf-8",
  ".md": "text/markdown; charset=utf-8",
};

/** The page runs what comes with it alone, and asks nobody else. */
const POLICY = [
  "default-src 'self'",
  "img-src 'self' data: blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Throws "unsupported" where the page was not built. */
export function attachPage(app: FastifyInstance): void {
  for (const path of filesOf(FOLDER)) {
    const bytes = readFileSync(path);
    const url = `/${relative(FOLDER, path).split(sep).join("/")}`;
    const type = TYPES[extname(path)] ?? "application/octet-stream";
    // Names of assets change with what they hold.
    const cache = url.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache";
    for (const each of url === "/index.html" ? ["/", url] : [url])
      app.get(each, (_, reply) =>
        reply
          .headers({
            "content-security-policy": POLICY,
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
            "cache-control": cache,
          })
          .type(type)
          .send(bytes),
      );
  }
}

function filesOf(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  } catch (cause) {
    throw new BigVaeError(
      "unsupported",
      {
        subject: "studio",
        expected: "its page in the package",
        got: "none",
        remedy: "run `npm run build` in the repository",
      },
      { cause },
    );
  }
}
