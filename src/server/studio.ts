/** The studio on a server: a project, its loom, and the page. */
import type { FastifyInstance } from "fastify";
import type { BigVae } from "../bigVae.js";
import { BigVaeError } from "../errors.js";
import { exportProject, type Project } from "../project/index.js";
import { Loom } from "../studio/loom.js";
import type { Runs } from "../studio/runs.js";
import { EventStream } from "./eventStream.js";
import type { Route } from "./route.js";
import { studioRoutes } from "./routes/studio.js";
import type { ServedMemory } from "./servedMemory.js";
import type { ServedModel } from "./servedModel.js";
import { attachPage } from "./studioPage.js";

export interface Studio {
  routes: readonly Route[];
  attach(app: FastifyInstance): void;
  /** Reads the project's spans, now that there is a model. */
  prepare(): void;
  /** Stops what is written, and closes the project. */
  close(): Promise<void>;
}

/** Says whose latents the project holds. Throws "mismatch" for another model's, "unsupported" for a base alone, which makes none. */
export async function claimLatents(project: Project, vae: BigVae, model: string): Promise<void> {
  const { encoder: sha256 = withoutAdapters(model) } = await vae.hashes();
  project.addFacts({ model, latents_sha256: sha256 });
}

function withoutAdapters(model: string): never {
  throw new BigVaeError("unsupported", {
    subject: `model ${model}`,
    expected: "adapters, which make the latents of the studio",
    got: "a base alone",
    remedy: "name their folder as `adapters`, or leave out `model` for the pocket model",
  });
}

export function openStudio(model: ServedModel, project: Project, runs: Runs, memory: ServedMemory | undefined): Studio {
  let made: Loom | undefined;
  // The map needs the space of the model's latents.
  const loom = () =>
    (made ??= new Loom(project, () => model.withLatents(), {
      memory,
      experts: model.openExperts && (() => model.experts(1)),
    }));
  const streams = new Set<EventStream>();
  return {
    routes: studioRoutes(loom, model, runs, memory),
    attach(app) {
      attachPage(app);
      app.get("/studio/events", (_, reply) => {
        const { events: told } = loom();
        const events = new EventStream(reply, () => stop());
        streams.add(events);
        const stop = told.listen((event) => events.send(event));
        reply.raw.once("close", () => {
          stop();
          events.drop();
          streams.delete(events);
        });
        events.open();
      });
      app.get("/studio/export", (_, reply) =>
        reply
          .header("content-disposition", 'attachment; filename="project.json"')
          .type("application/json; charset=utf-8")
          .send(JSON.stringify(exportProject(project))),
      );
    },
    prepare() {
      if (made) return;
      const { atlas, events } = loom();
      atlas.memory?.show().catch((error: unknown) => events.fail(error));
      if (memory) memory.onChange = async (change) => atlas.memory?.change(change);
    },
    async close() {
      await made?.close();
      for (const events of streams) events.end();
      await project.close();
    },
  };
}
