/** Routes about the server itself. */
import { z } from "zod";
import { RequestError } from "../failures.js";
import { type Route, route } from "../route.js";

const state = z.object({ status: z.string() });

const healthz = route({
  method: "GET",
  path: "/healthz",
  tag: "server",
  summary: "Whether the server runs.",
  answer: state,
  isOpen: true,
  handle: () => ({ status: "ok" }),
});

/** `isClosing`: whether the server takes no new work. */
const readyz = (isClosing: () => boolean) =>
  route({
    method: "GET",
    path: "/readyz",
    tag: "server",
    summary: "Whether requests are taken: the model is loaded, and the server does not close.",
    answer: state,
    isOpen: true,
    handle({ model }) {
      if (isClosing()) throw closing();
      model.get();
      return { status: "ready" };
    },
  });

const metrics = route({
  method: "GET",
  path: "/metrics",
  tag: "server",
  summary: "Counters, for Prometheus.",
  answer: z.string(),
  handle: ({ metrics: { registry } }) => registry.metrics(),
});

/** The 503 of a server that takes no new work. */
export function closing(): RequestError {
  return new RequestError(
    503,
    "closing",
    {
      subject: "server",
      expected: "one that takes requests",
      got: "one that is closing",
      remedy: "ask another, or later",
    },
    5,
  );
}

export const statusRoutes = (isClosing: () => boolean): readonly Route[] => [healthz, readyz(isClosing), metrics];
