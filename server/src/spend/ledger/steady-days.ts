const DAY_MS = 86_400_000;

/**
 * The database's clock for the choice of periods, which never go back: should it jump back over midnight (a failover to
 * a server whose clock is behind), the latest time before that stands until it has caught up. All periods are made of
 * whole UTC days. Milliseconds since the epoch.
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
