import type { AuditEntry } from "#src/audit/audited-transaction.ts";
import type { RankedKey } from "./ranked-restrictions.ts";

export function auditOf(
  event: `api_key.${string}`,
  before: RankedKey | null,
  after: RankedKey,
): AuditEntry {
  return {
    event,
    subject: { type: "api_key", id: after.row.id },
    workspaceId: after.row.workspace_id,
    before: before && toAudit(before),
    after: toAudit(after),
  };
}

function toAudit({ row, restrictions }: RankedKey) {
  return {
    name: row.name,
    permission: row.permission,
    status: row.status,
    owner_member_id: row.owner_member_id,
    partial_key_hint: row.hint,
    expires_at: row.expires_at?.toISOString() ?? null,
    allowed_models: row.allowed_models,
    allowed_addresses: row.allowed_addresses,
    tags: row.tags,
    user_directory_id: row.user_directory_id,
    requires_user: row.requires_user,
    allowed_origins: row.allowed_origins,
    restrictions: restrictions.map((each) => ({
      rank: each.rank,
      is_disabled: each.is_disabled,
      allowed_models: each.allowed_models,
      allowed_addresses: each.allowed_addresses,
      expires_at: each.expires_at?.toISOString() ?? null,
    })),
  };
}
