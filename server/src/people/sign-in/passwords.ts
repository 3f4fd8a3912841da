import type { BrowserCall, PublicCall } from "#src/access/call.ts";
import type { Tx } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { getMemberCaller, type Origin } from "#src/domain/caller.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { assert } from "#src/lib/assert.ts";
import { layoutMessage } from "#src/mail/layout.ts";
import { queueMail } from "#src/mail/queue-mail.ts";
import { headersOf, sessionlessHeadersOf, siteOfChange } from "#src/people/identity/ask-auth.ts";
import {
  addressAttempt,
  beginAttempt,
  refundAttempt,
  resetAttempt,
  sessionAttempt,
  tryAttempt,
} from "#src/people/identity/attempts.ts";
import { loadAuth, makeAuth } from "#src/people/identity/auth.ts";
import { RESET_SECONDS } from "#src/people/identity/auth-settings.ts";
import { callAuth } from "#src/people/identity/call-auth.ts";
import {
  isCompanySignInOnlyEverywhere,
  needsCompanySignIn,
} from "#src/people/identity/company-sign-in.sql.ts";
import {
  checkPasswordAllowed,
  companySignInRequired,
} from "#src/people/identity/company-sign-in.ts";
import { findKnownDevice, rememberDevice } from "#src/people/identity/devices.ts";
import { checkNewPassword, hashPassword } from "#src/people/identity/hash-password.ts";
import type { Person } from "#src/people/identity/password-rules.rule.ts";
import { authEmailOf } from "#src/people/identity/people.ts";
import { provePassword } from "#src/people/identity/prove-password.ts";
import { type Site, siteOf } from "#src/people/identity/site.ts";
import { findMinPasswordLength } from "#src/people/security-settings/max-key-lifetime.sql.ts";
import { accountTransaction } from "./account-transaction.ts";
import { signInTransaction } from "./audit-member.ts";
import {
  countSessions,
  deletePendingSteps,
  findPerson,
  findPersonByEmail,
  lockPerson,
  type PersonRow,
} from "./people.sql.ts";
import { withFailureRecorded } from "./record-failure.ts";
import { linkGone, refusalOf, wrongCurrentPassword } from "./refusals.ts";
import type { SignInDeps } from "./sign-in-deps.ts";
import { auditOfSelf } from "./signed-in.ts";

/** Sets a new password. All other sessions of the member end, and this one continues under a new cookie. */
export async function changePassword(
  deps: SignInDeps,
  call: BrowserCall,
  input: { current_password: string; new_password: string },
): Promise<number> {
  const { browser, origin } = call;
  const member = getMemberCaller(call);
  await checkPasswordAllowed(deps, member.id);
  const person = await findPerson(deps.database, member.id);
  assert(person, "a caller is a member");
  await checkNewPassword(input.new_password, await findPasswordOwner(deps, person));
  if (input.new_password === input.current_password) {
    throw refuseField("new_password", "it is your current password.");
  }
  const attempt = sessionAttempt("password", member.sessionId);
  await beginAttempt(deps.database, deps.nowMs(), attempt);
  const change = async () => {
    const password = input.current_password;
    const proof = await provePassword(deps, { memberId: member.id, password, isKnown: true });
    if (!proof.isCorrect) throw wrongCurrentPassword();
    const newPasswordHash = await hashPassword(deps, input.new_password, { isKnown: true });
    return accountTransaction(deps, call, { proof, newPasswordHash }, async (tx, auth) => {
      await lockPerson(tx, member.id);
      const before = await countSessions(tx, member.id);
      const asked = await callAuth(
        auth.api.changePassword({
          body: {
            currentPassword: input.current_password,
            newPassword: input.new_password,
            revokeOtherSessions: true,
          },
          headers: headersOf(browser),
          returnHeaders: true,
        }),
      );
      if (asked.kind === "refused") {
        throw asked.code === "PASSWORD_TOO_LONG" ? wrongCurrentPassword() : refusalOf(asked.code);
      }
      await deletePendingSteps(tx, member.id);
      browser.setCookies(asked.cookies);
      const endedSessions = before - 1;
      const after = { by: "the member", ended_sessions: endedSessions };
      return { result: endedSessions, audit: auditOfSelf(member, "password.changed", { after }) };
    });
  };
  const ended = await withFailureRecorded(deps, member, origin, change);
  await refundAttempt(deps.database, attempt);
  return ended;
}

/**
 * Sends a reset link to the owner of the address. All work happens after the response, which is the same for an unknown
 * address. Throws a 403 if each organization of the server requires its directory.
 */
export async function requestPasswordReset(
  deps: SignInDeps,
  { origin }: PublicCall,
  email: string,
): Promise<void> {
  const attempt = addressAttempt("reset_request", origin.ipAddress);
  await beginAttempt(deps.database, deps.nowMs(), attempt);
  if (await isCompanySignInOnlyEverywhere(deps.database)) throw companySignInRequired();
  deps.background.run(async () => {
    const person = await findPersonByEmail(deps.database, email);
    if (person === null || person.status !== "active") return;
    const of = { memberId: person.id, now: new Date(deps.nowMs()) };
    if (await needsCompanySignIn(deps.database, of)) return;
    if (!(await tryAttempt(deps.database, deps.nowMs(), resetAttempt(email)))) return;
    await signInTransaction(deps, async (tx, note) => {
      const url = await makeResetLink(tx, deps, { memberId: person.id, origin });
      if (url === null) return;
      const body = layoutMessage({
        title: "Set a new password",
        paragraphs: [
          `A new password was requested for ${email}. Set it with this link. The link works once and expires in an hour.`,
        ],
        action: { label: "Set a new password", url },
        notes: ["If you did not request this, ignore this message. Your password stays the same."],
      });
      await queueMail(tx, deps, {
        organizationId: person.organization_id,
        to: person.email,
        kind: "password_reset",
        subject: "Set a new password",
        isForOwner: person.role === "owner",
        aboutId: person.id,
        ...body,
      });
      await note({
        member: { id: person.id, organizationId: person.organization_id },
        origin,
        event: "password_reset.requested",
        byStranger: true,
      });
    });
  });
}

/** Creates a one-time reset link for the member. Null for a member without a sign-in. */
export async function makeResetLink(
  tx: Tx,
  deps: SignInDeps,
  { memberId, origin }: { memberId: string; origin: Origin },
): Promise<string | null> {
  const base = deps.publicUrl();
  const site = siteOf(base);
  assert(site, "the server's own address is a site");
  let token: string | null = null;
  const auth = await makeAuth(deps, {
    tx,
    site,
    origin,
    onResetToken: (made) => {
      token = made;
    },
  });
  await auth.api.requestPasswordReset({ body: { email: authEmailOf(memberId) } });
  return token && `${base}/reset#token=${token}`;
}

/** Expiry of a link that is created now. */
export function resetLinkExpiry(): Date {
  return new Date(Date.now() + RESET_SECONDS * 1000);
}

/** Sets a new password with the token of a one-time link. All sessions of the member end. */
export async function confirmPasswordReset(
  deps: SignInDeps,
  { browser, origin }: PublicCall,
  input: { token: string; password: string },
): Promise<void> {
  const site = siteOfChange(browser);
  const person = await findPersonOfReset(deps, { site, origin, token: input.token });
  if (person === null || person.status !== "active") {
    // A valid link has no allowance, because its token cannot be guessed and works once.
    const attempt = addressAttempt("reset_token", origin.ipAddress);
    await beginAttempt(deps.database, deps.nowMs(), attempt);
    throw linkGone();
  }
  await checkPasswordAllowed(deps, person.id);
  await checkNewPassword(input.password, await findPasswordOwner(deps, person));
  const memberId = person.id;
  const deviceId = await findKnownDevice(deps.database, deps, { browser, site, memberId });
  const newPasswordHash = await hashPassword(deps, input.password);
  await signInTransaction(deps, async (tx, note) => {
    await lockPerson(tx, memberId);
    const auth = await makeAuth(deps, { tx, site, origin, newPasswordHash });
    const asked = await callAuth(
      auth.api.resetPassword({
        body: { token: input.token, newPassword: input.password },
        headers: sessionlessHeadersOf(browser),
        returnHeaders: true,
      }),
    );
    if (asked.kind === "refused") throw refusalOf(asked.code);
    await deletePendingSteps(tx, memberId);
    // The link proves access to the member's mail. Failed attempts by strangers no longer slow this browser down.
    const cookies = await rememberDevice(tx, deps, { site, memberId, knownId: deviceId });
    browser.setCookies(cookies);
    await note({
      member: { id: memberId, organizationId: person.organization_id },
      origin,
      event: "password.changed",
      after: { by: "a link" },
    });
  });
}

async function findPasswordOwner(deps: SignInDeps, person: PersonRow): Promise<Person> {
  const { email, name, organization_name: organizationName } = person;
  const minLength = await findMinPasswordLength(deps.database, person.organization_id);
  return { email, name, organizationName, minLength };
}

async function findPersonOfReset(
  deps: SignInDeps,
  of: { site: Site; origin: Origin; token: string },
) {
  await loadAuth();
  return inTransaction(deps.database, async (tx) => {
    const auth = await makeAuth(deps, { tx, ...of });
    const { userId } = await auth.api.findPasswordReset({ body: { token: of.token } });
    return userId ? findPerson(tx, userId) : null;
  });
}
