import type { Database, Tx } from "#src/db/pool.ts";
import type { RotationPolicy } from "./rotation-policy.rule.ts";

/** The policies of these workspaces, by workspace id, of those that have one. */
export async function findRotationPolicies(
  db: Database | Tx,
  workspaceIds: readonly string[],
): Promise<ReadonlyMap<string, RotationPolicy>> {
  if (workspaceIds.length === 0) return new Map();
  const rows = await db
    .selectFrom("rotation_policy")
    .selectAll()
    .where("workspace_id", "in", workspaceIds)
    .execute();
  return new Map(
    rows.map((row) => [
      row.workspace_id,
      {
        rotationDays: row.rotation_days,
        remindDays: row.remind_days,
        graceDays: row.grace_days,
        effectiveAtMs: row.effective_at.getTime(),
      },
    ]),
  );
}
