import type { Call } from "#src/access/call.ts";
import { type AuditDeps, auditedTransaction } from "#src/audit/audited-transaction.ts";
import type { Database } from "#src/db/pool.ts";
import {
  findRequestLogSettings,
  lockRequestLogSettings,
  type RequestLogSettings,
  saveRetentionDays,
} from "./request-log-settings.sql.ts";

export function getRequestLogSettings(
  deps: { database: Database },
  { caller }: Call,
): Promise<RequestLogSettings> {
  return findRequestLogSettings(deps.database, caller.organizationId);
}

/** Sets the retention of single requests in days. Null: for ever. recording/prune-events.ts deletes older ones. */
export function updateRequestLogSettings(
  deps: AuditDeps,
  { caller, origin }: Call,
  retentionDays: number | null,
): Promise<RequestLogSettings> {
  const { organizationId } = caller;
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await lockRequestLogSettings(tx, organizationId);
    const result = { ...before, retentionDays };
    if (before.retentionDays === retentionDays) return { result, audit: "unchanged" };
    await saveRetentionDays(tx, organizationId, retentionDays);
    return {
      result,
      audit: {
        event: "request_log.settings_updated",
        subject: { type: "request_log_settings", id: organizationId },
        workspaceId: null,
        before: { retention_days: before.retentionDays },
        after: { retention_days: retentionDays },
      },
    };
  });
}
