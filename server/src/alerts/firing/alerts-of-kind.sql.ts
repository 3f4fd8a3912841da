import type { AlertKind } from "@bursar/contract/admin/alerts.ts";
import type { CountedScope } from "@bursar/contract/scope.ts";
import type { Tx } from "#src/db/pool.ts";

export interface KindAlertRow {
  alertId: string;
  scopeType: CountedScope["type"];
  scopeId: string;
  /** Workspace of the scope. Null for the organization. */
  workspaceId: string | null;
}

/** Lists the enabled alerts of the organization of this kind. */
export async function listAlertsOfKind(
  tx: Tx,
  { organizationId, kind }: { organizationId: string; kind: AlertKind },
): Promise<KindAlertRow[]> {
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
    .where("alert.kind", "=", kind)
    .where("alert.is_enabled", "=", true)
    .where("alert.deleted_at", "is", null)
    .orderBy("alert.id")
    .execute();
  return rows.map(({ keyWorkspaceId, ...row }) => ({
    ...row,
    workspaceId: row.scopeType === "workspace" ? row.scopeId : keyWorkspaceId,
  }));
}
