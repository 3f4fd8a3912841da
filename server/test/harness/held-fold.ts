import pg from "pg";
import { FOLD_LOCK } from "#src/recording/fold-lock.sql.ts";
import { eventually } from "./eventually.ts";

// Holds a fold in the middle of its transaction, so that a test can kill or pause its process there.

/** Tables that only folds write, in their order. Grants also write balances, so nothing would end if they waited. */
const PLACES = ["usage_hour", "usage_organization_minute", "fold_state"] as const;
/** Longer than `IDLE_MS` of fold-lock.sql.ts, after which a paused fold loses its transaction. */
export const FOLD_PAUSE_MS = 2_500;
const FOUND_WITHIN_MS = 30_000;

export interface HeldFold {
  /** `application_name` of the connection that folds. */
  applicationName: string;
  /** Lets the statement of the fold continue. */
  release(): Promise<void>;
}

/** Locks one of the tables, and waits until a fold waits for it. `random` is from 0 to below 1. */
export async function holdFold(connection: pg.ClientConfig, random: number): Promise<HeldFold> {
  const place = PLACES[Math.floor(random * PLACES.length)] ?? PLACES[0];
  const client = new pg.Client(connection);
  // A crash of PostgreSQL releases the lock too.
  client.on("error", () => undefined);
  const release = () => client.end().catch(() => undefined);
  await client.connect();
  try {
    await client.query("BEGIN");
    await client.query(`LOCK TABLE ${place} IN SHARE ROW EXCLUSIVE MODE`);
    const applicationName = await eventually(FOUND_WITHIN_MS, `a fold to wait for ${place}`, () =>
      findWaitingFold(client),
    );
    return { applicationName, release };
  } catch (error) {
    await release();
    throw error;
  }
}

/** Finds the fold that waits for this client. */
async function findWaitingFold(client: pg.Client): Promise<string | null> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT application_name AS name FROM pg_locks JOIN pg_stat_activity USING (pid)
     WHERE locktype = 'advisory' AND granted AND (classid::bigint << 32) | objid::bigint = $1
       AND pg_backend_pid() = ANY (pg_blocking_pids(pid))`,
    [FOLD_LOCK],
  );
  return rows[0]?.name ?? null;
}
