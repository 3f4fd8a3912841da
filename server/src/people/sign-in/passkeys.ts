import { isIP } from "node:net";
import type { passkeyAssertion, passkeyAttestation } from "@bursar/contract/admin/sign-in.ts";
import type { z } from "zod";
import type { BrowserCall, PublicCall } from "#src/access/call.ts";
import { auditedTransaction } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { getMemberCaller } from "#src/domain/caller.ts";
import { assert } from "#src/lib/assert.ts";
import { headersOf, sessionlessHeadersOf, siteOfChange } from "#src/people/identity/ask-auth.ts";
import { addressAttempt, passkeyChallengeAttempt } from "#src/people/identity/attempts.ts";
import { loadAuth, makeAuth } from "#src/people/identity/auth.ts";
import { callAuth } from "#src/people/identity/call-auth.ts";
import { findKnownDevice } from "#src/people/identity/devices.ts";
import type { Site } from "#src/people/identity/site.ts";
import { accountTransaction } from "./account-transaction.ts";
import { signInTransaction } from "./audit-member.ts";
import {
  deletePasskey,
  findPasskeyForUpdate,
  listPasskeys as listRows,
  type PasskeyRow,
  recordPasskeyUse,
  renamePasskey as renameRow,
} from "./passkeys.sql.ts";
import { findPerson, lockPerson } from "./people.sql.ts";
import { passkeyRefusalOf, refusalOf } from "./refusals.ts";
import { beginAttempts, completeSignIn, nowOf, refundAttempts, type SignedIn } from "./sign-in.ts";
import type { SignInDeps } from "./sign-in-deps.ts";
import { auditOfSelf } from "./signed-in.ts";

/** Response of an authenticator that signs in. */
export type Assertion = z.output<typeof passkeyAssertion>;
export type Attestation = z.output<typeof passkeyAttestation>;

const MAX_PASSKEYS = 20;

/** Challenge for the browser's authenticator. The challenge names no member, because the passkey identifies its owner. */
export async function getSignInPasskeyOptions(
  deps: SignInDeps,
  { browser, origin }: PublicCall,
): Promise<Record<string, unknown>> {
  const site = namedSiteOf(siteOfChange(browser));
  await beginAttempts(deps, [passkeyChallengeAttempt(origin.ipAddress)]);
  await loadAuth();
  return inTransaction(deps.database, async (tx) => {
    const auth = await makeAuth(deps, { tx, site, origin });
    const { headers, response } = await auth.api.generatePasskeyAuthenticationOptions({
      headers: sessionlessHeadersOf(browser),
      returnHeaders: true,
    });
    browser.setCookies(headers?.getSetCookie() ?? []);
    return { ...response, userVerification: "required" };
  });
}

/**
 * Signs in with a passkey, which is both factors. Passkeys cannot be guessed, so only the network address is limited.
 */
export async function signInWithPasskey(
  deps: SignInDeps,
  call: PublicCall,
  passkey: Assertion,
): Promise<SignedIn> {
  const { browser, origin } = call;
  const site = namedSiteOf(siteOfChange(browser));
  const attempts = [addressAttempt("passkey", origin.ipAddress)];
  await beginAttempts(deps, attempts);
  const outcome = await signInTransaction(deps, async (tx, note) => {
    const auth = await makeAuth(deps, { tx, site, origin });
    const asked = await callAuth(
      auth.api.verifyPasskeyAuthentication({
        body: { response: toAssertion(passkey) },
        headers: sessionlessHeadersOf(browser),
        returnHeaders: true,
      }),
    );
    if (asked.kind === "refused") return asked;
    await refundAttempts(tx, attempts);
    await recordPasskeyUse(tx, { credentialId: passkey.id, now: nowOf(deps) });
    const memberId = asked.value.user.id;
    const deviceId = await findKnownDevice(tx, deps, { browser, site, memberId });
    const { cookies } = asked;
    await completeSignIn({ tx, note }, deps, call, {
      site,
      deviceId,
      memberId,
      method: "passkey",
      cookies,
    });
    return asked;
  });
  if (outcome.kind === "refused") throw refusalOf(outcome.code);
  return { type: "signed_in" };
}

export function listPasskeys(deps: SignInDeps, call: BrowserCall): Promise<PasskeyRow[]> {
  return listRows(deps.database, getMemberCaller(call).id);
}

export async function getNewPasskeyOptions(
  deps: SignInDeps,
  call: BrowserCall,
): Promise<Record<string, unknown>> {
  const { browser, origin } = call;
  const site = namedSiteOf(siteOfChange(browser));
  await loadAuth();
  return inTransaction(deps.database, async (tx) => {
    const member = getMemberCaller(call);
    await checkRoom(tx, member.id);
    const person = await findPerson(tx, member.id);
    assert(person, "a caller is a member");
    const auth = await makeAuth(deps, { tx, site, origin });
    const { headers, response } = await auth.api.generatePasskeyRegistrationOptions({
      headers: headersOf(browser),
      returnHeaders: true,
    });
    browser.setCookies(headers?.getSetCookie() ?? []);
    // Labels that the authenticator shows with the passkey. better-auth does not know them.
    const user = { ...response.user, name: person.email, displayName: person.name };
    return { ...response, user };
  });
}

export function addPasskey(
  deps: SignInDeps,
  call: BrowserCall,
  input: { name: string; passkey: Attestation },
): Promise<PasskeyRow> {
  const { browser } = call;
  const member = getMemberCaller(call);
  const site = namedSiteOf(siteOfChange(browser));
  return accountTransaction(deps, call, { site }, async (tx, auth) => {
    await lockPerson(tx, member.id);
    await checkRoom(tx, member.id);
    const asked = await callAuth(
      auth.api.verifyPasskeyRegistration({
        body: { response: toAttestation(input.passkey), name: input.name },
        headers: headersOf(browser),
        returnHeaders: true,
      }),
    );
    if (asked.kind === "refused") throw passkeyRefusalOf(asked.code);
    const row = await findPasskeyForUpdate(tx, { memberId: member.id, id: asked.value.id });
    assert(row, "the passkey was just added");
    return { result: row, audit: auditOfPasskey(call, "passkey.added", null, row) };
  });
}

export function renamePasskey(
  deps: SignInDeps,
  call: BrowserCall,
  input: { id: string; name: string },
): Promise<PasskeyRow> {
  return auditedTransaction(deps, getMemberCaller(call), call.origin, async (tx) => {
    const before = await getPasskeyForUpdate(tx, call, input.id);
    const after = { ...before, name: input.name };
    if (before.name === input.name) return { result: after, audit: "unchanged" };
    await renameRow(tx, input);
    return { result: after, audit: auditOfPasskey(call, "passkey.renamed", before, after) };
  });
}

export function removePasskey(deps: SignInDeps, call: BrowserCall, id: string): Promise<void> {
  return auditedTransaction(deps, getMemberCaller(call), call.origin, async (tx) => {
    const before = await getPasskeyForUpdate(tx, call, id);
    await deletePasskey(tx, id);
    return { result: undefined, audit: auditOfPasskey(call, "passkey.removed", before, null) };
  });
}

/** Only verified fields. No extensions are requested. */
export function toAssertion({ id, rawId, type, response }: Assertion) {
  const { clientDataJSON, authenticatorData, signature } = response;
  const checked = { clientDataJSON, authenticatorData, signature };
  return { id, rawId, type, response: checked, clientExtensionResults: {} };
}

function toAttestation({ id, rawId, type, response }: Attestation) {
  const { clientDataJSON, attestationObject, transports = [] } = response;
  const checked = { clientDataJSON, attestationObject, transports };
  return { id, rawId, type, response: checked, clientExtensionResults: {} };
}

/** Browsers refuse passkeys where the host is a number instead of a name. */
function namedSiteOf(site: Site): Site {
  if (isIP(site.hostname.replace(/^\[|\]$/g, "")) === 0) return site;
  const { port } = new URL(site.origin);
  throw new ApiError(
    "passkeys_unavailable",
    `Passkeys require a host name, and ${site.hostname} is an address. Open http://localhost${port === "" ? "" : `:${port}`} instead.`,
  );
}

async function checkRoom(tx: Tx, memberId: string): Promise<void> {
  if ((await listRows(tx, memberId)).length < MAX_PASSKEYS) return;
  throw new ApiError(
    "too_many_passkeys",
    `You have ${MAX_PASSKEYS} passkeys, which is the maximum. Remove one that you do not use.`,
  );
}

async function getPasskeyForUpdate(tx: Tx, call: BrowserCall, id: string): Promise<PasskeyRow> {
  const row = await findPasskeyForUpdate(tx, { memberId: getMemberCaller(call).id, id });
  if (row === null)
    throw new ApiError("resource_not_found", "Passkey not found", {}, { resource: "passkey" });
  return row;
}

function auditOfPasskey(
  call: BrowserCall,
  event: `passkey.${string}`,
  before: PasskeyRow | null,
  after: PasskeyRow | null,
) {
  const id = (after ?? before)?.id ?? "";
  return auditOfSelf(getMemberCaller(call), event, {
    subject: { type: "passkey", id },
    before: before && { name: before.name },
    after: after && { name: after.name },
  });
}
