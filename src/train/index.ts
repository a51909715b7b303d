/** Training from a program: the runs of `bigvae train`, with the same options, from paths to a finished folder. They compute in the thread that calls. */
export type { MemoryPlan } from "./loop/memoryPlan.js";
export type { Metrics } from "./loop/objective.js";
export type { StepReport } from "./loop/trainer.js";
export { TRAIN_OPTIONS } from "./run/options/all.js";
export type { Kind } from "./run/options/kinds.js";
export type { NewRun, OptionRule, OptionTable, PlannedOptions, ResumedRun, RunOptions } from "./run/options/table.js";
export type { RunPlan } from "./run/plan.js";
export type { Evaluation, RunReport, Sample, StepDone, StoppedEarly, Warning } from "./run/reports.js";
export type { RunControl } from "./run/start.js";
export { type PlanBaseOptions, planBase, type TrainBaseOptions, trainBase } from "./run/trainBase.js";
export { type TrainExpertOptions, trainExpert } from "./run/trainExpert.js";
export { type PlanRouterOptions, planRouter, type TrainRouterOptions, trainRouter } from "./run/trainRouter.js";
export { type PlanVaeOptions, planVae, type TrainVaeOptions, trainVae } from "./run/trainVae.js";
