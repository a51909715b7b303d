/** What balances products in int8: a short text of many kinds, whose reading shows how large the inputs of the layers get. */
import type { Runtime } from "../runtime/runtime.js";
import type { Tokenizer } from "../tokenizer/index.js";
import { checkInt8 } from "../weights/index.js";

const SAMPLE = `"We leave at six," said Mrs. Alvarez, and closed the book. Nobody answered; the rain had been falling since noon, and the road to the harbour was under water.

Chapter 2. How bread rises

1. Mix 500 g of flour with 350 ml of warm water.
2. Wait for 20 minutes, then add the salt (10 g) and the yeast.

In 1869 Dmitri Mendeleev arranged the 63 known elements by weight. Why did he leave gaps? He expected that others would be found: gallium came in 1875, germanium in 1886.

def mean(values):
    return sum(values) / len(values)  # fails for an empty list

Dear Tom, thank you for your letter of the 3rd; we're all well here. The garden is full of bees, and the children swim in the lake every day. Write soon! Yours, Anna

https://example.org/a?b=1 | {"name": "x", "size": [1, 2, 3]} | C'est la vie; ¿dónde está?
`;

/** Its first `most` token ids. Throws "unsupported" where the processor does not multiply int8 exactly. */
export async function int8Sample(runtime: Runtime, tokenizer: Tokenizer, most: number): Promise<number[]> {
  await checkInt8(runtime);
  return tokenizer.encode(SAMPLE).slice(0, most);
}
