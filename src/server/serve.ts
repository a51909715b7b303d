/** A server from its options: it listens at once, loads the model beside that, and closes in order. */
import { resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { BigVae, type LoadOptions } from "../bigVae.js";
import { BigVaeError } from "../errors.js";
import { readExperts } from "../expert/index.js";
import { openExperts } from "../operations/experts.js";
import { Project } from "../project/index.js";
import { Runs } from "../studio/runs.js";
import { type App, makeApp } from "./app.js";
import { type AccessOptions, checkAccess } from "./security.js";
import { ServedMemory } from "./servedMemory.js";
import { ServedModel } from "./servedModel.js";
import { claimLatents, openStudio } from "./studio.js";

export interface ServeOptions extends Partial<AccessOptions> {
  /** As `BigVae.load` takes it. */
  model?: string;
  load?: LoadOptions;
  /** Default: 3001; 0 is any that is free. */
  port?: number;
  maxActive?: number;
  maxWaiting?: number;
  maxBodyBytes?: number;
  /** The memory that spans and drafts are kept in, a folder or a database (lance:PATH, s3://BUCKET/PATH); it is begun where there is none. Default: no memory. */
  memory?: string | undefined;
  /** Drafts of a kind that the memory keeps at most; default: 10,000. */
  memoryDrafts?: number | undefined;
  /** Folder of the project that the studio works on; without it there is no studio. */
  project?: string | undefined;
  /** Folder of experts, which requests may have write. */
  experts?: string | undefined;
  /** Folder of strategies; default: "strategies". */
  strategies?: string;
  /** Folder of the training runs that the studio shows; default: "runs". */
  runs?: string;
  /** The time that a connection has for the headers of a request; default: 10 s. */
  headersTimeoutMs?: number;
  /** Of all random numbers of requests that give no seed. */
  seed: number;
  version: string;
  log?: { write(line: string): void } | undefined;
}

/** Requests at work have this long to end while a server closes. */
const DRAIN_MS = 30_000;

export interface Server {
  /** Where it listens. */
  url: string;
  /** Settles when the model is loaded; rejected with the error where it cannot be. */
  loaded: Promise<void>;
  /** The model, once it is loaded. */
  model: ServedModel;
  /** Takes no new work, lets what is at work end for half a minute, and ends. */
  close(): Promise<void>;
}

/** Throws "usage" for options that cannot be, and for a port that is taken. */
export async function serve(options: ServeOptions): Promise<Server> {
  const {
    model: name = "pocket",
    host = "127.0.0.1",
    port = 3001,
    load = {},
    maxActive = 64,
    maxWaiting = 64,
  } = options;
  const access = { ...options, host };
  checkAccess(access);
  const { experts } = options;
  // Experts that are damaged and a project that another process has open are refused before a model is loaded.
  if (experts !== undefined) await readExperts(experts);
  const project = options.project === undefined ? undefined : await Project.open(options.project);
  const memory = new ServedMemory(options.memory, (warning) => app?.fastify.log.warn(warning), options.memoryDrafts);
  const loadModel = async () => {
    const vae = await BigVae.load(name, { ...load, isolation: "process" });
    try {
      if (project) await claimLatents(project, vae, modelName(name));
      await memory.open(vae);
      return vae;
    } catch (error) {
      await vae.close();
      throw error;
    }
  };
  let app: App | undefined;
  const events = {
    ready() {
      studio?.prepare();
      app?.fastify.log.info({ model: modelName(name) }, "model loaded");
    },
    lost(error: Error) {
      app?.metrics.engineEnds.inc();
      app?.fastify.log.error({ err: error }, "engine ended; it is loaded again");
    },
  };
  const open = experts === undefined ? undefined : (vae: BigVae) => openExperts(vae, experts);
  const served = new ServedModel(modelName(name), loadModel, events, open);
  const { maxBodyBytes = 2 ** 21, headersTimeoutMs = 10_000, seed, version, log } = options;
  const studio =
    project &&
    openStudio(
      served,
      project,
      new Runs(resolve(options.runs ?? "runs")),
      options.memory === undefined ? undefined : memory,
    );
  const limits = { maxActive, maxWaiting, maxBodyBytes, headersTimeoutMs };
  try {
    const strategies = options.strategies ?? "strategies";
    app = makeApp(served, memory, { ...access, ...limits, seed, version, log, strategies, studio });
    return await listening(app, { host, port, served, memory, studio });
  } catch (error) {
    served.loaded.catch(() => undefined);
    await studio?.close();
    await served.close();
    await memory.close();
    throw error;
  }
}

/** Listens, and closes in order. */
async function listening(
  { fastify, drain, abort }: App,
  {
    host,
    port,
    served,
    memory,
    studio,
  }: {
    host: string;
    port: number;
    served: ServedModel;
    memory: ServedMemory;
    studio: { close(): Promise<void> } | undefined;
  },
): Promise<Server> {
  const url = await fastify.listen({ host, port }).catch((cause: NodeJS.ErrnoException) => {
    const got = `${port} (${cause.code ?? cause.message})`;
    const detail = { subject: "`port`", expected: `one that is free on ${host}`, got, remedy: "give another" };
    throw new BigVaeError("usage", detail, { cause });
  });
  let closed: Promise<void> | undefined;
  const close = async () => {
    await Promise.race([drain(), wait(DRAIN_MS, undefined, { ref: false })]);
    abort();
    await studio?.close();
    await fastify.close();
    await served.close();
    await memory.close();
  };
  return { url, loaded: served.loaded, model: served, close: () => (closed ??= close()) };
}

/** How requests name a model: a path by its last part. */
function modelName(model: string): string {
  return /^([/.~]|[a-z]:\\)/i.test(model)
    ? (model
        .split(/[\\/]/)
        .filter((part) => part !== "")
        .at(-1) ?? model)
    : model;
}
