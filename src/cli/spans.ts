/** Spans as they are written: text alone on standard output, what is said of them beside it. */
import { joined } from "../operations/writing.js";
import { note, printJson, warn } from "./shared.js";

/** On a terminal each span ends a line. What is said of spans goes to standard error. */
export function spanPrinter({ json, quiet }: { json: boolean; quiet: boolean }) {
  const breaksLines = process.stdout.isTTY && !quiet;
  let isOpen = false;
  const end = () => {
    if (isOpen) process.stdout.write("\n");
    isOpen = false;
  };
  return {
    text(piece: string) {
      isOpen = true;
      process.stdout.write(piece);
    },
    span(line: string) {
      if (breaksLines) end();
      if (!json) note({ quiet }, line);
    },
    end,
  };
}

/** The last line with --json of a run that was stopped, which keeps the spans that it finished. */
export function printStopped(spans: Parameters<typeof joined>[0], more: object, error: string): void {
  if (spans.length > 0) printJson({ ...joined(spans), ...more, error });
}

/** Says where a text came to its end before all steps were done. */
export function warnEnded(
  flags: { quiet: boolean },
  spans: readonly { ids: readonly number[] }[],
  asked: number,
  eosId: number | undefined,
): void {
  if (eosId === undefined || spans.length >= asked || spans.at(-1)?.ids.at(-1) !== eosId) return;
  warn(flags, `the text ended in span ${spans.length} of ${asked}; another --seed or --context may go on further`);
}
