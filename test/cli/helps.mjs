/** Prints the help of every command and group as JSON, by its words: {"": ..., "plan": ..., "plan make": ...}. */
import { commandTree } from "../../dist/cli/commandTree.js";

const helps = {};
const read = (command, words) => {
  let text = "";
  command.configureOutput({
    ...command.configureOutput(),
    writeOut: (part) => (text += part),
    getOutHelpWidth: () => 80,
  });
  command.outputHelp();
  helps[words.join(" ")] = text;
  for (const own of command.commands) read(own, [...words, own.name()]);
};
read(await commandTree(), []);
process.stdout.write(JSON.stringify(helps));
