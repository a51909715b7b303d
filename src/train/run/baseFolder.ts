/** A base as a folder in Hugging Face form. */
import { join } from "node:path";
import { writeFileAtomic, writeSafetensors } from "../../formats/index.js";
import { formatConfig, type ModelConfig } from "../../model/config.js";
import type { Tokenizer } from "../../tokenizer/index.js";
import { storedTensors } from "../loop/checkpoint.js";

/** Writes weights, tokenizer and config. @throws BigVaeError("disk") */
export async function writeBase(
  folder: string,
  config: ModelConfig,
  tokenizer: Tokenizer,
  weights: Parameters<typeof storedTensors>[0],
): Promise<void> {
  const json = (value: unknown) => new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);
  const special = { bosId: tokenizer.bosId ?? 0, eosId: tokenizer.eosId ?? 0 };
  await writeSafetensors(join(folder, "model.safetensors"), storedTensors(weights), { format: "pt" });
  await writeFileAtomic(join(folder, "tokenizer.json"), json(tokenizer.toJson()));
  await writeFileAtomic(join(folder, "tokenizer_config.json"), json(tokenizerConfig(tokenizer)));
  await writeFileAtomic(join(folder, "config.json"), json(formatConfig(config, special)));
}

function tokenizerConfig(tokenizer: Tokenizer): Record<string, unknown> {
  const end = tokenizer.tokenText(tokenizer.eosId ?? 0);
  const begin = tokenizer.tokenText(tokenizer.bosId ?? tokenizer.eosId ?? 0);
  return {
    tokenizer_class: "PreTrainedTokenizerFast",
    clean_up_tokenization_spaces: false,
    bos_token: begin,
    eos_token: end,
    pad_token: end,
  };
}
