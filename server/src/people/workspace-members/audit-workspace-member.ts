import type { AuditEntry } from "#src/audit/audited-transaction.ts";
import type { PersonRow } from "./workspace-people.sql.ts";

/** Audit event of a change of an assigned workspace role. */
export function auditOfWorkspaceMember(
  verb: "added" | "updated" | "removed",
  workspaceId: string,
  before: PersonRow,
  after: PersonRow,
): AuditEntry {
  return {
    event: `workspace_member.${verb}`,
    subject: { type: "member", id: after.id },
    workspaceId,
    before: before.given_role && toAudit(before),
    after: after.given_role && toAudit(after),
  };
}

function toAudit(row: PersonRow) {
  return { email: row.email, name: row.name, workspace_role: row.given_role };
}
