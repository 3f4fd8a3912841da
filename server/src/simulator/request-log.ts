/** Log of the `metadata.user_id` of the newest requests, for tests that compare both sides. */
export interface RequestLog {
  add(userId: string | null): void;
  /**
   * Returns the number of all requests and the newest `last` ids, oldest first. Requests without an id are only
   * counted.
   */
  read(last: number): { count: number; user_ids: string[] };
}

const MAX_ID_CHARACTERS = 256;

/** Creates a log of the newest `capacity` ids. */
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
