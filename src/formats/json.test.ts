import { expect, it } from "vitest";
import { jsonLine } from "./json.js";

it("writes null for what is no number, wherever it stands, and arrays of floats as plain ones", () => {
  const floats = Float32Array.of(0.5, Number.NaN, Number.NEGATIVE_INFINITY);
  const line = jsonLine({ loss: Number.NaN, deep: [{ norm: Number.POSITIVE_INFINITY }], floats, text: "NaN\n" });
  expect(line).toBe('{"loss":null,"deep":[{"norm":null}],"floats":[0.5,null,null],"text":"NaN\\n"}\n');
});
