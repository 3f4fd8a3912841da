import { idPrefixes } from "@bursar/contract/ids.ts";
import type { OrganizationRole } from "@bursar/contract/permissions.ts";
import type { AuditEntry } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { newId } from "#src/lib/ids.ts";
import { withdrawMail } from "#src/mail/queue-mail.ts";
import { createPersonWithoutPassword } from "#src/people/identity/people.ts";
import { inviteStatusOf } from "#src/people/invites/invite-status.rule.ts";
import {
  insertAssignedRoles,
  insertMember,
  listInviteGroups,
  listInviteWorkspaces,
  listOpenInvites,
  updateInvite,
} from "#src/people/invites/invites.sql.ts";
import { joinInvitedGroups } from "#src/people/invites/join-groups.ts";
import type { DirectoryRow } from "./directories.sql.ts";

interface CreateDeps {
  nowMs: () => number;
  randomBytes: (size: number) => Uint8Array;
}

interface DirectoryMember {
  id: string;
  role: OrganizationRole;
  inviteId: string | null;
  /** Audit events of the groups of the invite. */
  joined: AuditEntry[];
  createdAt: Date;
}

/**
 * Creates a member of a directory, with the role of a pending invite or the directory's default role. The caller has locked
 * the organization's people. Throws a 403 for an invite as owner.
 */
export async function createDirectoryMember(
  tx: Tx,
  deps: CreateDeps,
  { directory, email, name }: { directory: DirectoryRow; email: string; name: string },
): Promise<DirectoryMember> {
  const { organization_id: organizationId } = directory;
  const createdAt = new Date(deps.nowMs());
  const invite = await findInvite(tx, { organizationId, email, nowMs: deps.nowMs() });
  const role = invite?.role ?? directory.default_role;
  const id = newId(idPrefixes.member, deps.nowMs(), deps.randomBytes);
  await insertMember(tx, { id, organizationId, email, name, role, createdAt });
  await createPersonWithoutPassword(tx, id);
  const joined: AuditEntry[] = [];
  if (invite !== null) {
    const workspaces = await listInviteWorkspaces(tx, [invite.id]);
    await insertAssignedRoles(
      tx,
      id,
      workspaces.filter((workspace) => !workspace.is_archived),
    );
    const groups = await listInviteGroups(tx, [invite.id]);
    joined.push(...(await joinInvitedGroups(tx, deps, { organizationId, memberId: id, groups })));
    await updateInvite(tx, { ...invite, accepted_at: createdAt, member_id: id, is_open: false });
    await withdrawMail(tx, invite.id);
  }
  return { id, role, inviteId: invite?.id ?? null, joined, createdAt };
}

/** Finds the pending invite of the address. Throws a 403 for an invite as owner, which needs its link. */
async function findInvite(
  tx: Tx,
  { organizationId, email, nowMs }: { organizationId: string; email: string; nowMs: number },
) {
  const open = await listOpenInvites(tx, { organizationId, emails: [email] });
  const invite = open.find((each) => inviteStatusOf(each, nowMs) === "pending") ?? null;
  if (invite?.role !== "owner") return invite;
  throw new ApiError(
    "directory_sign_in_refused",
    "You are invited as an Owner. Accept the invite through its link, or ask an Owner to revoke it.",
  );
}
