import { member } from "@bursar/contract/admin/members.ts";
import type { AuditEntry } from "#src/audit/audited-transaction.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { endSessions } from "#src/people/identity/people.ts";
import { type Ending, endAccess, toEndingWire } from "./end-access.ts";
import { countOtherOwners, type MemberRow, updateMember } from "./members.sql.ts";

/**
 * Ends the access of an active member until somebody reactivates it: sessions at once, personal keys within a second.
 * Whoever calls has locked the organization's people (`people/leaving/people-lock.sql.ts`) and has seen that an owner remains.
 */
export async function deactivate(
  tx: Tx,
  before: MemberRow,
  { organizationId, nowMs }: { organizationId: string; nowMs: number },
): Promise<{ after: MemberRow; ending: Ending }> {
  const { id } = before;
  const after: MemberRow = { ...before, status: "deactivated" };
  await updateMember(tx, { organizationId, id }, after);
  await endSessions(tx, id);
  const ending = await endAccess(tx, { organizationId, id, nowMs }, "until reactivated");
  return { after, ending };
}

/** True where the organization would be left without an active owner. */
export async function isLastOwner(
  db: Database | Tx,
  organizationId: string,
  row: MemberRow,
): Promise<boolean> {
  if (row.role !== "owner" || row.status !== "active") return false;
  return (await countOtherOwners(db, { organizationId, id: row.id })) === 0;
}

const auditedFields = member.pick({ email: true, name: true, role: true, status: true });

/** The event of a change of a member, with what ended by it. */
export function auditOfMember(
  event: `member.${string}`,
  before: MemberRow,
  after: MemberRow,
  ending?: Ending,
): AuditEntry {
  return {
    event,
    subject: { type: "member", id: after.id },
    workspaceId: null,
    before: auditedFields.parse(before),
    after: { ...auditedFields.parse(after), ...(ending && { ended: toEndingWire(ending) }) },
  };
}
