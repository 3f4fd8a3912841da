import { idPrefixes } from "@bursar/contract/ids.ts";
import type { OrganizationRole } from "@bursar/contract/permissions.ts";
import type { GivenWorkspaceRole } from "@bursar/contract/roles.ts";
import { authorize } from "#src/access/authorize.ts";
import type { Call } from "#src/access/call.ts";
import { checkStepUp } from "#src/access/step-up.ts";
import { getActiveWorkspaceForChange } from "#src/access/visible-workspace.ts";
import { auditedTransaction } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import type { Caller } from "#src/domain/caller.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { canGrantWorkspaceRole } from "#src/domain/rights.ts";
import { isInviteWide } from "#src/domain/wider-access.ts";
import { newId } from "#src/lib/ids.ts";
import { findRoleAbove } from "#src/people/groups/group-access.rule.ts";
import { lockGroup, refuseDirectory } from "#src/people/groups/groups.ts";
import { checkOtherSignIns } from "#src/people/identity/company-sign-in.ts";
import { lockPeople } from "#src/people/leaving/people-lock.sql.ts";
import { readEmailAddress } from "#src/people/members/email-address.rule.ts";
import { findRoleConflict } from "#src/people/workspace-members/workspace-role.rule.ts";
import { linkOf, queueInviteMail } from "./invite-mail.ts";
import { INVITE_LASTS_MS } from "./invite-status.rule.ts";
import {
  getOrganizationName,
  type InviteGroupRow,
  type InviteRow,
  type InviteWorkspaceRow,
  insertInvite,
  insertInviteGroups,
  insertInviteWorkspaces,
  listMemberEmails,
  listOpenInvites,
  updateInvite,
} from "./invites.sql.ts";
import {
  auditOf,
  canSeeLink,
  checkRole,
  type InviteDeps,
  makeToken,
  type ShownInvite,
  show,
} from "./invites.ts";

const NO_OWNER_INVITES =
  "Members sign in through a directory only, and no directory makes an owner. Invite with another role, and change it after the first sign-in.";

export interface NewInvites {
  emails: readonly string[];
  role: OrganizationRole;
  workspaces: readonly { workspace_id: string; workspace_role: GivenWorkspaceRole }[];
  group_ids: readonly string[];
}

export type InviteResult = { email: string } & (
  | { result: "invited"; invite: ShownInvite; link: string | null }
  | { result: "already_invited"; reason: string; invite: ShownInvite | null }
  | { result: "already_member"; reason: string }
  | { result: "invalid"; reason: string }
);

/**
 * Invites each valid address, and returns a reason for each other one, in one transaction. An address gets its invite,
 * workspaces, groups, message and audit event, or none of them. Throws a 403 for a role above the caller's, and for an owner
 * where members sign in through a directory only. Throws a 404 for an unknown workspace or group. Throws a 400 for an archived
 * workspace, for roles that cannot be combined, and for a group of a directory.
 */
export function createInvites(
  deps: InviteDeps,
  { caller, origin }: Call,
  input: NewInvites,
): Promise<InviteResult[]> {
  checkRole(caller, input.role);
  const workspaceRoles = input.workspaces.map(({ workspace_role }) => workspace_role);
  if (isInviteWide(input.role, workspaceRoles)) checkStepUp(caller, deps.nowMs());
  return auditedTransaction(deps, caller, origin, async (tx) => {
    await lockPeople(tx, caller.organizationId);
    if (input.role === "owner") {
      await checkOtherSignIns(tx, caller.organizationId, NO_OWNER_INVITES);
    }
    const workspaces = await getWorkspaces(tx, caller, input);
    const groups = await getGroups(tx, caller, input.group_ids);
    const groupRoles = groups.flatMap(({ roles }) => roles);
    if (isInviteWide(input.role, groupRoles)) checkStepUp(caller, deps.nowMs());
    const { results, toInvite } = await classifyEmails(tx, deps, caller, input.emails);
    const made = await insertAll(tx, deps, caller, {
      ...input,
      workspaces,
      groups,
      emails: [...toInvite.keys()],
    });
    for (const each of made) {
      const index = toInvite.get(each.invite.row.email) ?? 0;
      results[index] = { email: input.emails[index] ?? "", result: "invited", ...each };
    }
    const nowMs = deps.nowMs();
    const audit = made.map(({ invite }) => auditOf("invite.created", null, invite, nowMs));
    return { result: results, audit };
  });
}

type InvitedWorkspace = Pick<InviteWorkspaceRow, "workspace_id" | "workspace_name" | "role">;

async function getWorkspaces(
  tx: Tx,
  caller: Caller,
  { role: organizationRole, workspaces }: NewInvites,
): Promise<InvitedWorkspace[]> {
  const found: InvitedWorkspace[] = [];
  // A fixed order prevents deadlocks between concurrent calls.
  const ordered = [...workspaces].sort((a, b) => (a.workspace_id < b.workspace_id ? -1 : 1));
  for (const { workspace_id: id, workspace_role: role } of ordered) {
    const { name } = await getActiveWorkspaceForChange(tx, caller, "workspace_members:write", id);
    if (found.at(-1)?.workspace_id === id) {
      throw refuseField("workspaces", `${id} is listed twice.`);
    }
    const refusal = findRoleConflict(organizationRole, role);
    if (refusal !== null) {
      throw refuseField("workspaces", `a member with the role ${organizationRole} ${refusal}.`);
    }
    if (!canGrantWorkspaceRole(caller, id, role)) {
      throw refuseField(
        "workspaces",
        `${role} in ${id} is above your role there.`,
        "role_too_high",
      );
    }
    found.push({ workspace_id: id, workspace_name: name, role });
  }
  return found;
}

type InvitedGroup = Omit<InviteGroupRow, "invite_id">;

/** Throws a 403 without the right to change groups. */
async function getGroups(tx: Tx, caller: Caller, ids: readonly string[]): Promise<InvitedGroup[]> {
  if (ids.length > 0) authorize(caller, "groups:write");
  const found: InvitedGroup[] = [];
  for (const id of new Set(ids)) {
    const group = await lockGroup(tx, caller, id);
    if (group.is_managed) throw refuseDirectory("group");
    const above = findRoleAbove(caller, group.workspaces);
    if (above !== null) {
      throw refuseField(
        "group_ids",
        `${id} gives ${above.workspace_role} in ${above.workspace_id}, which is above your role there.`,
        "role_too_high",
      );
    }
    const roles = group.workspaces.map(({ workspace_role }) => workspace_role);
    found.push({ group_id: id, name: group.name, roles });
  }
  return found;
}

/** Returns a result for each address that cannot be invited, and the input of all others. */
async function classifyEmails(
  tx: Tx,
  deps: InviteDeps,
  caller: Caller,
  written: readonly string[],
) {
  const { organizationId } = caller;
  const results: InviteResult[] = [];
  const toInvite = new Map<string, number>();
  for (const [index, email] of written.entries()) {
    const read = readEmailAddress(email);
    if (read.kind === "invalid") {
      results[index] = { email, result: "invalid", reason: read.reason };
    } else if (toInvite.has(read.email)) {
      const reason = `${read.email} is listed more than once`;
      results[index] = { email, result: "already_invited", reason, invite: null };
    } else toInvite.set(read.email, index);
  }
  if (toInvite.size === 0) return { results, toInvite };

  const place = (email: string, result: (written: string) => InviteResult) => {
    const index = toInvite.get(email) ?? 0;
    results[index] = result(written[index] ?? "");
    toInvite.delete(email);
  };
  const emails = [...toInvite.keys()];
  for (const email of await listMemberEmails(tx, { organizationId, emails })) {
    const reason = `${email} belongs to a member`;
    place(email, (as) => ({ email: as, result: "already_member", reason }));
  }
  const open = await show(tx, await listOpenInvites(tx, { organizationId, emails }));
  for (const invite of open) {
    if (!toInvite.has(invite.row.email)) continue;
    if (invite.row.expires_at.getTime() <= deps.nowMs()) {
      // The row stays listed as expired, and allows a new invite.
      await updateInvite(tx, { ...invite.row, is_open: false });
      continue;
    }
    const reason = `${invite.row.email} already has a valid invite. Resend it instead`;
    place(invite.row.email, (as) => ({ email: as, result: "already_invited", reason, invite }));
  }
  return { results, toInvite };
}

async function insertAll(
  tx: Tx,
  deps: InviteDeps,
  caller: Caller,
  input: {
    emails: readonly string[];
    role: OrganizationRole;
    workspaces: readonly InvitedWorkspace[];
    groups: readonly InvitedGroup[];
  },
): Promise<{ invite: ShownInvite; link: string | null }[]> {
  const organizationName = await getOrganizationName(tx, caller.organizationId);
  const made: { invite: ShownInvite; link: string | null }[] = [];
  for (const email of input.emails) {
    const token = makeToken(deps);
    const row = newRow(deps, caller, { email, role: input.role });
    await insertInvite(tx, { ...row, token_hash: token.hash });
    const given = input.workspaces.map((workspace) => ({ ...workspace, invite_id: row.id }));
    await insertInviteWorkspaces(
      tx,
      given.map(({ invite_id, workspace_id, role }) => ({ invite_id, workspace_id, role })),
    );
    const groups = input.groups.map((group) => ({ ...group, invite_id: row.id }));
    await insertInviteGroups(
      tx,
      groups.map(({ invite_id, group_id }) => ({ invite_id, group_id })),
    );
    const link = linkOf(deps, token.text);
    const mail = { invite: row, link, organizationName, workspaces: given, groups };
    await queueInviteMail(tx, deps, mail);
    const workspaces = given.map((workspace) => ({ ...workspace, is_archived: false }));
    made.push({ invite: { row, workspaces, groups }, link: canSeeLink(caller) ? link : null });
  }
  return made;
}

function newRow(
  deps: InviteDeps,
  caller: Caller,
  { email, role }: { email: string; role: OrganizationRole },
): InviteRow {
  const nowMs = deps.nowMs();
  return {
    id: newId(idPrefixes.invite, nowMs, deps.randomBytes),
    organization_id: caller.organizationId,
    email,
    role,
    invited_by_type: caller.kind,
    invited_by_id: caller.id,
    created_at: new Date(nowMs),
    expires_at: new Date(nowMs + INVITE_LASTS_MS),
    accepted_at: null,
    member_id: null,
    revoked_at: null,
    is_open: true,
  };
}
