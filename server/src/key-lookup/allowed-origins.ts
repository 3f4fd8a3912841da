import { makeLatestRead } from "#src/lib/latest-read.ts";

// Origins of pages that some working key allows, in memory. A browser asks before it sends the key, so the answer cannot
// depend on the key. The request itself is checked by its own key.

/** An installation with more has to allow `*` in one key. */
export const MAX_ORIGINS = 10_000;
const ANY_ORIGIN = "*";

export interface AllowedOrigins {
  /** True if a working key allows pages of this origin. */
  isAllowed(origin: string): boolean;
  /** Reads the list again. Rejects without PostgreSQL, and keeps the earlier list. */
  reload(): Promise<void>;
}

/** `list` returns the origins of all keys. Before the first `reload`, no origin is allowed. */
export function makeAllowedOrigins(list: () => Promise<readonly string[]>): AllowedOrigins {
  let origins: ReadonlySet<string> = new Set();
  return {
    isAllowed: (origin) => origins.has(ANY_ORIGIN) || origins.has(origin),
    reload: makeLatestRead(list, (found) => {
      origins = new Set(found);
    }),
  };
}
