import type { Database, Tx } from "#src/db/pool.ts";
import type { RotationPolicy } from "./rotation-policy.rule.ts";

/** Finds the rotation policies of workspaces, by workspace id. A workspace without a policy is omitted. */
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

export async function saveRotationPolicy(
  tx: Tx,
  workspaceId: string,
  policy: RotationPolicy,
): Promise<void> {
  const values = {
    rotation_days: policy.rotationDays,
    remind_days: policy.remindDays,
    grace_days: policy.graceDays,
    effective_at: new Date(policy.effectiveAtMs),
  };
  await tx
    .insertInto("rotation_policy")
    .values({ workspace_id: workspaceId, ...values })
    .onConflict((conflict) => conflict.column("workspace_id").doUpdateSet(values))
    .execute();
}

export async function deleteRotationPolicy(tx: Tx, workspaceId: string): Promise<void> {
  await tx.deleteFrom("rotation_policy").where("workspace_id", "=", workspaceId).execute();
}
