import type { PublicCall } from "#src/access/call.ts";
import { findActiveMember } from "#src/access/member-lookup.sql.ts";
import { sessionTokenHashes } from "#src/access/session-cookie.ts";
import { findSessionByToken } from "#src/access/session-lookup.sql.ts";
import { SESSION_IDLE_MS, SESSION_MS } from "#src/access/sessions.ts";
import type { Tx } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { assert } from "#src/lib/assert.ts";
import { attachDirectory, lockDirectorySignIn } from "#src/people/directory/directory-session.ts";
import { sessionlessHeadersOf, siteOfChange } from "#src/people/identity/ask-auth.ts";
import {
  type Attempt,
  accountAtAddressAttempt,
  accountAttempt,
  addressAttempt,
  beginAttempt,
  deleteOldAttempts,
  deviceAttempt,
  refundAttempt,
  secondFactorAttempt,
} from "#src/people/identity/attempts.ts";
import { type Auth, loadAuth, makeAuth } from "#src/people/identity/auth.ts";
import { callAuth } from "#src/people/identity/call-auth.ts";
import { deleteOldest } from "#src/people/identity/delete-oldest.sql.ts";
import { findKnownDevice, rememberDevice } from "#src/people/identity/devices.ts";
import { hashPassword } from "#src/people/identity/hash-password.ts";
import { authEmailOf } from "#src/people/identity/people.ts";
import { provePassword } from "#src/people/identity/prove-password.ts";
import type { Site } from "#src/people/identity/site.ts";
import { type NoteEvent, signInTransaction } from "./audit-member.ts";
import { formatDevice } from "./format-device.rule.ts";
import { deleteExpired, findPersonByEmail, replacePasswordHash } from "./people.sql.ts";
import { recordFailure } from "./record-failure.ts";
import { refusalOf, wrongCode } from "./refusals.ts";
import { moveDeviceAuthorizations } from "./sessions.sql.ts";
import type { SignInDeps } from "./sign-in-deps.ts";
import { consumeCode } from "./used-codes.sql.ts";

export type SignedIn = { type: "signed_in" | "two_factor_required" };
type Method = "password" | "totp" | "backup_code" | "passkey" | "directory";

const MAX_SESSIONS = 50;

/**
 * Signs in with a password, up to a pending second factor. Unknown addresses and wrong passwords have the same cost and
 * answer.
 */
export async function signIn(
  deps: SignInDeps,
  call: PublicCall,
  input: { email: string; password: string },
): Promise<SignedIn> {
  const { browser, origin } = call;
  const site = siteOfChange(browser);
  const { email, password } = input;
  const deviceId = await findKnownDevice(deps.database, deps, { browser, site, email });
  const attempts =
    deviceId === null
      ? [
          accountAtAddressAttempt(email, origin.ipAddress),
          accountAttempt(email),
          addressAttempt("sign_in", origin.ipAddress),
        ]
      : [deviceAttempt(deviceId)];
  await beginAttempts(deps, attempts);
  const person = await findPersonByEmail(deps.database, email);
  const isKnown = deviceId !== null;
  const proof = await provePassword(deps, { memberId: person?.id ?? null, password, isKnown });
  const outcome = await signInTransaction(deps, async (tx, note) => {
    const auth = await makeAuth(deps, { tx, site, origin, proof });
    const asked = await callAuth(
      auth.api.signInEmail({
        body: { email: authEmailOf(person?.id ?? null), password },
        headers: sessionlessHeadersOf(browser),
        returnHeaders: true,
      }),
    );
    if (asked.kind === "refused") return asked;
    await refundAttempts(tx, attempts);
    // The types lack the response of the two-factor plugin.
    if ("twoFactorRedirect" in asked.value) {
      browser.setCookies(asked.cookies);
      return { ...asked, value: { type: "two_factor_required" as const } };
    }
    await completeSignIn({ tx, note }, deps, call, {
      site,
      deviceId,
      method: "password",
      memberId: asked.value.user.id,
      cookies: asked.cookies,
    });
    return { ...asked, value: { type: "signed_in" as const } };
  });
  if (outcome.kind === "done") {
    if (proof.isOutdated && proof.hash !== null) replaceHash(deps, proof.hash, password);
    return outcome.value;
  }
  // Runs after the response, because an unknown address has no failure to record and would respond sooner.
  if (person !== null) deps.background.run(() => recordFailure(deps, person, origin));
  throw refusalOf(outcome.code);
}

/** Hashes a correct password again, with the current parameters, after the response. */
function replaceHash(deps: SignInDeps, before: string, password: string): void {
  deps.background.run(async () => {
    const after = await hashPassword(deps, password);
    await replacePasswordHash(deps.database, { before, after });
  });
}

/** Completes a sign-in whose second factor is pending. */
export async function signInWithTwoFactor(
  deps: SignInDeps,
  call: PublicCall,
  input: { method: "totp" | "backup_code"; code: string },
): Promise<SignedIn> {
  const { browser, origin } = call;
  const site = siteOfChange(browser);
  const headers = sessionlessHeadersOf(browser);
  await loadAuth();
  const pendingId = await inTransaction(deps.database, async (tx) => {
    const auth = await makeAuth(deps, { tx, site, origin });
    return (await auth.api.findPendingSignIn({ headers })).userId;
  });
  if (!pendingId) throw refusalOf("INVALID_TWO_FACTOR_COOKIE");
  const memberId: string = pendingId;
  const deviceId = await findKnownDevice(deps.database, deps, { browser, site, memberId });
  const attempts = [secondFactorAttempt(memberId, deviceId)];
  await beginAttempts(deps, attempts);
  const outcome = await signInTransaction(deps, async (tx, note) => {
    const of = { site, memberId, now: nowOf(deps) };
    const isCompanySignIn = await lockDirectorySignIn(tx, call, of);
    const auth = await makeAuth(deps, { tx, site, origin, isCompanySignIn });
    const asked = await callAuth(verifyCode(auth, input, headers));
    if (asked.kind === "refused") return asked;
    assert(asked.value.user.id === memberId, "the code belongs to the pending sign-in");
    if (
      input.method === "totp" &&
      !(await consumeCode(tx, { ...input, memberId, now: nowOf(deps) }))
    ) {
      throw wrongCode(); // the sign-in stays pending
    }
    await refundAttempts(tx, attempts);
    const { cookies } = asked;
    await completeSignIn({ tx, note }, deps, call, {
      site,
      deviceId,
      method: input.method,
      memberId,
      cookies,
    });
    return asked;
  });
  if (outcome.kind === "done") return { type: "signed_in" };
  const member = await findActiveMember(deps.database, memberId);
  if (member !== null && outcome.code.includes("CODE")) await recordFailure(deps, member, origin);
  throw refusalOf(outcome.code);
}

function verifyCode(
  auth: Auth,
  { method, code }: { method: "totp" | "backup_code"; code: string },
  headers: Headers,
) {
  const request = { body: { code }, headers, returnHeaders: true as const };
  return method === "totp" ? auth.api.verifyTOTP(request) : auth.api.verifyBackupCode(request);
}

interface Arrival {
  site: Site;
  memberId: string;
  method: Method;
  /** The known device of the browser, or null. */
  deviceId: string | null;
  /** Cookies that better-auth sets, with the session's among them. */
  cookies: readonly string[];
}

/** Registers all data of a new session, in the transaction that created it. */
export async function completeSignIn(
  { tx, note }: { tx: Tx; note: NoteEvent },
  deps: SignInDeps,
  call: PublicCall,
  arrival: Arrival,
): Promise<void> {
  const { browser, origin } = call;
  const { site, memberId, method, deviceId, cookies } = arrival;
  const member = await findActiveMember(tx, memberId);
  assert(member, "only active members get a session");
  const device = await rememberDevice(tx, deps, { site, memberId, knownId: deviceId });
  const sessionId = await getNewSessionId(tx, cookies);
  // A step-up at a directory is a new sign-in. The code of Claude Code that the browser has opened stays open in it.
  const tokenHashes = sessionTokenHashes(browser.cookies);
  await moveDeviceAuthorizations(tx, { memberId, tokenHashes, toId: sessionId });
  await deleteOldest(tx, "auth_session", { memberId, keep: MAX_SESSIONS });
  if (method === "totp" || method === "backup_code") {
    const of = { site, memberId, sessionId, now: nowOf(deps) };
    await attachDirectory({ tx, note }, deps, call, of);
  }
  await note({
    member,
    origin,
    event: "session.started",
    subject: { type: "session", id: sessionId },
    after: { method, device: formatDevice(origin.userAgent) },
  });
  browser.setCookies([...cookies, ...device]);
  deps.background.run(() => forgetExpired(deps));
}

/** Returns the id of the new session whose cookie these lines set. */
export async function getNewSessionId(tx: Tx, cookies: readonly string[]): Promise<string> {
  const header = cookies.map((line) => line.split(";", 1)[0] ?? "").join("; ");
  const [hash] = sessionTokenHashes(header);
  const session = hash === undefined ? null : await findSessionByToken(tx, hash);
  assert(session, "the cookie belongs to the new session");
  return session.id;
}

async function forgetExpired(deps: SignInDeps): Promise<void> {
  const nowMs = deps.nowMs();
  await deleteOldAttempts(deps.database, nowMs);
  await deleteExpired(deps.database, {
    now: new Date(nowMs),
    startedAt: new Date(nowMs - SESSION_MS),
    lastUsedAt: new Date(nowMs - SESSION_IDLE_MS),
  });
}

export async function beginAttempts(deps: SignInDeps, attempts: readonly Attempt[]): Promise<void> {
  for (const attempt of attempts) await beginAttempt(deps.database, deps.nowMs(), attempt);
}

export async function refundAttempts(tx: Tx, attempts: readonly Attempt[]): Promise<void> {
  for (const attempt of attempts) await refundAttempt(tx, attempt);
}

export function nowOf(deps: { nowMs: () => number }): Date {
  return new Date(deps.nowMs());
}
