import type { CountedScope } from "@bursar/contract/scope.ts";
import type { Tx } from "#src/db/pool.ts";

export interface FailoverAlertRow {
  alertId: string;
  scopeType: CountedScope["type"];
  scopeId: string;
  /** Workspace of the scope. Null for the organization. */
  workspaceId: string | null;
}

/** Lists the enabled alerts of the organization about failovers. */
export async function listFailoverAlerts(
  tx: Tx,
  organizationId: string,
): Promise<FailoverAlertRow[]> {
  const rows = await tx
    .selectFrom("alert")
    .leftJoin("api_key", "api_key.id", "alert.scope_id")
    .select([
      "alert.id as alertId",
      "alert.scope_type as scopeType",
      "alert.scope_id as scopeId",
      "api_key.workspace_id as keyWorkspaceId",
    ])
    .where("alert.organization_id", "=", organizationId)
    .where("alert.kind", "=", "database_failover")
    .where("alert.is_enabled", "=", true)
    .where("alert.deleted_at", "is", null)
    .orderBy("alert.id")
    .execute();
  return rows.map(({ keyWorkspaceId, ...row }) => ({
    ...row,
    workspaceId: row.scopeType === "workspace" ? row.scopeId : keyWorkspaceId,
  }));
}
