const types: readonly [extension: string, type: string][] = [
  [".txt", "text/plain"],
  [".md", "text/markdown"],
  [".csv", "text/csv"],
  [".html", "text/html"],
  [".json", "application/json"],
  [".pdf", "application/pdf"],
  [".zip", "application/zip"],
  [".png", "image/png"],
  [".jpg", "image/jpeg"],
  [".jpeg", "image/jpeg"],
  [".gif", "image/gif"],
  [".webp", "image/webp"],
];

/** MIME type by the extension of a filename. */
export function typeForName(filename: string): string {
  const lower = filename.toLowerCase();
  const found = types.find(([extension]) => lower.endsWith(extension));
  return found?.[1] ?? "application/octet-stream";
}

/** Extension with its dot, or an empty text for an unknown type. */
export function extensionFor(mimeType: string): string {
  return types.find(([, type]) => type === mimeType)?.[0] ?? "";
}
