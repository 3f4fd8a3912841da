import type { AuditEntry } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import type { Origin } from "#src/domain/caller.ts";
import { auditOfMember } from "#src/people/leaving/deactivate.ts";
import { findMember, updateMember } from "#src/people/leaving/members.sql.ts";
import type { NoteEvent } from "#src/people/sign-in/audit-member.ts";
import { setClaimedGroups } from "./claimed-groups.ts";
import { chooseRole } from "./claims.rule.ts";
import type { DirectoryRow } from "./directories.sql.ts";
import { findEnabledDirectory, type ProvedRow } from "./sign-in.sql.ts";

interface ApplyDeps {
  nowMs: () => number;
  randomBytes: (size: number) => Uint8Array;
}

type Claimed = Pick<ProvedRow, "directory_id" | "member_id" | "claimed_roles" | "claimed_groups">;

/**
 * Sets role and groups of the member to those of the claims, at a complete sign-in. Owners keep their role. The caller has
 * locked the organization's people.
 */
export async function applyClaims(
  { tx, note }: { tx: Tx; note: NoteEvent },
  deps: ApplyDeps,
  origin: Origin,
  claimed: Claimed,
): Promise<void> {
  const { claimed_roles, claimed_groups, directory_id, member_id: memberId } = claimed;
  if (claimed_roles === null && claimed_groups === null) return;
  const directory = await findEnabledDirectory(tx, directory_id);
  if (directory === null) return;
  const { id, organization_id: organizationId } = directory;
  const entries: AuditEntry[] = [];
  if (claimed_roles !== null)
    entries.push(...(await setRole(tx, directory, memberId, claimed_roles)));
  if (claimed_groups !== null) {
    const groupIds = directory.group_mappings
      .filter(({ value }) => claimed_groups.includes(value))
      .map(({ group_id }) => group_id);
    const of = { organizationId, directoryId: id, memberId, groupIds: [...new Set(groupIds)] };
    entries.push(...(await setClaimedGroups(tx, deps, of)));
  }
  for (const entry of entries) {
    const actor = { type: "directory", id };
    const { event, subject, before, after } = entry;
    const member = { id: memberId, organizationId };
    await note({ member, origin, actor, event, subject, before, after, affectsKeys: true });
  }
}

async function setRole(
  tx: Tx,
  directory: DirectoryRow,
  id: string,
  values: readonly string[],
): Promise<AuditEntry[]> {
  const of = { organizationId: directory.organization_id, id };
  const before = await findMember(tx, of);
  if (before === null || before.role === "owner" || directory.role_mappings.length === 0) return [];
  const role = chooseRole(directory, values, directory.default_role);
  if (role === before.role) return [];
  const after = { ...before, role };
  await updateMember(tx, of, after);
  return [auditOfMember("member.updated", before, after)];
}
