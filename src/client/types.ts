/** Requests and answers of the server, by its own schemas. */
import type { z } from "zod";
import type * as latent from "../server/schemas/latent.js";
import type * as memory from "../server/schemas/memory.js";
import type * as openAi from "../server/schemas/openAi.js";
import type * as plans from "../server/schemas/plan.js";

/** Of `encode`. */
export type EncodeRequest = z.input<typeof latent.encodeRequest>;
/** Latents of texts, with the tokens that each was pooled from. */
export type EncodeAnswer = z.output<typeof latent.encodeAnswer>;
/** Of `decode`. */
export type DecodeRequest = z.input<typeof latent.decodeRequest>;
/** Texts of latents. */
export type DecodeAnswer = z.output<typeof latent.decodeAnswer>;
/** Of `reconstruct`. */
export type ReconstructRequest = z.input<typeof latent.reconstructRequest>;
/** What came back of texts. */
export type ReconstructAnswer = z.output<typeof latent.reconstructAnswer>;
/** Of `interpolate`. */
export type InterpolateRequest = z.input<typeof latent.interpolateRequest>;
/** Texts between two. */
export type InterpolateAnswer = z.output<typeof latent.interpolateAnswer>;
/** Of `mix`. */
export type MixRequest = z.input<typeof latent.mixRequest>;
/** The text of a mix. */
export type MixAnswer = z.output<typeof latent.mixAnswer>;
/** Of `generate`. */
export type GenerateRequest = z.input<typeof latent.generateRequest>;
/** Of `plan`. */
export type PlanRequest = z.input<typeof latent.planRequest>;
/** What a sampler wrote, and its spans. */
export type GenerateAnswer = z.output<typeof latent.generateAnswer>;
/** Of `trace`. */
export type TraceRequest = z.input<typeof latent.traceRequest>;
/** What a sampler wrote, with the origins of each latent. */
export type TraceAnswer = z.output<typeof latent.traceAnswer>;
/** Of `makePlan`. */
export type MakePlanRequest = z.input<typeof plans.makeRequest>;
/** A plan, each waypoint with its latent. */
export type MakePlanAnswer = z.output<typeof plans.makeAnswer>;
/** Of `editPlan`. */
export type EditPlanRequest = z.input<typeof plans.editRequest>;
/** Of `mergePlans`. */
export type MergePlansRequest = z.input<typeof plans.mergeRequest>;
/** The plan after a change. */
export type PlanAnswer = z.output<typeof plans.planAnswer>;
/** Of `showPlan`. */
export type ShowPlanRequest = z.input<typeof plans.showRequest>;
/** What each waypoint says, and how far it is from its neighbours. */
export type ShowPlanAnswer = z.output<typeof plans.showAnswer>;
/** The strategies of the server's folder. */
export type StrategiesAnswer = z.output<typeof plans.strategiesAnswer>;
/** Of `saveStrategy`. */
export type SaveStrategyRequest = z.input<typeof plans.saveStrategyRequest>;
/** Which version of its name it is. */
export type SaveStrategyAnswer = z.output<typeof plans.saveStrategyAnswer>;
/** Of `showStrategy`. */
export type ShowStrategyRequest = z.input<typeof plans.showStrategyRequest>;
/** What a strategy is made of. */
export type ShowStrategyAnswer = z.output<typeof plans.showStrategyAnswer>;
/** Of `removeStrategy`. */
export type RemoveStrategyRequest = z.input<typeof plans.removeStrategyRequest>;
/** How many versions were removed. */
export type RemoveStrategyAnswer = z.output<typeof plans.removeStrategyAnswer>;
/** Of `mergeStrategies`. */
export type MergeStrategiesRequest = z.input<typeof plans.mergeStrategiesRequest>;
/** Which version of its name the new one is, and what it was merged from. */
export type MergeStrategiesAnswer = z.output<typeof plans.mergeStrategiesAnswer>;
/** What the server's memory holds. */
export type MemoryAnswer = z.output<typeof memory.showAnswer>;
/** Of `addToMemory`. */
export type AddToMemoryRequest = z.input<typeof memory.addRequest>;
/** Ids of the new records. */
export type AddToMemoryAnswer = z.output<typeof memory.addAnswer>;
/** Of `searchMemory`. */
export type SearchMemoryRequest = z.input<typeof memory.searchRequest>;
/** Records that were found, the best first. */
export type SearchMemoryAnswer = z.output<typeof memory.searchAnswer>;
/** Of `calibrateMemory`. */
export type CalibrateMemoryRequest = z.input<typeof memory.calibrateRequest>;
/** How near a kept draft must be to stand for a new one. */
export type CalibrateMemoryAnswer = z.output<typeof memory.calibrateAnswer>;
/** Of `deleteFromMemory`. */
export type DeleteFromMemoryRequest = z.input<typeof memory.deleteRequest>;
/** How many were deleted. */
export type DeleteFromMemoryAnswer = z.output<typeof memory.deleteAnswer>;
/** Of `embeddings`. */
export type EmbeddingsRequest = z.input<typeof openAi.embeddingsRequest>;
/** Texts as vectors, in OpenAI's shape. */
export type EmbeddingsAnswer = z.output<typeof openAi.embeddingsAnswer>;
/** Of `completions`. */
export type CompletionRequest = z.input<typeof openAi.completionRequest>;
/** Continuations of texts, in OpenAI's shape; of a stream, a part of them. */
export type CompletionAnswer = z.output<typeof openAi.completionAnswer>;
/** The models that are served, in OpenAI's shape. */
export type ModelsAnswer = z.output<typeof openAi.modelsAnswer>;

/** What can be streamed: the request and the answer of each. */
export interface Streamed {
  /** Texts of latents. */
  decode: [DecodeRequest, DecodeAnswer];
  /** What comes back of texts. */
  reconstruct: [ReconstructRequest, ReconstructAnswer];
  /** Texts between two. */
  interpolate: [InterpolateRequest, InterpolateAnswer];
  /** The text of a mix. */
  mix: [MixRequest, MixAnswer];
  /** A sampler's text. */
  generate: [GenerateRequest, GenerateAnswer];
  /** A text from one to another. */
  plan: [PlanRequest, GenerateAnswer];
  /** A plan by search. */
  makePlan: [MakePlanRequest, MakePlanAnswer];
}

/** A part of an answer as it comes: a piece of text (of the text with that index), a whole span, a step of a search, at the end the answer. */
export type StreamEvent<Answer> =
  | {
      /** A piece of text. */
      kind: "token";
      /** The piece. */
      text: string;
      /** Of which text, where there are several. */
      index?: number;
    }
  | {
      /** A whole span. */
      kind: "span";
      /** Its number, from 1. */
      span: number;
      /** Its text. */
      text: string;
      /** Its tokens. */
      ids: number[];
      /** What it was written from. */
      z: number[];
    }
  | {
      /** A step of a search is done. */
      kind: "step";
      /** Its number, from 1. */
      step: number;
      /** How many there are. */
      steps: number;
      /** Of the best way so far. */
      text: string;
    }
  | {
      /** The end. */
      kind: "result";
      /** What comes without a stream. */
      answer: Answer;
    };
