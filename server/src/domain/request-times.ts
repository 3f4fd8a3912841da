/** Milliseconds since the epoch. The end is exclusive. */
export interface TimeRange {
  startMs: number;
  endMs: number;
}

/** Largest difference of id and start. The id is created on arrival, the start follows the body and the hold. */
const BEFORE_ID_MS = 60_000;
const AFTER_ID_MS = 15 * 60_000;
const LAST_MS = 253_402_300_799_999;

/** Returns the times at which a request with an id of these times may have started. */
export function findStartRange(idTimes: TimeRange): TimeRange {
  return {
    startMs: Math.min(Math.max(idTimes.startMs - BEFORE_ID_MS, 0), LAST_MS),
    endMs: Math.min(idTimes.endMs + AFTER_ID_MS, LAST_MS),
  };
}
