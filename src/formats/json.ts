/** JSON as it is written for others to read: results of the command line and logs of runs. */

/**
 * A value as one line. JSON has no NaN and no infinity: a number that is not finite becomes null, everywhere. Arrays of floats become plain
 * ones.
 */
export function jsonLine(value: unknown): string {
  return `${JSON.stringify(value, (_, item) => (item instanceof Float32Array ? Array.from(item) : item))}\n`;
}
