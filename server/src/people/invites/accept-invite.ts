import { idPrefixes } from "@bursar/contract/ids.ts";
import type { PublicCall } from "#src/access/call.ts";
import { auditedTransaction } from "#src/audit/audited-transaction.ts";
import { isUniqueViolation } from "#src/db/database-error.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { MemberCaller } from "#src/domain/caller.ts";
import { newId } from "#src/lib/ids.ts";
import { hashSecret } from "#src/lib/secret-hash.ts";
import { withdrawMail } from "#src/mail/queue-mail.ts";
import { siteOfChange } from "#src/people/identity/ask-auth.ts";
import { addressAttempt, beginAttempt } from "#src/people/identity/attempts.ts";
import { loadAuth } from "#src/people/identity/auth.ts";
import type { AuthDeps } from "#src/people/identity/auth-settings.ts";
import { isCompanySignInOnly } from "#src/people/identity/company-sign-in.sql.ts";
import { checkOtherSignIns } from "#src/people/identity/company-sign-in.ts";
import { hashNewPassword } from "#src/people/identity/hash-password.ts";
import { createPerson, startSession } from "#src/people/identity/people.ts";
import { lockPeople } from "#src/people/leaving/people-lock.sql.ts";
import { findMinPasswordLength } from "#src/people/security-settings/max-key-lifetime.sql.ts";
import { inviteStatusOf } from "./invite-status.rule.ts";
import {
  findInviteByToken,
  type InviteWorkspaceRow,
  insertAssignedRoles,
  insertMember,
  updateInvite,
} from "./invites.sql.ts";
import { auditOf, type InviteDeps, type ShownInvite, showOne } from "./invites.ts";
import { joinInvitedGroups } from "./join-groups.ts";

export interface AcceptDeps extends InviteDeps, AuthDeps {
  sealingKey: Buffer;
}

export interface OfferedInvite extends ShownInvite {
  organizationName: string;
  /** The person joins by a sign-in through a directory. */
  isCompanySignInOnly: boolean;
}

/** Returns the offer of an invite link. Throws a 404 or a 400 with the reason if the link does not work. */
export async function lookUpInvite(
  deps: AcceptDeps,
  { origin }: PublicCall,
  token: string,
): Promise<OfferedInvite> {
  try {
    return await getOffer(deps.database, token, deps.nowMs());
  } catch (error) {
    // A valid link has no allowance, because its token cannot be guessed.
    if (error instanceof ApiError) {
      const attempt = addressAttempt("invite_token", origin.ipAddress);
      await beginAttempt(deps.database, deps.nowMs(), attempt);
    }
    throw error;
  }
}

/**
 * Creates the member with the invite's role, workspaces and groups and signs in, in one transaction. One of several concurrent
 * calls succeeds. Workspaces archived meanwhile are left out. Throws like `lookUpInvite`, a 400 for a password that is
 * easy to guess, and a 409 for an address in use.
 */
export async function acceptInvite(
  deps: AcceptDeps,
  { browser, origin }: PublicCall,
  input: { token: string; name: string; password: string },
): Promise<string> {
  const site = siteOfChange(browser);
  const offer = await lookUpInvite(deps, { browser, origin }, input.token);
  const { email, role, organization_id: organizationId } = offer.row;
  await checkOtherSignIns(deps.database, organizationId);
  const { name } = input;
  const minLength = await findMinPasswordLength(deps.database, organizationId);
  const person = { name, email, organizationName: offer.organizationName, minLength };
  const passwordHash = await hashNewPassword(input.password, person, deps.passwordCost);
  const nowMs = deps.nowMs();
  const createdAt = new Date(nowMs);
  const memberId = newId(idPrefixes.member, nowMs, deps.randomBytes);
  await loadAuth();
  const { cookies } = await withFreeAddress(() =>
    auditedTransaction(deps, callerOf(memberId, offer), origin, async (tx) => {
      await lockPeople(tx, organizationId);
      const { row: before, workspaces, groups } = await getOffer(tx, input.token, nowMs);
      await insertMember(tx, { id: memberId, organizationId, email, name, role, createdAt });
      await insertAssignedRoles(tx, memberId, workspaces.filter(isOpen));
      await createPerson(tx, deps, { memberId, passwordHash });
      const joined = await joinInvitedGroups(tx, deps, { organizationId, memberId, groups });
      const row = { ...before, accepted_at: createdAt, member_id: memberId, is_open: false };
      await updateInvite(tx, row);
      await withdrawMail(tx, row.id);
      const session = await startSession(deps, { tx, site, origin, memberId });
      const audit = auditOf("invite.accepted", before, { row, workspaces, groups }, nowMs);
      return {
        result: { cookies: session.cookies },
        audit: [{ ...audit, after: { ...audit.after, member_id: memberId, name } }, ...joined],
      };
    }),
  );
  browser.setCookies(cookies);
  return memberId;
}

const isOpen = (workspace: InviteWorkspaceRow) => !workspace.is_archived;

/** Caller of the change: the new member. */
function callerOf(id: string, { row }: OfferedInvite): MemberCaller {
  return {
    kind: "member",
    id,
    organizationId: row.organization_id,
    role: row.role,
    workspaceRoles: new Map(),
    sessionId: "",
    steppedUpAtMs: null,
  };
}

async function getOffer(db: Database | Tx, token: string, nowMs: number): Promise<OfferedInvite> {
  const found = await findInviteByToken(db, hashSecret(token));
  if (found === null) {
    throw new ApiError(
      "resource_not_found",
      "This invite link is invalid: it is incomplete, or a newer link has replaced it. Use the link of the newest message, or ask for a new invite.",
      {},
      { resource: "invite" },
    );
  }
  const { organization_name: organizationName, ...row } = found;
  switch (inviteStatusOf(row, nowMs)) {
    case "accepted":
      throw new ApiError(
        "invite_not_pending",
        "This invite was already accepted. Sign in with the password that was set then.",
        {},
        { resource_status: "accepted" },
      );
    case "revoked":
      throw new ApiError(
        "invite_not_pending",
        "This invite was revoked. Ask an Owner or Admin for a new one.",
        {},
        { resource_status: "revoked" },
      );
    case "expired":
      throw new ApiError(
        "invite_not_pending",
        `This invite expired at ${row.expires_at.toISOString()}. Ask an Owner or Admin for a new one.`,
        {},
        { resource_status: "expired" },
      );
    case "pending":
      return {
        ...(await showOne(db, row)),
        organizationName,
        isCompanySignInOnly: await isCompanySignInOnly(db, row.organization_id),
      };
  }
}

async function withFreeAddress<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!isUniqueViolation(error, "member_email")) throw error;
    throw new ApiError(
      "address_taken",
      "This address is already in use on this server. Members of another organization need a different address here.",
    );
  }
}
