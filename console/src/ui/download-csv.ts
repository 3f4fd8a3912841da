/** Saves rows as a file that spreadsheets open. Cells that one of them would run as a formula are made inert. */
export function downloadCsv(
  name: string,
  header: readonly string[],
  rows: readonly (string | number)[][],
): void {
  const lines = [header, ...rows].map((cells) => cells.map(toCell).join(","));
  // The mark at the beginning makes spreadsheets read the text as UTF-8.
  const blob = new Blob([`\ufeff${lines.join("\r\n")}\r\n`], { type: "text/csv;charset=utf-8" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

function toCell(cell: string | number): string {
  if (typeof cell === "number") return String(cell);
  const text = /^[=+\-@\t\r]/.test(cell) && !/^-?\d+(\.\d+)?$/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
