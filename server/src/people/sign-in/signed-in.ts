import type { AuditEntry } from "#src/audit/audited-transaction.ts";
import type { MemberCaller } from "#src/domain/caller.ts";

/** Audit event of a member's own account. */
export function auditOfSelf(
  { id }: MemberCaller,
  event: AuditEntry["event"],
  change: Partial<Pick<AuditEntry, "subject" | "before" | "after">> = {},
): AuditEntry {
  return {
    event,
    subject: change.subject ?? { type: "member", id },
    workspaceId: null,
    before: change.before ?? null,
    after: change.after ?? null,
  };
}
