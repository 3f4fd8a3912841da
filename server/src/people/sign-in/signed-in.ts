import type { BrowserCall } from "#src/access/call.ts";
import type { AuditEntry } from "#src/audit/audited-transaction.ts";
import type { MemberCaller } from "#src/domain/caller.ts";
import { assert } from "#src/lib/assert.ts";

/** The caller of a route about oneself: the table of rights lets nobody else there. */
export function memberOf({ caller }: BrowserCall): MemberCaller {
  assert(caller.kind === "member", "only people have routes about themselves");
  return caller;
}

/** An event about the person itself. */
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
