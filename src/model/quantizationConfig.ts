/** quantization_config of config.json: of what Transformers can name there, 4-bit NormalFloat by bitsandbytes is read. */
import type { Fields } from "./configFields.js";

/** Fields of BitsAndBytesConfig that say how to compute or what to do with int8, and so leave what the weights mean alone. */
const WITHOUT_EFFECT: readonly string[] = [
  "bnb_4bit_compute_dtype",
  "llm_int8_enable_fp32_cpu_offload",
  "llm_int8_has_fp16_weight",
  "llm_int8_skip_modules",
  "llm_int8_threshold",
  // Each weight says for itself whether it is quantised twice.
  "bnb_4bit_use_double_quant",
];

/** Throws "unsupported" naming the field for another method or type, or for one that is not known; "format" for a field of another type. */
export function checkQuantization(config: Fields): void {
  const fields = config.object("quantization_config");
  if (!fields) return;
  // Configs of 2023 name no method.
  fields.expectOnly("quant_method", "bitsandbytes");
  for (const name of ["load_in_8bit", "_load_in_8bit"]) if (fields.flag(name)) fields.expectOnly(name, false);
  const in4Bits = ["load_in_4bit", "_load_in_4bit"];
  if (!in4Bits.some((name) => fields.flag(name))) throw fields.unsupported("load_in_4bit", "true", "false");
  fields.expectOnly("bnb_4bit_quant_type", "nf4");
  // Without the field bitsandbytes takes fp4.
  if (fields.json.bnb_4bit_quant_type == null) throw fields.unsupported("bnb_4bit_quant_type", "nf4", "nothing");
  fields.expectOnly("bnb_4bit_quant_storage", "uint8");
  const read = ["quant_method", "load_in_8bit", "_load_in_8bit", "bnb_4bit_quant_type", "bnb_4bit_quant_storage"];
  const known = [...read, ...in4Bits, ...WITHOUT_EFFECT];
  for (const name of Object.keys(fields.json)) if (!known.includes(name)) fields.expectOnly(name);
}
