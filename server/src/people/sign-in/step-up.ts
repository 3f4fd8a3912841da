import type { BrowserCall } from "#src/access/call.ts";
import { sessionTokenHashes } from "#src/access/session-cookie.ts";
import { STEP_UP_LASTS_MS } from "#src/access/step-up.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { getMemberCaller } from "#src/domain/caller.ts";
import { refuseFields } from "#src/domain/refuse-field.ts";
import { moveDirectorySession } from "#src/people/directory/sign-in.sql.ts";
import { headersOf, siteOfChange } from "#src/people/identity/ask-auth.ts";
import { beginAttempt, refundAttempt, sessionAttempt } from "#src/people/identity/attempts.ts";
import { loadAuth, makeAuth } from "#src/people/identity/auth.ts";
import { callAuth } from "#src/people/identity/call-auth.ts";
import { checkPasswordAllowed } from "#src/people/identity/company-sign-in.ts";
import { provePassword } from "#src/people/identity/prove-password.ts";
import { accountTransaction } from "./account-transaction.ts";
import { recordPasskeyUse } from "./passkeys.sql.ts";
import { type Assertion, toAssertion } from "./passkeys.ts";
import { withFailureRecorded } from "./record-failure.ts";
import { refusalOf, wrongCurrentPassword } from "./refusals.ts";
import {
  copySessionStart,
  deleteSession,
  moveDeviceAuthorizations,
  setSteppedUp,
} from "./sessions.sql.ts";
import { getNewSessionId, nowOf } from "./sign-in.ts";
import type { SignInDeps } from "./sign-in-deps.ts";
import { auditOfSelf } from "./signed-in.ts";

/** Proves the member's identity again, with a password or a passkey. Returns the time until which the proof counts. */
export async function stepUp(
  deps: SignInDeps,
  call: BrowserCall,
  input: { password?: string | undefined; passkey?: Assertion | undefined },
): Promise<Date> {
  const { password, passkey } = input;
  if ((password === undefined) === (passkey === undefined)) {
    throw refuseFields("Send either password or passkey.", ["password", "passkey"]);
  }
  const attempt = sessionAttempt("password", getMemberCaller(call).sessionId);
  await beginAttempt(deps.database, deps.nowMs(), attempt);
  await withFailureRecorded(deps, getMemberCaller(call), call.origin, async () => {
    if (password !== undefined) {
      await stepUpWithPassword(deps, call, password);
    } else if (passkey !== undefined) {
      await stepUpWithPasskey(deps, call, passkey);
    }
  });
  await refundAttempt(deps.database, attempt);
  return new Date(nowOf(deps).getTime() + STEP_UP_LASTS_MS);
}

async function stepUpWithPassword(
  deps: SignInDeps,
  call: BrowserCall,
  password: string,
): Promise<void> {
  const member = getMemberCaller(call);
  await checkPasswordAllowed(deps, member.id);
  const proof = await provePassword(deps, { memberId: member.id, password, isKnown: true });
  return accountTransaction(deps, call, { proof }, async (tx, auth) => {
    const asked = await callAuth(
      auth.api.verifyPassword({
        body: { password },
        headers: headersOf(call.browser),
        returnHeaders: true,
      }),
    );
    if (asked.kind === "refused") {
      throw asked.code === "PASSWORD_TOO_LONG" ? wrongCurrentPassword() : refusalOf(asked.code);
    }
    await setSteppedUp(tx, { sessionId: member.sessionId, at: nowOf(deps) });
    return { result: undefined, audit: auditOfStepUp(call, member.sessionId, "password") };
  });
}

/** Signs in with the passkey. better-auth creates a new session for it, which replaces the current one. */
function stepUpWithPasskey(deps: SignInDeps, call: BrowserCall, passkey: Assertion): Promise<void> {
  const { browser } = call;
  const member = getMemberCaller(call);
  // The current session is valid, and the new one replaces it.
  return accountTransaction(deps, call, { isCompanySignIn: true }, async (tx, auth) => {
    const asked = await callAuth(
      auth.api.verifyPasskeyAuthentication({
        body: { response: toAssertion(passkey) },
        headers: headersOf(browser),
        returnHeaders: true,
      }),
    );
    if (asked.kind === "refused") throw refusalOf(asked.code);
    if (asked.value.user.id !== member.id) throw refusalOf("PASSKEY_NOT_FOUND");
    const newId = await getNewSessionId(tx, asked.cookies);
    await recordPasskeyUse(tx, { credentialId: passkey.id, now: nowOf(deps) });
    await copySessionStart(tx, { fromId: member.sessionId, toId: newId });
    await moveDirectorySession(tx, { fromId: member.sessionId, toId: newId });
    const tokenHashes = sessionTokenHashes(browser.cookies);
    await moveDeviceAuthorizations(tx, { memberId: member.id, tokenHashes, toId: newId });
    await deleteSession(tx, { memberId: member.id, sessionId: member.sessionId });
    browser.setCookies(asked.cookies);
    return { result: undefined, audit: auditOfStepUp(call, newId, "passkey") };
  });
}

/** Challenge for the browser's authenticator. */
export async function getStepUpPasskeyOptions(
  deps: SignInDeps,
  { browser, origin }: BrowserCall,
): Promise<Record<string, unknown>> {
  await loadAuth();
  return inTransaction(deps.database, async (tx) => {
    const auth = await makeAuth(deps, { tx, site: siteOfChange(browser), origin });
    const { headers, response } = await auth.api.generatePasskeyAuthenticationOptions({
      headers: headersOf(browser),
      returnHeaders: true,
    });
    browser.setCookies(headers?.getSetCookie() ?? []);
    return { ...response, userVerification: "required" };
  });
}

function auditOfStepUp(call: BrowserCall, sessionId: string, method: string) {
  const subject = { type: "session", id: sessionId } as const;
  return auditOfSelf(getMemberCaller(call), "session.stepped_up", { subject, after: { method } });
}
