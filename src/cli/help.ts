/** Help that wraps on narrow terminals, names no empty defaults, and shows a command's own options before those of many commands. */
import { Help, type HelpConfiguration, type Option } from "@commander-js/extra-typings";

const SHARED = [
  "--model",
  "--adapters",
  "--quant",
  "--compute",
  "--device",
  "--threads",
  "--seed",
  "--json",
  "--quiet",
  "--help",
];
const EMPTY = ["false", '""', "[]"];

const usual = new Help();
const rank = (option: Option) => (option.mandatory ? -1 : SHARED.indexOf(option.long ?? ""));

export const help: HelpConfiguration = {
  minWidthToWrap: 20,
  visibleOptions: (command) => usual.visibleOptions(command).sort((a, b) => rank(a) - rank(b)),
  optionDescription(option) {
    const isEmpty = EMPTY.includes(JSON.stringify(option.defaultValue));
    return usual.optionDescription(isEmpty ? Object.create(option, { defaultValue: { value: undefined } }) : option);
  },
};
