/** The `metadata.user_id` of the newest requests that reached the simulator, for tests that compare the two sides. */
export interface RequestLog {
  add(userId: string | null): void;
  /** All requests ever received, and the ids of the newest `last`, oldest first. Requests without one are only counted. */
  read(last: number): { count: number; user_ids: string[] };
}

const MAX_ID_CHARACTERS = 256;

/** Keeps the newest `capacity` ids. */
export function makeRequestLog(capacity = 100_000): RequestLog {
  const ids: string[] = [];
  let next = 0;
  let count = 0;
  return {
    add(userId) {
      count++;
      if (userId === null) return;
      ids[next] = userId.slice(0, MAX_ID_CHARACTERS);
      next = (next + 1) % capacity;
    },
    read(last) {
      const isFull = ids.length === capacity;
      const ordered = isFull ? [...ids.slice(next), ...ids.slice(0, next)] : ids;
      return { count, user_ids: ordered.slice(Math.max(0, ordered.length - last)) };
    },
  };
}
