/** A model of this machine. BigVae reaches it by its path alone when it is asked to load one: a page in a browser has no part of it. */
import { RemoteEngine } from "../remote/remoteEngine.js";
import type { Tokenizer } from "../tokenizer/index.js";
import type { LoadOptions, ModelSource } from "./calls.js";
import { processLink, threadLink } from "./links.js";
import { findModel, hashModel, openTokenizer, readConfig, readTokenizer } from "./modelFiles.js";

/** A model at work. */
export interface OpenedModel {
  tokenizer: Tokenizer;
  engine: RemoteEngine;
  source: ModelSource;
}

/** How the engine is reached, by where it runs. */
const LINKS = { thread: threadLink, process: processLink };

/** Opens a model by its name; throws as `BigVae.load` does. */
export async function openModel(
  model: string,
  { adapters, isolation = "thread", ...engineOptions }: LoadOptions,
): Promise<OpenedModel> {
  const paths = await findModel(model, adapters);
  // Another architecture is refused by its name before anything else is read.
  await readConfig(paths.base);
  // The engine starts while the tokenizer is read.
  const tokenizer = openTokenizer(paths.base);
  const args = tokenizer.then(() => ({ ...paths, ...engineOptions }));
  const engine = await RemoteEngine.open(LINKS[isolation], args);
  const source = { tokenizer: () => readTokenizer(paths.base), hashes: () => hashModel(paths) };
  return { tokenizer: await tokenizer, engine, source };
}
