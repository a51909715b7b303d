/** Streams to readers that take everything, and to one that takes nothing. */
import { connect, type Socket } from "node:net";
import fastify, { type FastifyInstance } from "fastify";
import { afterEach, expect, it } from "vitest";
import { EventStream } from "./eventStream.js";

let app: FastifyInstance | undefined;
let socket: Socket | undefined;
afterEach(async () => {
  socket?.destroy();
  await app?.close();
});

async function listening(send: (events: EventStream) => unknown, giveUp = () => {}): Promise<number> {
  app = fastify({ forceCloseConnections: true });
  app.get("/", async (_, reply) => {
    reply.header("x-request-id", "of the test");
    await send(new EventStream(reply, giveUp));
    return reply;
  });
  await app.listen({ port: 0 });
  return (app.server.address() as { port: number }).port;
}

it("sends values as lines of JSON, floats as numbers, behind the answer's headers", async () => {
  const port = await listening((events) => {
    expect(events.hasBegun).toBe(false);
    events.send({ text: "a\nb", z: Float32Array.of(0.5) }, "span");
    expect(events.hasBegun).toBe(true);
    events.send([1]);
    events.end("[DONE]");
  });
  const response = await fetch(`http://127.0.0.1:${port}/`);
  expect(response.headers.get("x-request-id")).toBe("of the test");
  expect(response.headers.get("cache-control")).toBe("no-cache");
  expect(await response.text()).toBe('event: span\ndata: {"text":"a\\nb","z":[0.5]}\n\ndata: [1]\n\ndata: [DONE]\n\n');
});

it("gives a reader up for whom more than a megabyte waits", async () => {
  const text = "x".repeat(100_000);
  let most = 0;
  let sent = 0;
  const gaveUp = new Promise<void>((resolve) => {
    void listening(async (events) => {
      const { raw } = events.reply;
      // The system takes some megabytes for the socket before anything waits.
      for (; sent < 1000 && !raw.destroyed; sent++) {
        events.send({ text });
        most = Math.max(most, raw.writableLength);
        await new Promise(setImmediate);
      }
    }, resolve).then((port) => {
      socket = connect(port, "127.0.0.1", () => socket!.write("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")).pause();
      socket.on("error", () => undefined);
    });
  });
  await gaveUp;
  expect(most).toBeLessThan(1_200_000);
  expect(sent).toBeLessThan(1000);
});
