import { CompiledQuery } from "kysely";
import type { Database } from "#src/db/pool.ts";
import { prepareOnce } from "#src/db/prepared.ts";
import { assert } from "#src/lib/assert.ts";

/** Steps of a clean-up that can find rows. */
export interface CleanupWork {
  /** A node may be silent for longer than its grace. */
  hasSilentNodes: boolean;
  /** The wait for the report of a node is over. */
  hasOverdueReports: boolean;
  /** Unresolved rows exist, old or not. */
  hasUnresolved: boolean;
  /** Limits exist, or counts of strict limits. */
  hasLimits: boolean;
}

const FIND = prepareOnce(
  "find_cleanup_work",
  `SELECT
    EXISTS (SELECT FROM node_contact WHERE lease_expires_at + $1 * interval '1 millisecond' < clock_timestamp())
      AS "hasSilentNodes",
    EXISTS (SELECT FROM lease_node WHERE awaited_until <= clock_timestamp()) AS "hasOverdueReports",
    EXISTS (SELECT FROM lease WHERE unresolved_since IS NOT NULL) AS "hasUnresolved",
    EXISTS (SELECT FROM spend_limit) OR EXISTS (SELECT FROM counted_limit) AS "hasLimits"`,
);

/** Finds the steps that a clean-up needs, by one statement instead of seven. Most clean-ups of an idle node need none. */
export async function findCleanupWork(
  database: Database,
  { graceMs }: { graceMs: number },
): Promise<CleanupWork> {
  const { rows } = await database.executeQuery<CleanupWork>(CompiledQuery.raw(FIND, [graceMs]));
  const [work] = rows;
  assert(work !== undefined, "the statement returns one row");
  return work;
}
