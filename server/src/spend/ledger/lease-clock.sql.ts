import { sql } from "kysely";

export interface LeaseClock {
  /** Time of the database's clock, milliseconds since the epoch. Null: now. */
  atMs: number | null;
}

/** The time as part of a statement. */
export function nowOf({ atMs }: LeaseClock) {
  const date = atMs === null ? null : new Date(atMs);
  return sql<Date>`coalesce(${date}::timestamptz, clock_timestamp())`;
}
