/** Which ids begin, end and pad: from tokenizer_config.json, special_tokens_map.json, or else the usual names. */
import { BigVaeError } from "../errors.js";

export interface SpecialTokens {
  readonly bosId?: number;
  /** Begins a text for the base: bosId, or eosId where there is none. */
  readonly beginId?: number;
  readonly eosId?: number;
  readonly padId?: number;
}

/** Names in use among Llama-family models, tried where no file names one; GPT-2 has one token for all three, as tokenizers made here. */
const USUAL_NAMES = {
  bos_token: ["<s>", "<|begin_of_text|>", "<|im_start|>", "<bos>", "<|endoftext|>"],
  eos_token: ["</s>", "<|end_of_text|>", "<|endoftext|>", "<|im_end|>", "<eos>"],
  pad_token: ["<pad>", "<|pad|>", "[PAD]", "<|finetune_right_pad_id|>", "<|endoftext|>"],
} as const;

type Role = keyof typeof USUAL_NAMES;
type Json = Record<string, unknown>;

/** @throws BigVaeError("mismatch") where a file names a token that the vocabulary lacks. */
export function readSpecialTokens(
  config: Json,
  specialTokensMap: Json,
  ids: ReadonlyMap<string, number>,
): SpecialTokens {
  const find = (role: Role) => {
    const name = contentOf(config[role]) ?? contentOf(specialTokensMap[role]);
    if (name === undefined) {
      // A file that says null means none.
      const isGiven = role in config || role in specialTokensMap;
      return isGiven ? undefined : USUAL_NAMES[role].map((usual) => ids.get(usual)).find((id) => id !== undefined);
    }
    const id = ids.get(name);
    if (id === undefined)
      throw new BigVaeError("mismatch", {
        subject: "tokenizer_config.json",
        expected: `${role} to be a token of tokenizer.json`,
        got: JSON.stringify(name),
        remedy: "use the files of one model",
      });
    return id;
  };
  const [bosId, eosId, padId] = [find("bos_token"), find("eos_token"), find("pad_token")];
  return { bosId, beginId: bosId ?? eosId, eosId, padId };
}

function contentOf(token: unknown): string | undefined {
  if (typeof token === "string") return token;
  const content = typeof token === "object" && token !== null && "content" in token ? token.content : undefined;
  return typeof content === "string" ? content : undefined;
}
