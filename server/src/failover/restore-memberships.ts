import type { AuditEntry } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import type { GroupMemberSource } from "#src/db/tables.ts";
import { systemRandomBytes } from "#src/lib/ids.ts";
import { addGroupMembers } from "#src/people/groups/group-members.ts";
import type { RowSigner } from "#src/signed-rows/row-signer.ts";
import { isUsableJson } from "#src/signed-rows/signed-transaction.ts";
import {
  attributeMembership,
  insertLostGroup,
  type JoinedGroup,
  listJoinedGroups,
  listKeptDirectories,
  listModelsOfGroups,
} from "./memberships.sql.ts";
import { pickLostJoins } from "./restrict.rule.ts";
import type { Membership, RememberedGroup, RememberedMember } from "./subject-state.rule.ts";

// Memberships that restrict a person, and that the promoted database lacks. A membership also gives the roles of its group, so
// it comes back only if its remembered row has a valid MAC.

interface Restored {
  tx: Tx;
  rows: RowSigner;
  organizationId: string;
  nowMs: number;
}

/**
 * Adds the member to groups again without which it could use more models, or would lack a limit. The caller has locked the
 * organization's people, and has ended lost memberships.
 */
export async function restoreMemberships(
  of: Restored,
  { id: memberId, status, memberships }: RememberedMember,
  heldGroupIds: readonly string[],
): Promise<AuditEntry[]> {
  const { tx, rows, organizationId } = of;
  if (status !== "active") return [];
  const lost = new Map(
    memberships
      .filter(({ groupId }) => !heldGroupIds.includes(groupId))
      .filter(({ row }) => isUsableJson(rows, "group_member", row))
      .map((membership) => [membership.groupId, membership]),
  );
  if (lost.size === 0) return [];
  const groups = await listJoinedGroups(tx, { organizationId, groupIds: [...lost.keys()] });
  const joined = new Set(pickLostJoins(await listModelsOfGroups(tx, memberId), groups));
  const audit: AuditEntry[] = [];
  for (const group of groups.filter(({ id }) => joined.has(id))) {
    const membership = lost.get(group.id);
    if (membership) audit.push(...(await restoreMembership(of, { memberId, group, membership })));
  }
  return audit;
}

async function restoreMembership(
  { tx, rows, organizationId, nowMs }: Restored,
  of: { memberId: string; group: JoinedGroup; membership: Membership },
): Promise<AuditEntry[]> {
  const { memberId, group, membership } = of;
  const { groupId, row, listed } = membership;
  const isListed =
    group.directoryId !== null &&
    listed !== null &&
    isUsableJson(rows, "scim_group_member", listed);
  const directoryIds = await listKeptDirectories(tx, membership.directoryIds);
  const isKept = { direct: true, scim: isListed, claims: directoryIds.length > 0 };
  const stored = row["source"] as GroupMemberSource;
  // Without its directory a person alone could end the membership.
  const source = isKept[stored] ? stored : "direct";
  const deps = { nowMs: () => nowMs, randomBytes: systemRandomBytes };
  const change = { organizationId, groupId, memberIds: [memberId], source, rank: null };
  const audit = await addGroupMembers(tx, deps, group, change);
  await attributeMembership(tx, { memberId, groupId, isListed, directoryIds });
  return audit;
}

/** Creates a lost group with its list of models, without roles. Returns null if the group restricted no member. */
export async function recreateGroup(
  { tx, rows }: Pick<Restored, "tx" | "rows">,
  { id, row, models }: RememberedGroup,
): Promise<AuditEntry | null> {
  if (row === null || models.allowed_models === null) return null;
  if (!isUsableJson(rows, "member_group", row)) return null;
  await insertLostGroup(tx, row);
  const { allowed_models } = models;
  return {
    event: "group.created",
    subject: { type: "group", id },
    workspaceId: null,
    before: null,
    after: { name: String(row["name"]), allowed_models },
  };
}
