/** Who may ask the real server: names, pages, keys; and what it says of them in its log. */
import { request } from "node:http";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Server } from "../../src/server/serve.js";
import { type Failed, post, startServer } from "./server.js";

const KEY = "a-secret-of-the-test";
const PAGE = "http://localhost:5173";
const SECRET_TEXT = "The duchess hid the rubies";

let open: Server;
let guarded: Server;
const log: string[] = [];
beforeAll(async () => {
  [open, guarded] = await Promise.all([
    startServer({ cors: [PAGE, "null"] }),
    startServer({
      ...{ host: "0.0.0.0", key: KEY, allowedHosts: ["studio.example"] },
      log: { write: (line: string) => void log.push(line) },
    }),
  ]);
});
afterAll(() => Promise.all([open.close(), guarded.close()]));

/** The status of a request with any headers, Host included. */
function status(server: Server, path: string, headers: Record<string, string>, method = "GET"): Promise<number> {
  const { port } = new URL(server.url);
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, path, method, headers }, (response) => {
      response.resume();
      resolve(response.statusCode!);
    });
    sent.on("error", reject);
    sent.end();
  });
}

/** What a raw request is answered. */
function raw(server: Server, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(server.url).port), "127.0.0.1", () => socket.write(text));
    let answer = "";
    socket.on("data", (data) => {
      answer += data;
    });
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
    setTimeout(() => socket.end(), 300);
  });
}

describe("Host", () => {
  it("is the server's own, whatever its case and port", async () => {
    for (const host of ["localhost", "LOCALHOST:3001", "127.0.0.1", "127.0.0.1:80", "[::1]", "[::1]:3001"])
      expect(await status(open, "/healthz", { host }), host).toBe(200);
    for (const host of ["studio.example", "Studio.Example:443", "localhost"])
      expect(await status(guarded, "/healthz", { host }), host).toBe(200);
  });

  it("of another name is refused on every address that is listened at", async () => {
    const names = [
      "evil.com",
      "127.0.0.1.evil.com",
      "localhost.evil.com",
      "x.local",
      "0.0.0.0",
      "a.internal",
      "[::2]",
      "@",
      "a b",
    ];
    for (const host of names)
      for (const server of [open, guarded]) {
        expect(await status(server, "/healthz", { host }), host).toBe(403);
        expect(await status(server, "/v1/models", { host, authorization: `Bearer ${KEY}` }), host).toBe(403);
      }
    expect(await raw(open, "GET /healthz HTTP/1.0\r\n\r\n")).toMatch(/^HTTP\/1\.1 403 /);
  });
});

describe("pages", () => {
  const ask = (server: Server, path: string, origin: string, method = "OPTIONS") =>
    fetch(`${server.url}${path}`, {
      method,
      headers: {
        origin,
        "access-control-request-method": "POST",
        ...(method === "POST" ? { "content-type": "application/json" } : {}),
      },
      ...(method === "POST" ? { body: '{"text":"x","texts":["x"]}' } : {}),
    });

  it("that are allowed are let in, by name and without credentials", async () => {
    const preflight = await ask(open, "/latent/encode", PAGE);
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-origin")).toBe(PAGE);
    expect(preflight.headers.get("access-control-allow-credentials")).toBeNull();
    expect(preflight.headers.get("access-control-allow-headers")).toContain("content-type");
    const answer = await ask(open, "/check-tokens", PAGE, "POST");
    expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([200, PAGE]);
  });

  it("without an origin reach MiniLoom's routes alone, where that is allowed", async () => {
    for (const path of ["/vae-guided", "/generate", "/check-tokens"]) {
      const preflight = await ask(open, path, "null");
      expect([preflight.status, preflight.headers.get("access-control-allow-origin")]).toEqual([204, "null"]);
    }
    expect((await ask(open, "/check-tokens", "null", "POST")).status).toBe(200);
    expect((await ask(open, "/latent/encode", "null", "POST")).status).toBe(403);
    expect((await ask(guarded, "/check-tokens", "null", "POST")).status).toBe(403);
  });

  it("of any other origin change nothing and read nothing", async () => {
    for (const origin of ["https://evil.com", "http://localhost:5174", `${PAGE}.evil.com`, "http://127.0.0.1"])
      for (const method of ["OPTIONS", "POST"]) {
        const answer = await ask(open, "/latent/encode", origin, method);
        expect([answer.status, answer.headers.get("access-control-allow-origin")], origin).toEqual([403, null]);
      }
  });
});

describe("the key", () => {
  it("is required beyond this machine", async () => {
    for (const host of ["0.0.0.0", "192.0.2.1", "::"])
      await expect(startServer({ host })).rejects.toMatchObject({ kind: "usage", message: /a key/ });
    await expect(startServer({ key: " " })).rejects.toMatchObject({ kind: "usage" });
    await expect(startServer({ cors: ["http://localhost:1/"] })).rejects.toMatchObject({ kind: "usage" });
  });

  it("opens all routes, which are closed without it, but for those that say how the server is", async () => {
    const url = guarded.url.replace("0.0.0.0", "127.0.0.1");
    for (const authorization of ["", "Bearer", `Bearer ${KEY}x`, `Basic ${KEY}`, KEY]) {
      const { status, body } = await post<Failed>(`${url}/check-tokens`, { text: "x" }, { headers: { authorization } });
      expect(status, authorization).toBe(401);
      expect(body.error).toMatchObject({ type: "authentication_error", code: "invalid_api_key" });
    }
    const init = { headers: { authorization: `Bearer ${KEY}` } };
    expect((await post(`${url}/check-tokens`, { text: "x" }, init)).status).toBe(200);
    for (const path of ["/v1/models", "/metrics", "/openapi.json"])
      expect((await fetch(`${url}${path}`)).status).toBe(401);
    for (const path of ["/healthz", "/readyz"]) expect((await fetch(`${url}${path}`)).status).toBe(200);
  });

  it("is in no line of the log, and neither are texts; ids of requests are", async () => {
    const url = guarded.url.replace("0.0.0.0", "127.0.0.1");
    const headers = { authorization: `Bearer ${KEY}`, "x-request-id": "of-the-caller" };
    const { headers: answered } = await post(`${url}/latent/reconstruct`, { texts: [SECRET_TEXT] }, { headers });
    await post(
      `${url}/v1/completions?text=${encodeURIComponent(SECRET_TEXT)}`,
      { model: "pocket", prompt: [SECRET_TEXT], n: "x" },
      { headers },
    );
    expect(answered.get("x-request-id")).toBe("of-the-caller");
    const all = log.join("");
    expect(all).toContain('"id":"of-the-caller"');
    expect(all).toContain('"route":"/latent/reconstruct"');
    expect(all).not.toContain(KEY);
    expect(all).not.toMatch(/duchess/i);
    for (const line of log) expect(() => JSON.parse(line)).not.toThrow();
  });
});

it("requests that are none are answered in the shape of all errors", async () => {
  const texts = [
    "nonsense\r\n\r\n",
    "POST /check-tokens HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}",
    `GET /${"x".repeat(20_000)} HTTP/1.1\r\nhost: localhost\r\n\r\n`,
    "GET /%E0%A4%A HTTP/1.1\r\nhost: localhost\r\n\r\n",
  ];
  for (const text of texts) {
    const answer = await raw(open, text);
    expect(answer, text.slice(0, 30)).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(JSON.parse(answer.slice(answer.indexOf("{"), answer.lastIndexOf("}") + 1)).error.message).not.toBe("");
  }
});
