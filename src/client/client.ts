/** A client of `bigvae serve`, for Node and for browsers. */
import { readEvents } from "../remote/eventReader.js";
import type {
  AddToMemoryAnswer,
  AddToMemoryRequest,
  CalibrateMemoryAnswer,
  CalibrateMemoryRequest,
  CompletionAnswer,
  CompletionRequest,
  DecodeAnswer,
  DecodeRequest,
  DeleteFromMemoryAnswer,
  DeleteFromMemoryRequest,
  EditPlanRequest,
  EmbeddingsAnswer,
  EmbeddingsRequest,
  EncodeAnswer,
  EncodeRequest,
  GenerateAnswer,
  GenerateRequest,
  InterpolateAnswer,
  InterpolateRequest,
  MakePlanAnswer,
  MakePlanRequest,
  MemoryAnswer,
  MergePlansRequest,
  MergeStrategiesAnswer,
  MergeStrategiesRequest,
  MixAnswer,
  MixRequest,
  ModelsAnswer,
  PlanAnswer,
  PlanRequest,
  ReconstructAnswer,
  ReconstructRequest,
  RemoveStrategyAnswer,
  RemoveStrategyRequest,
  SaveStrategyAnswer,
  SaveStrategyRequest,
  SearchMemoryAnswer,
  SearchMemoryRequest,
  ShowPlanAnswer,
  ShowPlanRequest,
  ShowStrategyAnswer,
  ShowStrategyRequest,
  StrategiesAnswer,
  StreamEvent,
  Streamed,
  TraceAnswer,
  TraceRequest,
} from "./types.js";

/** Where a server is, and how it is reached. */
export interface ClientOptions {
  /** As `bigvae serve` prints it; default: http://127.0.0.1:3001. */
  url?: string;
  /** The server's key, where it has one. */
  key?: string;
}

/** What the server refused, or could not do. */
export class ServerError extends Error {
  /** As it stands in stack traces. */
  override readonly name = "ServerError";
  constructor(
    message: string,
    /** Of HTTP; 200 for an error within a stream. */
    readonly status: number,
    /** What went wrong, for programs. */
    readonly code: string | null,
    /** The field that it is about. */
    readonly param: string | null,
    /** After how many seconds it is worth another try, where the server says so. */
    readonly retryAfterSeconds?: number,
  ) {
    super(message);
  }
}

/**
 * Calls of a server. Each takes a signal that calls it off, there and here, and throws ServerError for what the server refuses.
 * @example
 * const client = new Client({ url: "http://127.0.0.1:3001" });
 * const { text } = await client.mix({ parts: [{ weight: 0.5, source: "It rained." }, { weight: 0.5, source: "We danced." }] });
 */
export class Client {
  readonly #url: string;
  readonly #headers: Record<string, string>;

  constructor({ url = "http://127.0.0.1:3001", key }: ClientOptions = {}) {
    this.#url = url.replace(/\/+$/, "");
    this.#headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  }

  /** The models that are served. */
  async models(signal?: AbortSignal): Promise<ModelsAnswer> {
    return (await this.#ask("/v1/models", undefined, signal)).json() as Promise<ModelsAnswer>;
  }

  /** Texts as vectors. */
  embeddings(request: EmbeddingsRequest, signal?: AbortSignal): Promise<EmbeddingsAnswer> {
    return this.#post("/v1/embeddings", request, signal);
  }

  /** Continuations of texts. */
  completions(request: CompletionRequest, signal?: AbortSignal): Promise<CompletionAnswer> {
    return this.#post("/v1/completions", { ...request, stream: false }, signal);
  }

  /** The same as they are written: parts of the choices, by their index. */
  async *streamCompletions(
    request: CompletionRequest,
    signal?: AbortSignal,
  ): AsyncGenerator<CompletionAnswer, void, void> {
    for await (const { event, data } of this.#events("/v1/completions", request, signal)) {
      if (data === "[DONE]") return;
      if (event === "message") yield JSON.parse(data) as CompletionAnswer;
    }
  }

  /** Latents of texts. */
  encode(request: EncodeRequest, signal?: AbortSignal): Promise<EncodeAnswer> {
    return this.#post("/latent/encode", request, signal);
  }

  /** Texts of latents. */
  decode(request: DecodeRequest, signal?: AbortSignal): Promise<DecodeAnswer> {
    return this.#post("/latent/decode", { ...request, stream: false }, signal);
  }

  /** What comes back of texts through their latents. */
  reconstruct(request: ReconstructRequest, signal?: AbortSignal): Promise<ReconstructAnswer> {
    return this.#post("/latent/reconstruct", { ...request, stream: false }, signal);
  }

  /** Texts between two texts or latents. */
  interpolate(request: InterpolateRequest, signal?: AbortSignal): Promise<InterpolateAnswer> {
    return this.#post("/latent/interpolate", { ...request, stream: false }, signal);
  }

  /** The text of a weighted mix. */
  mix(request: MixRequest, signal?: AbortSignal): Promise<MixAnswer> {
    return this.#post("/latent/mix", { ...request, stream: false }, signal);
  }

  /** Writes with a sampler. */
  generate(request: GenerateRequest, signal?: AbortSignal): Promise<GenerateAnswer> {
    return this.#post("/latent/generate", { ...request, stream: false }, signal);
  }

  /** Writes from one text to another. */
  plan(request: PlanRequest, signal?: AbortSignal): Promise<GenerateAnswer> {
    return this.#post("/latent/plan", { ...request, stream: false }, signal);
  }

  /** Writes with a sampler, and tells where each latent came from. */
  trace(request: TraceRequest, signal?: AbortSignal): Promise<TraceAnswer> {
    return this.#post("/latent/trace", request, signal);
  }

  /** Makes a plan of texts, along a line, by analogy or by search. `stream("makePlan", ...)` tells each step of a search. */
  makePlan(request: MakePlanRequest, signal?: AbortSignal): Promise<MakePlanAnswer> {
    return this.#post("/plan/make", { ...request, stream: false }, signal);
  }

  /** Changes a waypoint of a plan, takes it out, or puts another one there. */
  editPlan(request: EditPlanRequest, signal?: AbortSignal): Promise<PlanAnswer> {
    return this.#post("/plan/edit", request, signal);
  }

  /** Plans as one. */
  mergePlans(request: MergePlansRequest, signal?: AbortSignal): Promise<PlanAnswer> {
    return this.#post("/plan/merge", request, signal);
  }

  /** What each waypoint of a plan says, and how far it is from its neighbours. */
  showPlan(request: ShowPlanRequest, signal?: AbortSignal): Promise<ShowPlanAnswer> {
    return this.#post("/plan/show", request, signal);
  }

  /** The strategies of the server's folder. */
  async strategies(signal?: AbortSignal): Promise<StrategiesAnswer> {
    return (await this.#ask("/strategy", undefined, signal)).json() as Promise<StrategiesAnswer>;
  }

  /** Keeps a strategy, as the next version of its name. */
  saveStrategy(request: SaveStrategyRequest, signal?: AbortSignal): Promise<SaveStrategyAnswer> {
    return this.#post("/strategy/save", request, signal);
  }

  /** What a strategy is made of. */
  showStrategy(request: ShowStrategyRequest, signal?: AbortSignal): Promise<ShowStrategyAnswer> {
    return this.#post("/strategy/show", request, signal);
  }

  /** Removes a version of a strategy, or with its name alone all of them. */
  removeStrategy(request: RemoveStrategyRequest, signal?: AbortSignal): Promise<RemoveStrategyAnswer> {
    return this.#post("/strategy/remove", request, signal);
  }

  /** Keeps several strategies as one. */
  mergeStrategies(request: MergeStrategiesRequest, signal?: AbortSignal): Promise<MergeStrategiesAnswer> {
    return this.#post("/strategy/merge", request, signal);
  }

  /** What the server's memory holds. */
  async memory(signal?: AbortSignal): Promise<MemoryAnswer> {
    return (await this.#ask("/memory", undefined, signal)).json() as Promise<MemoryAnswer>;
  }

  /** Keeps texts with their latents in the server's memory. */
  addToMemory(request: AddToMemoryRequest, signal?: AbortSignal): Promise<AddToMemoryAnswer> {
    return this.#post("/memory/add", request, signal);
  }

  /** Records near to a text or a latent, by words, or by both. */
  searchMemory(request: SearchMemoryRequest, signal?: AbortSignal): Promise<SearchMemoryAnswer> {
    return this.#post("/memory/search", request, signal);
  }

  /** Measures how near a kept draft must be to stand for a new one. */
  calibrateMemory(request: CalibrateMemoryRequest, signal?: AbortSignal): Promise<CalibrateMemoryAnswer> {
    return this.#post("/memory/calibrate", request, signal);
  }

  /** Deletes records. */
  deleteFromMemory(request: DeleteFromMemoryRequest, signal?: AbortSignal): Promise<DeleteFromMemoryAnswer> {
    return this.#post("/memory/delete", request, signal);
  }

  /** A call by its name, told as it is written; leaving the loop calls it off. */
  async *stream<Name extends keyof Streamed>(
    name: Name,
    request: Streamed[Name][0],
    signal?: AbortSignal,
  ): AsyncGenerator<StreamEvent<Streamed[Name][1]>, void, void> {
    for await (const { event, data } of this.#events(
      name === "makePlan" ? "/plan/make" : `/latent/${name}`,
      request,
      signal,
    )) {
      const value = JSON.parse(data);
      if (event === "result") yield { kind: "result", answer: value };
      else if (event === "token" || event === "span" || event === "step") yield { kind: event, ...value };
    }
  }

  async #post<Answer>(path: string, request: object, signal?: AbortSignal): Promise<Answer> {
    return (await this.#ask(path, request, signal)).json() as Promise<Answer>;
  }

  async *#events(path: string, request: object, signal?: AbortSignal) {
    const response = await this.#ask(path, { ...request, stream: true }, signal);
    for await (const event of readEvents(response.body!)) {
      if (event.event === "error") throw errorOf(JSON.parse(event.data), 200);
      yield event;
    }
  }

  async #ask(path: string, request: object | undefined, signal: AbortSignal | undefined): Promise<Response> {
    const response = await fetch(`${this.#url}${path}`, {
      ...(request
        ? {
            method: "POST",
            body: JSON.stringify(request, plainFloats),
            headers: { "content-type": "application/json", ...this.#headers },
          }
        : { headers: this.#headers }),
      ...(signal ? { signal } : {}),
    });
    if (response.ok) return response;
    const body: unknown = await response.json().catch(() => undefined);
    const retryAfter = Number(response.headers.get("retry-after") ?? Number.NaN);
    throw errorOf(body, response.status, Number.isFinite(retryAfter) ? retryAfter : undefined);
  }
}

function errorOf(body: unknown, status: number, retryAfterSeconds?: number): ServerError {
  const { error } = (body ?? {}) as { error?: { message: string; code: string | null; param: string | null } };
  if (!error) return new ServerError(`the server answered ${status}`, status, null, null, retryAfterSeconds);
  return new ServerError(error.message, status, error.code, error.param, retryAfterSeconds);
}

/** Latents may be given as Float32Array. */
function plainFloats(_: string, value: unknown): unknown {
  return value instanceof Float32Array ? Array.from(value) : value;
}
