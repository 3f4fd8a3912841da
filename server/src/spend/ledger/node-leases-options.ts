export interface NodeLeasesOptions {
  nodeId: string;
  /** BURSAR_LEASE_TTL. */
  ttlMs: number;
  /** Time of recent traffic that a lease covers. Default: `ttlMs`. */
  coverMs?: number;
  /** Subtracted from the TTL for the drift between clocks, and for the time from this check to the dispatch. */
  marginMs: number;
  /** BURSAR_HOLD_WAIT. */
  holdWaitMs: number;
  /** Highest number of requests that wait at once, of all organizations. */
  maxWaiting: number;
}
