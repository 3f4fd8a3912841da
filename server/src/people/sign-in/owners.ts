import type { Call } from "#src/access/call.ts";
import { auditedTransaction } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { loadAuth } from "#src/people/identity/auth.ts";
import {
  isCompanySignInOnly,
  needsCompanySignIn,
  saveRecovery,
} from "#src/people/identity/company-sign-in.sql.ts";
import { companySignInRequired } from "#src/people/identity/company-sign-in.ts";
import { endSessions } from "#src/people/identity/people.ts";
import { findMember } from "#src/people/leaving/members.sql.ts";
import { memberNotFound } from "#src/people/members/member-not-found.ts";
import { listOwners as listRows, type OwnerRow } from "./owners.sql.ts";
import { makeResetLink, resetLinkExpiry } from "./passwords.ts";
import { deletePendingSteps, lockPerson } from "./people.sql.ts";
import type { SetUpLink } from "./set-up.ts";
import type { SignInDeps } from "./sign-in-deps.ts";
import { deleteTwoFactor } from "./two-factor.sql.ts";

// Recovery by the operator, when a member cannot sign in. Without a mail server only the operator sees such links.

export function listOwners(deps: SignInDeps, { caller }: Call): Promise<OwnerRow[]> {
  return listRows(deps.database, caller.organizationId);
}

/**
 * Creates a one-time link that sets a new password of the owner, and revokes earlier links. With `removeTwoFactor`, the
 * authenticator app is removed too, and all sessions end at once. While a directory is required, the owner can use the
 * password for a day.
 */
export async function resetOwner(
  deps: SignInDeps,
  { caller, origin }: Call,
  input: { email: string; removeTwoFactor: boolean },
): Promise<SetUpLink> {
  await loadAuth();
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const owners = await listRows(tx, caller.organizationId);
    const owner = owners.find(({ email }) => email === input.email);
    if (!owner) {
      throw new ApiError(
        "resource_not_found",
        `No owner has the address ${input.email}. \`./bursar owners list\` shows all owners.`,
        {},
        { resource: "member" },
      );
    }
    if (owner.status !== "active") {
      throw new ApiError(
        "owner_cannot_sign_in",
        `${input.email} has been deactivated. Another owner can reactivate it.`,
      );
    }
    await lockPerson(tx, owner.id);
    await deletePendingSteps(tx, owner.id);
    const hadTwoFactor = input.removeTwoFactor && (await deleteTwoFactor(tx, owner.id));
    if (input.removeTwoFactor) await endSessions(tx, owner.id);
    const url = await makeResetLink(tx, deps, { memberId: owner.id, origin });
    if (url === null) {
      throw new ApiError(
        "owner_cannot_sign_in",
        `${input.email} has no sign-in. Invite the address again.`,
      );
    }
    const recoveryUntil = await startRecovery(tx, deps, caller.organizationId, owner.id);
    return {
      result: { url, expiresAt: resetLinkExpiry() },
      audit: {
        event: "owner.reset",
        subject: { type: "member", id: owner.id },
        workspaceId: null,
        before: null,
        after: {
          email: owner.email,
          removed_two_factor: hadTwoFactor,
          password_allowed_until: recoveryUntil?.toISOString() ?? null,
        },
      },
    };
  });
}

const RECOVERY_MS = 86_400_000;

/** Returns the time until which the owner can use a password. Null: the organization allows passwords. */
async function startRecovery(
  tx: Tx,
  deps: SignInDeps,
  organizationId: string,
  memberId: string,
): Promise<Date | null> {
  if (!(await isCompanySignInOnly(tx, organizationId))) return null;
  const expiresAt = new Date(deps.nowMs() + RECOVERY_MS);
  await saveRecovery(tx, { memberId, expiresAt });
  return expiresAt;
}

/**
 * Creates a one-time link that sets a new password of the member, and revokes earlier links. Throws a 404, a 409, and a 403
 * where members sign in through a directory only.
 */
export async function createResetLink(
  deps: SignInDeps,
  { caller, origin }: Call,
  memberId: string,
): Promise<SetUpLink> {
  const { organizationId } = caller;
  await loadAuth();
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const member = await findMember(tx, { organizationId, id: memberId });
    if (member === null || member.status === "removed") throw memberNotFound(memberId);
    if (await needsCompanySignIn(tx, { memberId, now: new Date(deps.nowMs()) })) {
      throw companySignInRequired(
        "Members sign in through a directory only. `./bursar owners reset` lets an owner in.",
      );
    }
    await lockPerson(tx, memberId);
    await deletePendingSteps(tx, memberId);
    const url =
      member.status === "active" ? await makeResetLink(tx, deps, { memberId, origin }) : null;
    if (url === null) {
      throw new ApiError(
        "member_cannot_sign_in",
        `${member.email} is deactivated or has no sign-in. Reactivate the member, or invite the address again.`,
      );
    }
    return {
      result: { url, expiresAt: resetLinkExpiry() },
      audit: {
        event: "password_reset.link_created",
        subject: { type: "member", id: memberId },
        workspaceId: null,
        before: null,
        after: { email: member.email },
      },
    };
  });
}
