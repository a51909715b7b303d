/** The model that a server works with: loaded once it listens, and again whenever its engine dies. */
import { setTimeout as wait } from "node:timers/promises";
import type { BigVae } from "../bigVae.js";
import { BigVaeError } from "../errors.js";
import { ExpertChoice } from "../expert/index.js";
import { RequestError } from "./failures.js";

/** How long until the engine is started again, by how often it died without an answer in between. */
const PAUSES_MS = [0, 500, 1000, 2000, 4000];

/** What is told of the engine's life. */
export interface ModelEvents {
  ready(model: BigVae): void;
  /** It died, or could not be loaded again. */
  lost(error: BigVaeError | Error): void;
}

export class ServedModel {
  #model: BigVae | undefined;
  #experts: ExpertChoice | undefined;
  #isClosed = false;
  readonly #closing = new AbortController();
  /** Settles with the first load: rejected where the model cannot be loaded at all. */
  readonly loaded: Promise<void>;

  constructor(
    /** As requests name it. */
    readonly name: string,
    readonly load: () => Promise<BigVae>,
    readonly events: ModelEvents,
    /** The experts for a model that was loaded, where the server has any. */
    readonly openExperts?: (model: BigVae) => Promise<ExpertChoice>,
  ) {
    this.loaded = this.#start();
    void this.loaded.then(
      () => this.#keep(),
      () => undefined,
    );
  }

  get isReady(): boolean {
    return this.#model !== undefined;
  }

  /** The model. Throws a 503 while it is loaded. */
  get(): BigVae {
    if (this.#model) return this.#model;
    const detail = { subject: "model", expected: "a loaded one", got: "one that is being loaded" };
    throw new RequestError(503, "loading", { ...detail, remedy: "try again in a second" }, 1);
  }

  /** The model, for what needs latents. Throws "unsupported" where it has no adapters. */
  withLatents(): BigVae {
    const model = this.get();
    if (Object.keys(model.facts.adapters).length > 0) return model;
    throw new BigVaeError("unsupported", {
      subject: `model ${this.name}`,
      expected: "adapters, which make latents",
      got: "a base alone",
      remedy: "use /v1/completions and /v1/embeddings",
    });
  }

  /** The experts, of which the `k` nearest write. Throws "usage" where the server has none. */
  experts(k: number): ExpertChoice {
    const model = this.withLatents();
    if (this.#experts) return new ExpertChoice(this.#experts.experts, model.space, { k });
    throw new BigVaeError("usage", {
      subject: "`experts`",
      expected: "a server with experts",
      got: "one without",
      remedy: "start it with a folder of them, or leave the field out",
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#closing.abort();
    await this.#model?.close();
    this.#model = undefined;
  }

  async #start(): Promise<void> {
    const model = await this.load();
    try {
      await warmUp(model);
      // They stay what they are where the engine is loaded again.
      this.#experts ??= await this.openExperts?.(model);
    } catch (error) {
      await model.close();
      throw error;
    }
    if (this.#isClosed) return model.close();
    this.#model = model;
    this.events.ready(model);
  }

  /** Loads the model again whenever its engine ends. */
  async #keep(): Promise<void> {
    let failures = 0;
    while (!this.#isClosed) {
      if (this.#model) {
        await this.#model.engine.ended;
        if (this.#isClosed) return;
        const model = this.#model;
        this.#model = undefined;
        failures = 0;
        this.events.lost(new Error(`the engine ended (process ${model.engine.link.pid ?? "none"})`));
        await model.close();
      }
      await wait(PAUSES_MS[Math.min(failures, PAUSES_MS.length - 1)], undefined, {
        signal: this.#closing.signal,
      }).catch(() => undefined);
      if (this.#isClosed) return;
      failures++;
      await this.#start().catch((error: Error) => this.events.lost(error));
    }
  }
}

/** Makes the sessions now rather than at the first request. */
async function warmUp(model: BigVae): Promise<void> {
  const { beginId = 0 } = model.tokenizer;
  const rngKey = [0, 0, 0, 1];
  const how = { context: [beginId], nTokens: 1, tau: 0 };
  await model.engine.write([{ rngKey }], { ...how, writer: "base" });
  if (Object.keys(model.facts.adapters).length === 0) return;
  const [encoding] = await model.engine.encode([{ ids: [beginId] }]);
  const roles = Object.entries(model.facts.adapters);
  for (const role of ["decoder", "router"]) {
    const writer = roles.find(([, each]) => each === role)?.[0];
    if (writer !== undefined) await model.engine.write([{ z: encoding!.mean, rngKey }], { ...how, writer });
  }
}
