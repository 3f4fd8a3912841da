import type { BrowserCall } from "#src/access/call.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { getMemberCaller } from "#src/domain/caller.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { assert } from "#src/lib/assert.ts";
import { headersOf } from "#src/people/identity/ask-auth.ts";
import { beginAttempt, refundAttempt, sessionAttempt } from "#src/people/identity/attempts.ts";
import { loadAuth, makeAuth } from "#src/people/identity/auth.ts";
import { BACKUP_CODES, ISSUER, provedByStepUp } from "#src/people/identity/auth-settings.ts";
import { callAuth } from "#src/people/identity/call-auth.ts";
import { siteOf } from "#src/people/identity/site.ts";
import { accountTransaction } from "./account-transaction.ts";
import { findPerson, lockPerson } from "./people.sql.ts";
import { refusalOf } from "./refusals.ts";
import { nowOf } from "./sign-in.ts";
import type { SignInDeps } from "./sign-in-deps.ts";
import { auditOfSelf } from "./signed-in.ts";
import { isTotpVerified } from "./two-factor.sql.ts";
import { consumeCode } from "./used-codes.sql.ts";

// Authenticator apps. The routes require step-up, which replaces better-auth's password question.

export interface NewTotp {
  secret: string;
  uri: string;
  backupCodes: string[];
}

/**
 * Creates a secret for an authenticator app. The secret takes effect when the first code is confirmed. Each call creates a new
 * secret.
 */
export function enableTotp(deps: SignInDeps, call: BrowserCall): Promise<NewTotp> {
  const member = getMemberCaller(call);
  return accountTransaction(deps, call, { isProved: true }, async (tx, auth) => {
    await lockPerson(tx, member.id);
    if (await isTotpVerified(tx, member.id)) throw alreadyEnabled();
    const asked = await callAuth(
      auth.api.enableTwoFactor({
        body: { password: provedByStepUp, method: "totp" },
        headers: headersOf(call.browser),
        returnHeaders: true,
      }),
    );
    if (asked.kind === "refused") throw refusalOf(asked.code);
    assert(asked.value.method === "totp", "an authenticator app was requested");
    const { totpURI, backupCodes } = asked.value;
    const secret = new URL(totpURI).searchParams.get("secret") ?? "";
    const person = await findPerson(tx, member.id);
    assert(person, "a caller is a member");
    // Adds the member's address, which better-auth does not know, as the app's label.
    const uri = totpURI.replace(
      /^(otpauth:\/\/totp\/)[^?]*/,
      (_, start: string) => `${start}${encodeURIComponent(`${ISSUER}:${person.email}`)}`,
    );
    const audit = auditOfSelf(member, "two_factor.prepared");
    return { result: { secret, uri, backupCodes }, audit };
  });
}

/** Confirms the authenticator app with its first code. From then on, each sign-in with a password requires a code. */
export async function confirmTotp(
  deps: SignInDeps,
  call: BrowserCall,
  code: string,
): Promise<void> {
  const { browser } = call;
  const member = getMemberCaller(call);
  const attempt = sessionAttempt("totp", member.sessionId);
  await beginAttempt(deps.database, deps.nowMs(), attempt);
  await accountTransaction(deps, call, {}, async (tx, auth) => {
    await lockPerson(tx, member.id);
    if (await isTotpVerified(tx, member.id)) throw alreadyEnabled();
    const asked = await callAuth(
      auth.api.verifyTOTP({ body: { code }, headers: headersOf(browser), returnHeaders: true }),
    );
    if (asked.kind === "refused") throw codeRefusalOf(asked.code);
    await consumeCode(tx, { memberId: member.id, code, now: nowOf(deps) });
    browser.setCookies(asked.cookies);
    return { result: undefined, audit: auditOfSelf(member, "two_factor.enabled") };
  });
  await refundAttempt(deps.database, attempt);
}

export function disableTotp(deps: SignInDeps, call: BrowserCall): Promise<void> {
  const { browser } = call;
  const member = getMemberCaller(call);
  return accountTransaction(deps, call, { isProved: true }, async (tx, auth) => {
    await lockPerson(tx, member.id);
    if (!(await isTotpVerified(tx, member.id))) throw notEnabled();
    const asked = await callAuth(
      auth.api.disableTwoFactor({
        body: { password: provedByStepUp },
        headers: headersOf(browser),
        returnHeaders: true,
      }),
    );
    if (asked.kind === "refused") throw refusalOf(asked.code);
    browser.setCookies(asked.cookies);
    return { result: undefined, audit: auditOfSelf(member, "two_factor.disabled") };
  });
}

/** Creates new backup codes and revokes the old ones. */
export function replaceBackupCodes(deps: SignInDeps, call: BrowserCall): Promise<string[]> {
  const { browser } = call;
  const member = getMemberCaller(call);
  return accountTransaction(deps, call, { isProved: true }, async (tx, auth) => {
    await lockPerson(tx, member.id);
    if (!(await isTotpVerified(tx, member.id))) throw notEnabled();
    const asked = await callAuth(
      auth.api.generateBackupCodes({
        body: { password: provedByStepUp },
        headers: headersOf(browser),
        returnHeaders: true,
      }),
    );
    if (asked.kind === "refused") throw refusalOf(asked.code);
    const audit = auditOfSelf(member, "two_factor.backup_codes_replaced", {
      after: { backup_codes: BACKUP_CODES },
    });
    return { result: asked.value.backupCodes, audit };
  });
}

/** Counts the member's unused backup codes. */
export async function countBackupCodes(deps: SignInDeps, call: BrowserCall): Promise<number> {
  await loadAuth();
  return inTransaction(deps.database, async (tx) => {
    const site = siteOf(deps.publicUrl());
    assert(site, "the server's own address is a site");
    const auth = await makeAuth(deps, { tx, site, origin: call.origin });
    const body = { userId: getMemberCaller(call).id };
    const asked = await callAuth(auth.api.viewBackupCodes({ body, returnHeaders: true }));
    return asked.kind === "done" ? asked.value.backupCodes.length : 0;
  });
}

function codeRefusalOf(code: string): ApiError {
  if (code === "INVALID_CODE") {
    return refuseField("code", "it is incorrect. Use the next one.");
  }
  if (code === "TOTP_NOT_ENABLED") {
    return new ApiError(
      "two_factor_conflict",
      "The set-up has not started. Start with POST /v1/admin/two_factor/totp.",
    );
  }
  return refusalOf(code);
}

function alreadyEnabled(): ApiError {
  return new ApiError(
    "two_factor_conflict",
    "An authenticator app is already in use. Remove it before you set up another one.",
  );
}

function notEnabled(): ApiError {
  return new ApiError("two_factor_conflict", "No authenticator app is in use.");
}
