import type { BrowserCall, Call } from "#src/access/call.ts";
import {
  type AuditDeps,
  type AuditEntry,
  auditedTransaction,
} from "#src/audit/audited-transaction.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { getMemberCaller } from "#src/domain/caller.ts";
import { needsCompanySignIn } from "#src/people/identity/company-sign-in.sql.ts";
import { findMember } from "#src/people/leaving/members.sql.ts";
import { lockPeople } from "#src/people/leaving/people-lock.sql.ts";
import { memberNotFound } from "#src/people/members/member-not-found.ts";
import { getMemberForChange } from "#src/people/members/members.ts";
import { keepClaimedGroups } from "./claimed-groups.ts";
import { deleteLink, hasOwnSignIn, type LinkRow, listLinks } from "./linked-directories.sql.ts";

interface LinkOf {
  organizationId: string;
  memberId: string;
  directoryId: string;
}

/** Lists the caller's own links. */
export function listOwnLinks(deps: AuditDeps, call: BrowserCall): Promise<LinkRow[]> {
  const { id: memberId, organizationId } = getMemberCaller(call);
  return listLinks(deps.database, { organizationId, memberId });
}

/** Throws a 404. */
export async function listLinksOfMember(
  deps: AuditDeps,
  { caller: { organizationId } }: Call,
  memberId: string,
): Promise<LinkRow[]> {
  const member = await findMember(deps.database, { organizationId, id: memberId });
  if (member === null) throw memberNotFound(memberId);
  return listLinks(deps.database, { organizationId, memberId });
}

/**
 * Unlinks a directory from the caller's account. Throws a 404, and a 409 without another way to sign in. Throws a 400 for a
 * directory whose claims decide about the caller. The caller could otherwise keep access that the directory ends.
 */
export function unlinkOwnDirectory(
  deps: AuditDeps,
  call: BrowserCall,
  directoryId: string,
): Promise<void> {
  const caller = getMemberCaller(call);
  const of = { organizationId: caller.organizationId, memberId: caller.id, directoryId };
  return auditedTransaction(deps, caller, call.origin, async (tx) => {
    await lockPeople(tx, of.organizationId);
    const link = await getLink(tx, of);
    if (link.is_managing) {
      throw new ApiError(
        "managed_by_directory",
        `${link.name} decides about your role or groups. Ask an Owner or Admin to unlink it.`,
      );
    }
    await checkOtherWay(tx, deps, of);
    return { result: undefined, audit: [await unlink(tx, of, link)] };
  });
}

/**
 * Unlinks a directory from a member. Memberships of its claims become memberships by hand. Throws a 404, a 403 for a member
 * above the caller, and a 400 for removed members.
 */
export function unlinkDirectoryOfMember(
  deps: AuditDeps,
  { caller, origin }: Call,
  { memberId, directoryId }: { memberId: string; directoryId: string },
): Promise<void> {
  const of = { organizationId: caller.organizationId, memberId, directoryId };
  return auditedTransaction(deps, caller, origin, async (tx) => {
    await getMemberForChange(tx, caller, memberId);
    const link = await getLink(tx, of);
    const kept = await keepClaimedGroups(tx, deps, of);
    return { result: undefined, audit: [...kept, await unlink(tx, of, link)] };
  });
}

async function getLink(db: Database | Tx, { directoryId, ...of }: LinkOf): Promise<LinkRow> {
  const link = (await listLinks(db, of)).find(({ directory_id }) => directory_id === directoryId);
  if (link !== undefined) return link;
  throw new ApiError(
    "resource_not_found",
    "Linked directory not found",
    {},
    { resource: "directory" },
  );
}

async function checkOtherWay(
  tx: Tx,
  { nowMs }: AuditDeps,
  { organizationId, memberId, directoryId }: LinkOf,
): Promise<void> {
  const links = await listLinks(tx, { organizationId, memberId });
  if (links.some((link) => link.is_enabled && link.directory_id !== directoryId)) return;
  const isBound = await needsCompanySignIn(tx, { memberId, now: new Date(nowMs()) });
  if (!isBound && (await hasOwnSignIn(tx, memberId))) return;
  throw new ApiError(
    "last_sign_in_way",
    isBound
      ? "Your organization requires its company sign-in, and this is your only link."
      : "This is your only way to sign in. Set a password or add a passkey first.",
  );
}

async function unlink(tx: Tx, of: LinkOf, { name }: LinkRow): Promise<AuditEntry> {
  const ended_sessions = await deleteLink(tx, of);
  const directory = { directory_id: of.directoryId, directory_name: name };
  return {
    event: "directory.unlinked",
    subject: { type: "member", id: of.memberId },
    workspaceId: null,
    before: directory,
    after: { ended_sessions },
  };
}
