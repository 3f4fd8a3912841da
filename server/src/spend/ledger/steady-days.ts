const DAY_MS = 86_400_000;

/**
 * Returns a clock for the choice of periods that never goes back to an earlier UTC day. The database's clock can jump
 * back over midnight, for example after a failover. The new clock then returns its latest time until the database's clock
 * has caught up. All periods consist of whole UTC days. Times: milliseconds since the epoch.
 */
export function steadyDays(nowMs: () => number): () => number {
  let latestMs = Number.NEGATIVE_INFINITY;
  return () => {
    const atMs = nowMs();
    if (Math.floor(atMs / DAY_MS) < Math.floor(latestMs / DAY_MS)) return latestMs;
    latestMs = Math.max(latestMs, atMs);
    return atMs;
  };
}
