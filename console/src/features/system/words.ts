const units = ["B", "kB", "MB", "GB", "TB"];

/** `12.4 MB` */
export function formatBytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  const size = bytes / 1000 ** power;
  return `${size.toLocaleString("en-US", { maximumFractionDigits: power === 0 ? 0 : 1 })} ${units[power]}`;
}

/** `40 ms`, `2.5 s`, `2 min` */
export function formatWait(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) {
    return `${(ms / 1000).toLocaleString("en-US", { maximumFractionDigits: 1 })} s`;
  }
  return `${Math.round(ms / 60_000).toLocaleString("en-US")} min`;
}
