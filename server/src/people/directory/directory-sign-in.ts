import type { PublicCall } from "#src/access/call.ts";
import { isUniqueViolation } from "#src/db/database-error.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Origin } from "#src/domain/caller.ts";
import { assert } from "#src/lib/assert.ts";
import type { GuardedClient } from "#src/lib/guarded-client.ts";
import { hashSecret } from "#src/lib/secret-hash.ts";
import { siteOfChange } from "#src/people/identity/ask-auth.ts";
import { addressAttempt, beginAttempt, refundAttempt } from "#src/people/identity/attempts.ts";
import { makeAuth } from "#src/people/identity/auth.ts";
import { callAuth } from "#src/people/identity/call-auth.ts";
import { findKnownDevice } from "#src/people/identity/devices.ts";
import { type Site, siteOf } from "#src/people/identity/site.ts";
import { type NoteEvent, signInTransaction } from "#src/people/sign-in/audit-member.ts";
import { refusalOf } from "#src/people/sign-in/refusals.ts";
import { setSteppedUp } from "#src/people/sign-in/sessions.sql.ts";
import { completeSignIn, getNewSessionId, type SignedIn } from "#src/people/sign-in/sign-in.ts";
import type { SignInDeps } from "#src/people/sign-in/sign-in-deps.ts";
import { admitPerson } from "./admit-person.ts";
import type { FlowOf } from "./code-flow.ts";
import type { DirectoryRow } from "./directories.sql.ts";
import { directoryNotFound } from "./directories.ts";
import { unsealClientSecret } from "./directory-secret.ts";
import { ProviderFault } from "./discover-provider.ts";
import { callbackPathOf } from "./issuer.rule.ts";
import {
  deriveValues,
  formatPendingCookie,
  isSameText,
  makePendingToken,
  PENDING_MS,
  readPendingToken,
} from "./pending-token.ts";
import type { PersonClaims } from "./person-claims.rule.ts";
import type { Providers } from "./providers.ts";
import { hasProviderSecondFactor } from "./second-factor.rule.ts";
import {
  deleteExpiredSignIns,
  findEnabledDirectory,
  hasAuthenticatorApp,
  insertBegun,
  insertDirectorySession,
  insertProved,
  takeBegun,
} from "./sign-in.sql.ts";

export interface DirectorySignInDeps extends SignInDeps {
  client: GuardedClient;
  providers: Providers;
}

/**
 * Begins a sign-in through the directory. Returns the address at the provider to which the browser goes. Throws a 404, a 403
 * at another address of the console, and a 503 if the provider fails.
 */
export async function beginDirectorySignIn(
  deps: DirectorySignInDeps,
  { browser, origin }: PublicCall,
  directoryId: string,
): Promise<string> {
  const site = requirePublicSite(deps, siteOfChange(browser));
  await beginAttempt(deps.database, deps.nowMs(), attemptOf(origin));
  const directory = await findEnabledDirectory(deps.database, directoryId);
  if (directory === null) throw directoryNotFound();
  const token = makePendingToken(deps.randomBytes);
  const { makeAuthorizationUrl } = await import("./code-flow.ts");
  const flow = await withFaultAsRefusal(() => makeFlow(deps, directory));
  const url = makeAuthorizationUrl(flow, deriveValues(token));
  await insertBegun(deps.database, {
    token_hash: hashSecret(token),
    directory_id: directory.id,
    expires_at: new Date(deps.nowMs() + PENDING_MS),
  });
  browser.setCookies([formatPendingCookie(site, token)]);
  return url;
}

/**
 * Completes a sign-in with the provider's response, up to a pending second factor. `response` is the query of the redirect. A
 * refused response changes nothing, except that its sign-in has ended.
 */
export async function completeDirectorySignIn(
  deps: DirectorySignInDeps,
  call: PublicCall,
  { directoryId, response }: { directoryId: string; response: string },
): Promise<SignedIn> {
  const site = requirePublicSite(deps, siteOfChange(call.browser));
  const token = readPendingToken(call.browser, site);
  if (token === null) throw refusalOf("INVALID_TWO_FACTOR_COOKIE");
  const derived = deriveValues(token);
  // A foreign response must not end the sign-in of this browser.
  if (!isSameText(new URLSearchParams(response).get("state") ?? "", derived.state)) {
    throw refuseResponse("The response does not belong to a sign-in of this browser.");
  }
  const directory = await findEnabledDirectory(deps.database, directoryId);
  if (directory === null) throw directoryNotFound();
  const tokenHash = hashSecret(token);
  const now = new Date(deps.nowMs());
  if (!(await takeBegun(deps.database, { tokenHash, directoryId, now }))) {
    throw refusalOf("INVALID_TWO_FACTOR_COOKIE");
  }
  const { redeemCode, FlowRefusal } = await import("./code-flow.ts");
  const claims = await withFaultAsRefusal(async () => {
    try {
      return await redeemCode(await makeFlow(deps, directory), derived, response);
    } catch (error) {
      throw error instanceof FlowRefusal ? refuseResponse(error.reason) : error;
    }
  });
  try {
    return await signInTransaction(deps, async (tx, note) => {
      const memberId = await admit({ tx, note }, deps, { claims, directoryId, call });
      return await startSession({ tx, note }, deps, call, {
        ...{ site, claims, directory, memberId, tokenHash },
      });
    });
  } catch (error) {
    if (error instanceof ApiError) recordRefusal(deps, directory, call.origin, error);
    throw error;
  }
}

/** Admits the person by the directory's settings at this moment. */
async function admit(
  { tx, note }: { tx: Tx; note: NoteEvent },
  deps: DirectorySignInDeps,
  of: { claims: PersonClaims; directoryId: string; call: PublicCall },
): Promise<string> {
  const directory = await findEnabledDirectory(tx, of.directoryId, true);
  if (directory === null) throw directoryNotFound();
  const { claims, call } = of;
  try {
    return await admitPerson({ tx, note }, deps, { directory, claims, origin: call.origin });
  } catch (error) {
    if (!isUniqueViolation(error, "member_email")) throw error;
    throw new ApiError("address_taken", "This address is already in use on this server.");
  }
}

interface Arrival {
  site: Site;
  claims: PersonClaims;
  directory: DirectoryRow;
  memberId: string;
  tokenHash: Buffer;
}

async function startSession(
  { tx, note }: { tx: Tx; note: NoteEvent },
  deps: DirectorySignInDeps,
  call: PublicCall,
  { site, claims, directory, memberId, tokenHash }: Arrival,
): Promise<SignedIn> {
  const { browser, origin } = call;
  const facts = {
    directory_id: directory.id,
    subject: claims.subject,
    provider_session: claims.providerSession,
  };
  const hasSecondFactor = hasProviderSecondFactor(directory.second_factor, claims);
  const auth = await makeAuth(deps, { tx, site, origin });
  const request = { body: { userId: memberId }, returnHeaders: true as const };
  await refundAttempt(tx, attemptOf(origin));
  if (!hasSecondFactor && (await hasAuthenticatorApp(tx, memberId))) {
    const expires_at = new Date(deps.nowMs() + PENDING_MS);
    await insertProved(tx, { ...facts, token_hash: tokenHash, member_id: memberId, expires_at });
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
  await insertDirectorySession(tx, {
    ...facts,
    session_id: sessionId,
    has_second_factor: hasSecondFactor,
  });
  // A provider can answer without asking the person. Its time of the last proof then decides about step-up.
  if (claims.authenticatedAtMs !== null) {
    const at = new Date(Math.min(claims.authenticatedAtMs, deps.nowMs()));
    await setSteppedUp(tx, { sessionId, at });
  }
  browser.setCookies([formatPendingCookie(site, null)]);
  deps.background.run(() => deleteExpiredSignIns(deps.database, new Date(deps.nowMs())));
  return { type: "signed_in" };
}

async function makeFlow(deps: DirectorySignInDeps, directory: DirectoryRow): Promise<FlowOf> {
  assert(directory.client_id !== null, "an enabled directory has a client id");
  return {
    provider: await deps.providers.get(directory.issuer),
    client: deps.client,
    clientId: directory.client_id,
    clientSecret: unsealClientSecret(deps.sealingKey, directory),
    redirectUri: deps.publicUrl() + callbackPathOf(directory.id),
    nowMs: deps.nowMs(),
  };
}

async function withFaultAsRefusal<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ProviderFault)) throw error;
    throw new ApiError("directory_unavailable", `The provider failed. ${error.reason}`);
  }
}

/** The provider redirects to the public address only, and the browser's cookie belongs to one address. */
function requirePublicSite(deps: DirectorySignInDeps, site: Site): Site {
  const address = deps.publicUrl();
  if (siteOf(address)?.origin === site.origin) return site;
  throw new ApiError(
    "foreign_origin",
    `Open the console at ${address} to sign in through a directory.`,
  );
}

/** Records that the directory does not admit a person whom its provider has identified. */
function recordRefusal(
  deps: DirectorySignInDeps,
  { id, organization_id: organizationId }: DirectoryRow,
  origin: Origin,
  { code }: ApiError,
): void {
  deps.background.run(() =>
    signInTransaction(deps, (_, note) =>
      note({
        member: { id: "", organizationId },
        origin,
        event: "directory.sign_in_refused",
        subject: { type: "directory", id },
        after: { error_code: code },
        byStranger: true,
      }),
    ),
  );
}

function refuseResponse(reason: string): ApiError {
  return new ApiError("directory_sign_in_failed", reason);
}

function attemptOf({ ipAddress }: Origin) {
  return addressAttempt("directory", ipAddress);
}
