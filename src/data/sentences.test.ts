import { expect, it } from "vitest";
import { splitSentences } from "./sentences.js";

it.each([
  ["The fox ran. The owl slept!", ["The fox ran.", "The owl slept!"]],
  ['"Is it you?" asked the owl. Nobody answered.', ['"Is it you?" asked the owl.', "Nobody answered."]],
  ['"I came. I saw." The owl nodded.', ['"I came. I saw."', "The owl nodded."]],
  ["Mr. Fox met Dr. Owl in St. Ives.", ["Mr. Fox met Dr. Owl in St. Ives."]],
  ["It cost 3.50 pounds. We paid.", ["It cost 3.50 pounds.", "We paid."]],
  ['He said "no.\n\nThe next day came.', ['He said "no.', "The next day came."]],
  ["  no full stop here ", ["no full stop here"]],
  ["", []],
])("%j", (text, sentences) => {
  expect(splitSentences(text)).toEqual(sentences);
});
