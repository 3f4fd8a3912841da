import { member } from "@bursar/contract/admin/members.ts";
import type { AuditEntry } from "#src/audit/audited-transaction.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { endSessions, removePerson } from "#src/people/identity/people.ts";
import { type Ending, endAccess, toEndingWire } from "./end-access.ts";
import { countOtherOwners, type MemberRow, updateMember } from "./members.sql.ts";

/**
 * Ends the access of an active member until a reactivation: sessions at once, personal keys within a second. The caller
 * has locked the organization's members (`people/leaving/people-lock.sql.ts`) and has checked that an owner remains.
 */
export async function deactivate(
  tx: Tx,
  before: MemberRow,
  { organizationId, nowMs }: { organizationId: string; nowMs: number },
): Promise<{ after: MemberRow; ending: Ended }> {
  const { id } = before;
  const after: MemberRow = { ...before, status: "deactivated" };
  await updateMember(tx, { organizationId, id }, after);
  const sessions = await endSessions(tx, id);
  const ending = await endAccess(tx, { organizationId, id, nowMs }, "until reactivated");
  return { after, ending: { ...ending, sessions } };
}

/** Ends the access of a member for good. The caller has made sure of the same as for `deactivate`. */
export async function removeFromOrganization(
  tx: Tx,
  before: MemberRow,
  { organizationId, nowMs }: { organizationId: string; nowMs: number },
): Promise<{ after: MemberRow; ending: Ending }> {
  const { id } = before;
  const after: MemberRow = { ...before, status: "removed", removed_at: new Date(nowMs) };
  await updateMember(tx, { organizationId, id }, after);
  await removePerson(tx, id);
  const ending = await endAccess(tx, { organizationId, id, nowMs }, "for good");
  return { after, ending };
}

/** Returns whether the organization would be left without an active owner. */
export async function isLastOwner(
  db: Database | Tx,
  organizationId: string,
  row: MemberRow,
): Promise<boolean> {
  if (row.role !== "owner" || row.status !== "active") return false;
  return (await countOtherOwners(db, { organizationId, id: row.id })) === 0;
}

/** Everything that ended, with the number of sessions if it is known. */
type Ended = Ending & { sessions?: number };

function toEndedWire({ sessions, ...ending }: Ended) {
  return { ...(sessions !== undefined && { sessions }), ...toEndingWire(ending) };
}

const auditedFields = member.pick({ email: true, name: true, role: true, status: true });

/** Audit event of a member's change, with everything that ended. */
export function auditOfMember(
  event: `member.${string}`,
  before: MemberRow,
  after: MemberRow,
  ending?: Ended,
): AuditEntry {
  return {
    event,
    subject: { type: "member", id: after.id },
    workspaceId: null,
    before: auditedFields.parse(before),
    after: { ...auditedFields.parse(after), ...(ending && { ended: toEndedWire(ending) }) },
  };
}
