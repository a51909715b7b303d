/** Bytes, counts and days as people read them. */

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** "14.5 GB": three digits, in powers of a thousand, as disks are sold. */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const rounded = Number(bytes.toPrecision(3));
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log10(rounded) / 3));
  return `${(rounded / 1000 ** power).toPrecision(3)} ${UNITS[power]}`;
}

/** "7.24 B", "5.2 M": how many parameters a model has. */
export function parameters(count: number): string {
  const [letter, unit] = count >= 1e9 ? (["B", 1e9] as const) : (["M", 1e6] as const);
  return count < 1e5 ? `${count}` : `${(count / unit).toPrecision(3)} ${letter}`;
}

/** "today", "3 days ago". */
export function daysAgo(date: Date, now = new Date()): string {
  const days = Math.floor((now.getTime() - date.getTime()) / 86_400_000);
  if (days < 1) return "today";
  return days === 1 ? "1 day ago" : `${days} days ago`;
}

/** Rows with their columns one below the other, two spaces between them. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd();
  return `${rows.map(line).join("\n")}\n`;
}
