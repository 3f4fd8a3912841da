/** What of the limits page stands in the address. */
export interface LimitsSearch {
  /** The key whose limits are explained. */
  key?: string;
}

export function readLimitsSearch(raw: Record<string, unknown>): LimitsSearch {
  const { key } = raw;
  return typeof key === "string" && /^[!-~]{1,100}$/.test(key) ? { key } : {};
}
