import type { BrowserCall } from "#src/access/call.ts";
import type { AuditEntry } from "#src/audit/audited-transaction.ts";
import type { MemberCaller } from "#src/domain/caller.ts";
import { assert } from "#src/lib/assert.ts";

/** The caller of a route about the member's own account. The table of rights admits only members to these routes. */
export function getMemberCaller({ caller }: BrowserCall): MemberCaller {
  assert(caller.kind === "member", "only members can call routes about their own account");
  return caller;
}

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
