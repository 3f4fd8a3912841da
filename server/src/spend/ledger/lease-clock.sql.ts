import { sql } from "kysely";

export interface LeaseClock {
  /** Time of the database's clock, milliseconds since the epoch. Null: now. */
  atMs: number | null;
}

/** SQL expression of the time. */
export function nowOf({ atMs }: LeaseClock) {
  const date = atMs === null ? null : new Date(atMs);
  return sql<Date>`coalesce(${date}::timestamptz, clock_timestamp())`;
}
