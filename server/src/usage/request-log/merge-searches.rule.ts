// Merges searches of the tables that have requests. A search may end early, so that no page reads for long.

/** Position of a request in the log. */
export interface RequestPlace {
  startedAtMs: number;
  requestId: string;
}

/** Place with the hash that orders requests of one millisecond, as the index of usage_record does. */
export interface FoundPlace extends RequestPlace {
  requestHash: bigint;
}

export interface RequestSearch {
  /** Matching requests, newest first. */
  matches: FoundPlace[];
  /** Position where the search ended: all matches down to it are listed. Null: the end of the log. */
  end: FoundPlace | null;
}

/** Lists at most `limit` requests, down to the position that every search has reached. */
export function mergeSearches(
  searches: readonly RequestSearch[],
  limit: number,
): { places: RequestPlace[]; searchEnd: RequestPlace | null } {
  const [searchEnd = null] = searches
    .flatMap(({ end }) => (end === null ? [] : [end]))
    .sort(comparePlaces);
  const found = searches
    .flatMap(({ matches }) => matches)
    .filter((place) => searchEnd === null || comparePlaces(place, searchEnd) <= 0)
    .sort(comparePlaces);
  if (found.length <= limit) return { places: found, searchEnd };
  const places = found.slice(0, limit);
  return { places, searchEnd: places.at(-1) ?? null };
}

/** Newest first. */
function comparePlaces(a: FoundPlace, b: FoundPlace): number {
  if (a.startedAtMs !== b.startedAtMs) return b.startedAtMs - a.startedAtMs;
  if (a.requestHash === b.requestHash) return 0;
  return a.requestHash < b.requestHash ? 1 : -1;
}
