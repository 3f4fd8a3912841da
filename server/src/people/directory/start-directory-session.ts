import type { PublicCall } from "#src/access/call.ts";
import type { Sessions } from "#src/access/sessions.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Origin } from "#src/domain/caller.ts";
import { assert } from "#src/lib/assert.ts";
import type { GuardedClient } from "#src/lib/guarded-client.ts";
import { siteOfChange } from "#src/people/identity/ask-auth.ts";
import { type Attempt, addressAttempt, refundAttempt } from "#src/people/identity/attempts.ts";
import { makeAuth } from "#src/people/identity/auth.ts";
import { callAuth } from "#src/people/identity/call-auth.ts";
import { findKnownDevice } from "#src/people/identity/devices.ts";
import { type Site, siteOf } from "#src/people/identity/site.ts";
import type { NoteEvent } from "#src/people/sign-in/audit-member.ts";
import { setSteppedUp } from "#src/people/sign-in/sessions.sql.ts";
import { completeSignIn, getNewSessionId, type SignedIn } from "#src/people/sign-in/sign-in.ts";
import type { SignInDeps } from "#src/people/sign-in/sign-in-deps.ts";
import { applyClaims } from "./apply-claims.ts";
import { formatPendingCookie, PENDING_MS } from "./pending-token.ts";
import type { Providers } from "./providers.ts";
import {
  deleteExpiredSignIns,
  hasAuthenticatorApp,
  insertDirectorySession,
  insertPending,
  type ProvedRow,
} from "./sign-in.sql.ts";

export interface DirectorySignInDeps extends SignInDeps {
  client: GuardedClient;
  providers: Providers;
  sessions: Sessions;
}

export interface Arrival {
  site: Site;
  /** Hash of the token in the browser's cookie. */
  tokenHash: Buffer;
  proved: ProvedRow;
}

/**
 * Starts a session of the member whom a provider has identified, and applies the claims. Asks for the member's own second
 * factor first. The caller has locked the organization's people.
 */
export async function startDirectorySession(
  { tx, note }: { tx: Tx; note: NoteEvent },
  deps: DirectorySignInDeps,
  call: PublicCall,
  arrival: Arrival,
): Promise<SignedIn> {
  const { browser, origin } = call;
  const { site, proved } = arrival;
  const { member_id: memberId, has_second_factor, authenticated_at } = proved;
  const auth = await makeAuth(deps, { tx, site, origin, isCompanySignIn: true });
  const request = { body: { userId: memberId }, returnHeaders: true as const };
  await refundAttempt(tx, attemptOf(origin));
  if (!has_second_factor && (await hasAuthenticatorApp(tx, memberId))) {
    await waitFor(tx, deps, "proved", arrival);
    const asked = await callAuth(auth.api.startSecondFactor(request));
    assert(asked.kind === "done", "a second factor can be asked for");
    browser.setCookies(asked.cookies);
    return { type: "two_factor_required" };
  }
  const started = await callAuth(auth.api.startSession(request));
  assert(started.kind === "done", "an active member can sign in");
  const deviceId = await findKnownDevice(tx, deps, { browser, site, memberId });
  const { cookies } = started;
  await completeSignIn({ tx, note }, deps, call, {
    ...{ site, memberId, deviceId, cookies, method: "directory" },
  });
  const sessionId = await getNewSessionId(tx, cookies);
  const { directory_id, subject, provider_session } = proved;
  await insertDirectorySession(tx, {
    ...{ session_id: sessionId, directory_id, subject, provider_session, has_second_factor },
  });
  await applyClaims({ tx, note }, deps, origin, proved);
  // A provider can answer without asking the person. Its time of the last proof then decides about step-up.
  if (authenticated_at !== null) {
    const at = new Date(Math.min(authenticated_at.getTime(), deps.nowMs()));
    await setSteppedUp(tx, { sessionId, at });
  }
  browser.setCookies([formatPendingCookie(site, null)]);
  deps.background.run(() => deleteExpiredSignIns(deps.database, new Date(deps.nowMs())));
  return { type: "signed_in" };
}

/** Keeps what the provider has proved, until the browser completes its next step. */
export async function waitFor(
  tx: Tx,
  deps: DirectorySignInDeps,
  step: "proved" | "linking",
  { proved, tokenHash }: Arrival,
): Promise<void> {
  const expires_at = new Date(deps.nowMs() + PENDING_MS);
  await insertPending(tx, { ...proved, step, token_hash: tokenHash, expires_at });
}

/**
 * Returns the site of the request. Throws a 403 at another address of the console: the provider redirects to the public
 * address only, and the browser's cookie belongs to one address.
 */
export function requirePublicSite(deps: DirectorySignInDeps, { browser }: PublicCall): Site {
  const site = siteOfChange(browser);
  const address = deps.publicUrl();
  if (siteOf(address)?.origin === site.origin) return site;
  throw new ApiError(
    "foreign_origin",
    `Open the console at ${address} to sign in through a directory.`,
  );
}

/** Attempts of one network address at directories. */
export function attemptOf({ ipAddress }: Origin): Attempt {
  return addressAttempt("directory", ipAddress);
}
