import picocolors from "picocolors";

export interface OutputOptions {
  json?: boolean;
}

/** Prints one JSON object with --json, otherwise `text`. Never a bare list, because an object can get more fields. */
export function print(
  options: OutputOptions,
  value: Record<string, unknown>,
  text: () => string,
): void {
  console.log(options.json ? JSON.stringify(value) : text());
}

/** Pads columns to their widest cell, below a dim heading. */
export function formatTextTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const widths = headings.map((heading, i) =>
    Math.max(heading.length, ...rows.map((row) => row[i]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd();
  return [picocolors.dim(line(headings)), ...rows.map(line)].join("\n");
}
