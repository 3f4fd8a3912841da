import type { PublicCall } from "#src/access/call.ts";
import { isUniqueViolation } from "#src/db/database-error.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Origin } from "#src/domain/caller.ts";
import { assert } from "#src/lib/assert.ts";
import { hashSecret } from "#src/lib/secret-hash.ts";
import { beginAttempt, refundAttempt } from "#src/people/identity/attempts.ts";
import { type NoteEvent, signInTransaction } from "#src/people/sign-in/audit-member.ts";
import { refusalOf } from "#src/people/sign-in/refusals.ts";
import type { SignedIn } from "#src/people/sign-in/sign-in.ts";
import { type Admitted, admitPerson } from "./admit-person.ts";
import type { FlowOf, IdentifiedPerson } from "./code-flow.ts";
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
import { hasProviderSecondFactor } from "./second-factor.rule.ts";
import { findEnabledDirectory, insertBegun, type ProvedRow, takeBegun } from "./sign-in.sql.ts";
import {
  attemptOf,
  type DirectorySignInDeps,
  requirePublicSite,
  startDirectorySession,
  waitFor,
} from "./start-directory-session.ts";

/**
 * Begins a sign-in through the directory. Returns the address at the provider to which the browser goes. Throws a 404, a 403
 * at another address of the console, and a 503 if the provider fails.
 */
export async function beginDirectorySignIn(
  deps: DirectorySignInDeps,
  { browser, origin }: PublicCall,
  { directoryId, isAgain }: { directoryId: string; isAgain: boolean },
): Promise<string> {
  const site = requirePublicSite(deps, { browser, origin });
  await beginAttempt(deps.database, deps.nowMs(), attemptOf(origin));
  const directory = await findEnabledDirectory(deps.database, directoryId);
  if (directory === null) throw directoryNotFound();
  const token = makePendingToken(deps.randomBytes);
  const { makeAuthorizationUrl } = await import("./code-flow.ts");
  const flow = await withFaultAsRefusal(() => makeFlow(deps, directory));
  const url = makeAuthorizationUrl(flow, deriveValues(token), isAgain);
  await insertBegun(deps.database, {
    token_hash: hashSecret(token),
    directory_id: directory.id,
    expires_at: new Date(deps.nowMs() + PENDING_MS),
  });
  browser.setCookies([formatPendingCookie(site, token)]);
  return url;
}

/**
 * Completes a sign-in with the provider's response, up to a pending second factor or link. `response` is the query of the redirect. A
 * refused response changes nothing, except that its sign-in has ended.
 */
export async function completeDirectorySignIn(
  deps: DirectorySignInDeps,
  call: PublicCall,
  { directoryId, response }: { directoryId: string; response: string },
): Promise<SignedIn | { type: "link_required" }> {
  const site = requirePublicSite(deps, call);
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
      const admitted = await admit({ tx, note }, deps, { claims, directoryId, call });
      const arrival = { site, tokenHash, proved: toProved(directory, claims, admitted.memberId) };
      if (admitted.kind === "member") {
        return await startDirectorySession({ tx, note }, deps, call, arrival);
      }
      await refundAttempt(tx, attemptOf(call.origin));
      await waitFor(tx, deps, "linking", arrival);
      return { type: "link_required" as const };
    });
  } catch (error) {
    if (error instanceof ApiError) recordRefusal(deps, directory, call.origin, error);
    throw error;
  }
}

function toProved(
  { id, second_factor }: DirectoryRow,
  claims: IdentifiedPerson,
  memberId: string,
): ProvedRow {
  const { subject, providerSession, authenticatedAtMs, mapped } = claims;
  return {
    directory_id: id,
    member_id: memberId,
    subject,
    provider_session: providerSession,
    has_second_factor: hasProviderSecondFactor(second_factor, claims),
    authenticated_at: authenticatedAtMs === null ? null : new Date(authenticatedAtMs),
    claimed_roles: mapped.roles,
    claimed_groups: mapped.groups,
  };
}

/** Admits the person by the directory's settings at this moment. */
async function admit(
  { tx, note }: { tx: Tx; note: NoteEvent },
  deps: DirectorySignInDeps,
  of: { claims: IdentifiedPerson; directoryId: string; call: PublicCall },
): Promise<Admitted> {
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

async function makeFlow(deps: DirectorySignInDeps, directory: DirectoryRow): Promise<FlowOf> {
  assert(directory.client_id !== null, "an enabled directory has a client id");
  return {
    provider: await deps.providers.get(directory.issuer),
    client: deps.client,
    clientId: directory.client_id,
    clientSecret: unsealClientSecret(deps.sealingKey, directory),
    redirectUri: deps.publicUrl() + callbackPathOf(directory.id),
    mapping: directory,
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
