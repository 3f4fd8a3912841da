import { type OrganizationRole, roleNames } from "@bursar/contract/permissions.ts";
import type { GivenWorkspaceRole } from "@bursar/contract/roles.ts";
import type { Call } from "#src/access/call.ts";
import { checkStepUp } from "#src/access/step-up.ts";
import {
  type AuditDeps,
  type AuditEntry,
  auditedTransaction,
} from "#src/audit/audited-transaction.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import {
  fromIds,
  type PageOfRows,
  type PageRequest,
  positionOfCreated,
  toPage,
} from "#src/domain/page-position.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { canGrantOrganizationRole } from "#src/domain/rights.ts";
import { isInviteWide } from "#src/domain/wider-access.ts";
import { randomBase62 } from "#src/lib/ids.ts";
import { hashSecret } from "#src/lib/secret-hash.ts";
import { withdrawMail } from "#src/mail/queue-mail.ts";
import { lockPeople } from "#src/people/leaving/people-lock.sql.ts";
import { normalizeEmail } from "#src/people/members/email-address.rule.ts";
import { type InviteMailDeps, linkOf, queueInviteMail } from "./invite-mail.ts";
import { INVITE_LASTS_MS, inviteStatusOf } from "./invite-status.rule.ts";
import {
  findInvite,
  getOrganizationName,
  type InviteGroupRow,
  type InviteRow,
  type InviteStatus,
  type InviteWorkspaceRow,
  listInviteGroups,
  listInviteWorkspaces,
  listInvites as listRows,
  updateInvite,
} from "./invites.sql.ts";

export interface InviteDeps extends AuditDeps, InviteMailDeps {}

export interface ShownInvite {
  row: InviteRow;
  workspaces: InviteWorkspaceRow[];
  groups: InviteGroupRow[];
}

const listedStatuses: readonly InviteStatus[] = ["pending", "accepted", "expired"];

/** Returns a page of the Bursar list. */
export async function listInvites(
  deps: InviteDeps,
  { caller }: Call,
  query: { statuses?: InviteStatus[] | undefined },
  request: PageRequest,
): Promise<PageOfRows<ShownInvite>> {
  const filter = {
    organizationId: caller.organizationId,
    statuses: query.statuses ?? listedStatuses,
    nowMs: deps.nowMs(),
  };
  const page = toPage(await listRows(deps.database, filter, request), request);
  return { ...page, rows: await show(deps.database, page.rows) };
}

/** Returns a page of the official list, by ids, without revoked invites. */
export async function listInvitesByIds(
  deps: InviteDeps,
  { caller }: Call,
  query: {
    limit: number;
    after_id?: string | undefined;
    before_id?: string | undefined;
    email?: string | undefined;
    roles?: OrganizationRole[] | undefined;
    statuses?: InviteStatus[] | undefined;
  },
): Promise<PageOfRows<ShownInvite>> {
  const { organizationId } = caller;
  const page = await fromIds(query, async (id) => {
    const row = await findInvite(deps.database, { organizationId, id });
    return row && positionOfCreated(row);
  });
  const filter = {
    organizationId,
    statuses: query.statuses ?? listedStatuses,
    nowMs: deps.nowMs(),
    roles: query.roles,
    ...(query.email !== undefined && { email: normalizeEmail(query.email) }),
  };
  const found = toPage(await listRows(deps.database, filter, page), page);
  return { ...found, rows: await show(deps.database, found.rows) };
}

/** Throws a 404. */
export async function getInvite(
  deps: InviteDeps,
  { caller }: Call,
  id: string,
): Promise<ShownInvite> {
  return showOne(deps.database, await getRow(deps.database, caller, id));
}

/** Returns the invite in the official shape, which omits revoked ones. Throws a 404. */
export async function getPresentInvite(
  deps: InviteDeps,
  { caller }: Call,
  id: string,
): Promise<ShownInvite> {
  const row = await getRow(deps.database, caller, id);
  if (row.revoked_at !== null) throw inviteNotFound(id);
  return showOne(deps.database, row);
}

/**
 * Creates a new link, valid from now on, and sends it. The old link stops working. Throws a 404, and a 403 for a role
 * above the caller's. Throws a 400 for an accepted or revoked invite, and a 409 if a newer one exists.
 */
export function resendInvite(
  deps: InviteDeps,
  { caller, origin }: Call,
  id: string,
): Promise<ShownInvite & { link: string | null }> {
  const nowMs = deps.nowMs();
  const token = makeToken(deps);
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await getForChange(tx, deps, caller, id);
    if (!before.is_open) {
      throw new ApiError(
        "invite_superseded",
        "This invite has expired, and a newer one has replaced it.",
      );
    }
    const after = { ...before, expires_at: new Date(nowMs + INVITE_LASTS_MS) };
    await updateInvite(tx, after, token.hash);
    const shown = await showOne(tx, after);
    const roles = listRoles(shown);
    if (isInviteWide(after.role, roles)) checkStepUp(caller, nowMs);
    const link = linkOf(deps, token.text);
    await queueInviteMail(tx, deps, {
      invite: after,
      link,
      organizationName: await getOrganizationName(tx, caller.organizationId),
      workspaces: shown.workspaces,
      groups: shown.groups,
    });
    return {
      result: { ...shown, link: canSeeLink(caller) ? link : null },
      audit: auditOf("invite.resent", before, shown, nowMs),
    };
  });
}

/**
 * Revokes the invite and its link. Throws a 404, a 403 for a role above the caller's, and a 400 for an accepted one.
 */
export function revokeInvite(
  deps: InviteDeps,
  { caller, origin }: Call,
  id: string,
): Promise<void> {
  const nowMs = deps.nowMs();
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await getForChange(tx, deps, caller, id);
    const after = { ...before, revoked_at: new Date(nowMs), is_open: false };
    await updateInvite(tx, after);
    await withdrawMail(tx, id);
    const audit = auditOf("invite.revoked", before, await showOne(tx, after), nowMs);
    return { result: undefined, audit };
  });
}

/** Returns an open invite for a change, and blocks other changes of members. */
async function getForChange(
  tx: Tx,
  deps: InviteDeps,
  caller: Caller,
  id: string,
): Promise<InviteRow> {
  await lockPeople(tx, caller.organizationId);
  const row = await getRow(tx, caller, id);
  checkRole(caller, row.role);
  const status = inviteStatusOf(row, deps.nowMs());
  if (status === "accepted" || status === "revoked") {
    throw new ApiError(
      "invite_not_pending",
      `This invite was ${status} already.`,
      {},
      { resource_status: status },
    );
  }
  return row;
}

/** Whether the caller gets the link of its own invite. A program has no one to pass it on to. */
export function canSeeLink(caller: Caller): boolean {
  return caller.kind === "member" || caller.kind === "local_operator";
}

/** Throws a 403 if the role is above the caller's own. */
export function checkRole(caller: Caller, role: OrganizationRole): void {
  if (canGrantOrganizationRole(caller, role)) return;
  throw refuseField(
    "role",
    `you can invite to roles up to your own, and ${roleNames[role]} is above yours. Ask an Owner.`,
    "role_too_high",
  );
}

async function getRow(db: Database | Tx, caller: Caller, id: string): Promise<InviteRow> {
  const row = await findInvite(db, { organizationId: caller.organizationId, id });
  if (row === null) throw inviteNotFound(id);
  return row;
}

function inviteNotFound(id: string): ApiError {
  return new ApiError("resource_not_found", `Invite not found: ${id}`, {}, { resource: "invite" });
}

export interface InviteToken {
  text: string;
  hash: Buffer;
}

const TOKEN_CHARS = 43; // 256 bits

export function makeToken(deps: Pick<InviteDeps, "randomBytes">): InviteToken {
  const text = randomBase62(TOKEN_CHARS, deps.randomBytes);
  return { text, hash: hashSecret(text) };
}

export async function show(db: Database | Tx, rows: readonly InviteRow[]): Promise<ShownInvite[]> {
  const ids = rows.map(({ id }) => id);
  const workspaces = await listInviteWorkspaces(db, ids);
  const groups = await listInviteGroups(db, ids);
  return rows.map((row) => ({
    row,
    workspaces: workspaces.filter(({ invite_id }) => invite_id === row.id),
    groups: groups.filter(({ invite_id }) => invite_id === row.id),
  }));
}

export async function showOne(db: Database | Tx, row: InviteRow): Promise<ShownInvite> {
  const [shown] = await show(db, [row]);
  return shown ?? { row, workspaces: [], groups: [] };
}

/** Roles in workspaces that the person gets, also through groups. */
function listRoles({ workspaces, groups }: ShownInvite): GivenWorkspaceRole[] {
  return [...workspaces.map(({ role }) => role), ...groups.flatMap(({ roles }) => roles)];
}

/** `before` has the same workspaces and groups, which never change. */
export function auditOf(
  event: `invite.${string}`,
  before: InviteRow | null,
  after: ShownInvite,
  nowMs: number,
): AuditEntry {
  const toAudit = (row: InviteRow) => ({
    email: row.email,
    role: row.role,
    status: inviteStatusOf(row, nowMs),
    expires_at: row.expires_at.toISOString(),
    workspaces: after.workspaces.map(({ workspace_id, role }) => ({
      workspace_id,
      workspace_role: role,
    })),
    groups: after.groups.map(({ group_id, name }) => ({ group_id, group_name: name })),
  });
  return {
    event,
    subject: { type: "invite", id: after.row.id },
    workspaceId: null,
    before: before && toAudit(before),
    after: toAudit(after.row),
  };
}
