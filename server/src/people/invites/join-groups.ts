import type { AuditEntry } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import type { SaveDeps } from "#src/limits/limit-kind.ts";
import { addGroupMembers } from "#src/people/groups/group-members.ts";
import type { InviteGroupRow } from "./invites.sql.ts";

/** Adds a new member to the groups of the invite, and returns the audit events. */
export async function joinInvitedGroups(
  tx: Tx,
  deps: SaveDeps,
  {
    organizationId,
    memberId,
    groups,
  }: { organizationId: string; memberId: string; groups: readonly InviteGroupRow[] },
): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = [];
  for (const { group_id: groupId, name } of groups) {
    const place = { organizationId, groupId, memberIds: [memberId], source: "direct" as const };
    // A new member has no default limit that a group could ease.
    const change = { ...place, rank: null };
    entries.push(...(await addGroupMembers(tx, deps, { id: groupId, name }, change)));
  }
  return entries;
}
