import { idPrefixes } from "@bursar/contract/ids.ts";
import type { Call, PublicCall } from "#src/access/call.ts";
import { type AuditDeps, auditedTransaction } from "#src/audit/audited-transaction.ts";
import { isUniqueViolation } from "#src/db/database-error.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { newId } from "#src/lib/ids.ts";
import { hashSecret } from "#src/lib/secret-hash.ts";
import { siteOfChange } from "#src/people/identity/ask-auth.ts";
import { addressAttempt, beginAttempt } from "#src/people/identity/attempts.ts";
import { hashNewPassword } from "#src/people/identity/hash-password.ts";
import { createPerson, startSession } from "#src/people/identity/people.ts";
import { findMinPasswordLength } from "#src/people/security-settings/max-key-lifetime.sql.ts";
import { type NoteEvent, signInTransaction } from "./audit-member.ts";
import {
  deleteSetUpLinks,
  findSetUpLink,
  hasOwner,
  insertOwner,
  insertSetUpLink,
  lockOrganization,
  renameOrganization,
} from "./set-up.sql.ts";
import { nowOf } from "./sign-in.ts";
import type { SignInDeps } from "./sign-in-deps.ts";

// First owner. The operator gets a set-up link on the terminal. Once there is an owner, set-up links stay invalid for
// ever.

const LASTS_MS = 3_600_000;
const TOKEN_BYTES = 32;

/** Returns whether the organization never had an owner. */
export async function isSetUpOpen(database: Database, organizationId: string): Promise<boolean> {
  return !(await hasOwner(database, organizationId));
}

export interface SetUpLink {
  url: string;
  expiresAt: Date;
}

/** Creates a set-up link for the operator. Throws a 409 once there is an owner. Earlier links stay valid. */
export function createSetUpLink(deps: SignInDeps, { caller, origin }: Call): Promise<SetUpLink> {
  const { organizationId } = caller;
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const link = await makeSetUpLink({ ...deps, database: tx }, organizationId);
    if (link === null) throw makeSetUpClosedError();
    const expiresAt = link.expiresAt.toISOString();
    return {
      result: link,
      audit: {
        event: "set_up_link.created",
        subject: { type: "organization", id: organizationId },
        workspaceId: null,
        before: null,
        after: { expires_at: expiresAt },
      },
    };
  });
}

/** Creates a set-up link at server start, without an audit event. Null once there is an owner. */
export async function makeSetUpLink(
  deps: Pick<AuditDeps, "nowMs" | "randomBytes"> & {
    database: Database;
    publicUrl: () => string;
  },
  organizationId: string,
): Promise<SetUpLink | null> {
  if (await hasOwner(deps.database, organizationId)) return null;
  const now = nowOf(deps);
  const expiresAt = new Date(now.getTime() + LASTS_MS);
  const token = Buffer.from(deps.randomBytes(TOKEN_BYTES)).toString("base64url");
  await deleteSetUpLinks(deps.database, { organizationId, expiredBefore: now });
  await insertSetUpLink(deps.database, {
    token_hash: hashSecret(token),
    organization_id: organizationId,
    created_at: now,
    expires_at: expiresAt,
  });
  // In the fragment, which browsers never send, so that no log contains the token.
  return { url: `${deps.publicUrl()}/setup#token=${token}`, expiresAt };
}

export interface NewOwner {
  token: string;
  name: string;
  email: string;
  password: string;
  organization_name?: string | undefined;
}

/** Creates the owner and signs in. One of several concurrent calls succeeds. */
export async function setUp(
  deps: SignInDeps,
  { browser, origin }: PublicCall,
  input: NewOwner,
): Promise<string> {
  const site = siteOfChange(browser);
  const tokenHash = hashSecret(input.token);
  // Checks the link before any other work, so that requests without one learn nothing and cost little.
  const link = await findSetUpLink(deps.database, { tokenHash, now: nowOf(deps) });
  if (link === null) {
    // A valid link has no allowance, because its token cannot be guessed and works once.
    const attempt = addressAttempt("set_up_token", origin.ipAddress);
    await beginAttempt(deps.database, deps.nowMs(), attempt);
    throw setUpLinkGone();
  }
  const minLength = await findMinPasswordLength(deps.database, link.organizationId);
  const person = { ...input, organizationName: input.organization_name ?? "", minLength };
  const passwordHash = await hashNewPassword(input.password, person, deps.passwordCost);
  const memberId = newId(idPrefixes.member, deps.nowMs(), deps.randomBytes);
  const cookies: string[] = [];
  const make = async (tx: Tx, note: NoteEvent): Promise<void> => {
    const organization = await lockOrganization(tx, link.organizationId);
    if (await hasOwner(tx, organization.id)) throw makeSetUpClosedError();
    if ((await findSetUpLink(tx, { tokenHash, now: nowOf(deps) })) === null) throw setUpLinkGone();
    const { name, email } = input;
    const member = { id: memberId, organizationId: organization.id, email, name };
    await insertOwner(tx, { ...member, createdAt: nowOf(deps) });
    await createPerson(tx, deps, { memberId, passwordHash });
    const organizationName = input.organization_name ?? organization.name;
    await renameOrganization(tx, { id: organization.id, name: organizationName });
    await deleteSetUpLinks(tx, { organizationId: organization.id, expiredBefore: null });
    const session = await startSession(deps, { tx, site, origin, memberId });
    cookies.push(...session.cookies);
    await note({
      member,
      origin,
      event: "organization.set_up",
      subject: { type: "organization", id: organization.id },
      after: { name: organizationName, owner: { id: memberId, email, name } },
      affectsKeys: true,
    });
  };
  await signInTransaction(deps, make).catch((error: unknown) => {
    if (!isUniqueViolation(error, "member_email")) throw error;
    throw refuseField("email", "the address is already in use.", "address_taken");
  });
  browser.setCookies(cookies);
  return memberId;
}

function makeSetUpClosedError(): ApiError {
  return new ApiError(
    "set_up_completed",
    "The organization already has an owner. Sign in, or use `./bursar owners reset` to restore an owner's access.",
  );
}

function setUpLinkGone(): ApiError {
  return refuseField(
    "token",
    "the link was already used or has expired. Run `./bursar setup-link` on the server's machine to create another one.",
    "link_invalid",
  );
}
