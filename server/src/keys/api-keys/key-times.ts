/** Milliseconds since the epoch. NaN for invalid text. Returns null and undefined unchanged. */
export function parseTime(text: string | null | undefined): number | null | undefined {
  return text === null || text === undefined ? text : Date.parse(text);
}

export function toDate(ms: number | null): Date | null {
  return ms === null ? null : new Date(ms);
}
