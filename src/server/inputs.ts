/** Inputs in OpenAI's shape: the model's name, texts or token ids. */
import type { BigVae } from "../bigVae.js";
import { RequestError } from "./failures.js";
import type { ServedModel } from "./servedModel.js";

/** Throws a 404 for another model than the one that is served. */
export function checkModel({ name }: ServedModel, asked: string): void {
  if (asked === name) return;
  throw new RequestError(404, "model_not_found", {
    subject: "`model`",
    expected: name,
    got: JSON.stringify(asked.slice(0, 80)),
    remedy: "see /v1/models",
  });
}

/** The tokens of texts, or tokens as they are. Throws "usage" for an empty text. */
export function rowsOf(
  { tokenizer }: BigVae,
  input: string | readonly string[] | readonly number[] | readonly (readonly number[])[],
): number[][] {
  if (typeof input === "string") return [tokenizer.encode(input)];
  if (typeof input[0] === "number") return [checkedIds(tokenizer.vocabSize, input as readonly number[])];
  return (input as readonly (string | readonly number[])[]).map((each) =>
    typeof each === "string" ? tokenizer.encode(each) : checkedIds(tokenizer.vocabSize, each),
  );
}

function checkedIds(vocabSize: number, ids: readonly number[]): number[] {
  const wrong = ids.find((id) => id >= vocabSize);
  if (wrong === undefined) return [...ids];
  throw new RequestError(400, "invalid_value", {
    subject: "token ids",
    expected: `whole numbers from 0 to ${vocabSize - 1}`,
    got: wrong,
    remedy: "use the tokenizer of this model",
  });
}
