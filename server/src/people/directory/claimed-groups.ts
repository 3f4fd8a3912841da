import type { Rank } from "@bursar/contract/permissions.ts";
import type { AuditEntry } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import type { SaveDeps } from "#src/limits/limit-kind.ts";
import { addGroupMembers, removeGroupMembers } from "#src/people/groups/group-members.ts";
import { deleteClaimed, listGroupNames, saveClaimed } from "./claimed-memberships.sql.ts";

interface ClaimedGroups {
  organizationId: string;
  directoryId: string;
}

/**
 * Makes the member's groups those that the claims of the directory state. Memberships of other sources stay. The caller has
 * locked the organization's people.
 */
export async function setClaimedGroups(
  tx: Tx,
  deps: SaveDeps,
  of: ClaimedGroups & { memberId: string; groupIds: readonly string[] },
): Promise<AuditEntry[]> {
  const { organizationId, directoryId, memberId, groupIds } = of;
  const source = "claims" as const;
  const audit: AuditEntry[] = [];
  const groups = await listGroupNames(tx, groupIds);
  for (const group of groups) {
    const change = { organizationId, groupId: group.id, memberIds: [memberId], source, rank: null };
    audit.push(...(await addGroupMembers(tx, deps, group, change)));
  }
  await saveClaimed(tx, { directoryId, memberId, groupIds: groups.map(({ id }) => id) });
  const ended = await endClaimedGroups(tx, deps, {
    ...{ organizationId, directoryId, memberId, rank: null },
    exceptGroupIds: groupIds,
  });
  return [...audit, ...ended];
}

/** Turns memberships that only the claims of this directory state into memberships by hand. */
export async function keepClaimedGroups(
  tx: Tx,
  deps: SaveDeps,
  { organizationId, directoryId, memberId }: ClaimedGroups & { memberId: string },
): Promise<AuditEntry[]> {
  const kept = await deleteClaimed(tx, { directoryId, memberId, exceptGroupIds: [] });
  const audit: AuditEntry[] = [];
  for (const group of await listGroupNames(tx, [
    ...new Set(kept.map(({ group_id }) => group_id)),
  ])) {
    const change = { organizationId, groupId: group.id, memberIds: [memberId], rank: null };
    audit.push(...(await addGroupMembers(tx, deps, group, { ...change, source: "direct" })));
  }
  return audit;
}

/**
 * Ends memberships that only the claims of this directory state, except in the groups. `memberId` null: of every member.
 * `rank` null: the directory itself. Throws a 403 for a default limit of a higher rank that would no longer apply.
 */
export async function endClaimedGroups(
  tx: Tx,
  deps: SaveDeps,
  of: ClaimedGroups & {
    memberId: string | null;
    exceptGroupIds: readonly string[];
    rank: Rank | null;
  },
): Promise<AuditEntry[]> {
  const { organizationId, rank } = of;
  const ended = Map.groupBy(await deleteClaimed(tx, of), ({ group_id }) => group_id);
  const audit: AuditEntry[] = [];
  for (const group of await listGroupNames(tx, [...ended.keys()])) {
    const memberIds = (ended.get(group.id) ?? []).map(({ member_id }) => member_id);
    const change = { organizationId, groupId: group.id, memberIds, source: "claims" as const };
    audit.push(...(await removeGroupMembers(tx, deps, group, { ...change, rank })));
  }
  return audit;
}
