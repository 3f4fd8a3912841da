import type { AuditEntry } from "#src/audit/audited-transaction.ts";
import type { ApiKeyRow } from "./api-keys.sql.ts";

export function auditOf(
  event: `api_key.${string}`,
  before: ApiKeyRow | null,
  after: ApiKeyRow,
): AuditEntry {
  return {
    event,
    subject: { type: "api_key", id: after.id },
    workspaceId: after.workspace_id,
    before: before && toAudit(before),
    after: toAudit(after),
  };
}

function toAudit(row: ApiKeyRow) {
  return {
    name: row.name,
    permission: row.permission,
    status: row.status,
    owner_member_id: row.owner_member_id,
    partial_key_hint: row.hint,
    expires_at: row.expires_at?.toISOString() ?? null,
    allowed_models: row.allowed_models,
    allowed_addresses: row.allowed_addresses,
  };
}
