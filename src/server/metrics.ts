/** What Prometheus reads at /metrics. */
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Queue } from "./queue.js";

export class Metrics {
  readonly registry = new Registry();
  readonly requests = new Counter({
    name: "bigvae_http_requests_total",
    help: "Answered requests.",
    labelNames: ["route", "status"] as const,
    registers: [this.registry],
  });
  readonly seconds = new Histogram({
    name: "bigvae_http_request_seconds",
    help: "Time from a request to the end of its answer.",
    labelNames: ["route"] as const,
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers: [this.registry],
  });
  readonly tokens = new Counter({
    name: "bigvae_tokens_total",
    help: "Tokens read and written.",
    labelNames: ["direction"] as const,
    registers: [this.registry],
  });
  readonly engineEnds = new Counter({
    name: "bigvae_engine_ends_total",
    help: "Times that the engine ended by itself and was loaded again.",
    registers: [this.registry],
  });

  constructor(queue: Queue, isReady: () => boolean) {
    const { registry } = this;
    const gauge = (name: string, help: string, value: () => number) =>
      new Gauge({
        name,
        help,
        registers: [registry],
        collect() {
          this.set(value());
        },
      });
    gauge("bigvae_requests_active", "Requests at work.", () => queue.active);
    gauge("bigvae_requests_waiting", "Requests that wait for a place.", () => queue.waiting);
    gauge("bigvae_ready", "1 where the model is loaded.", () => Number(isReady()));
    gauge("process_resident_memory_bytes", "Memory of the server, without its engine.", () =>
      process.memoryUsage.rss(),
    );
  }
}
