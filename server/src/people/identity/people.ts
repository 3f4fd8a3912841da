import type { Tx } from "#src/db/pool.ts";
import type { Origin } from "#src/domain/caller.ts";
import { assert } from "#src/lib/assert.ts";
import { newId, type RandomBytes } from "#src/lib/ids.ts";
import { makeAuth } from "./auth.ts";
import type { AuthDeps } from "./auth-settings.ts";
import { callAuth } from "./call-auth.ts";
import { rememberDevice } from "./devices.ts";
import { deleteIdentity, deleteSessions, insertIdentity, insertUser } from "./people.sql.ts";
import type { Site } from "./site.ts";

/**
 * Creates the sign-in of a member whose row exists in the same transaction. Get `passwordHash` from `hashNewPassword`
 * before the transaction begins.
 */
export async function createPerson(
  tx: Tx,
  deps: { nowMs: () => number; randomBytes: RandomBytes },
  person: { memberId: string; passwordHash: string },
): Promise<void> {
  const accountId = newId("auth_", deps.nowMs(), deps.randomBytes);
  await insertIdentity(tx, { ...person, email: authEmailOf(person.memberId), accountId });
}

/** Creates the sign-in of a member without a password. A directory signs the member in. */
export async function createPersonWithoutPassword(tx: Tx, memberId: string): Promise<void> {
  await insertUser(tx, { memberId, email: authEmailOf(memberId) });
}

/**
 * better-auth's stand-in for the member's address. The real address may change, and better-auth may reject it. Null
 * gives an address that matches no user.
 */
export function authEmailOf(memberId: string | null): string {
  return `${Buffer.from(memberId ?? "").toString("hex")}x@member.invalid`;
}

/** Starts a session for a member created in the same transaction. Returns the cookies to set. */
export async function startSession(
  deps: AuthDeps,
  of: { tx: Tx; site: Site; origin: Origin; memberId: string },
): Promise<{ sessionId: string; cookies: string[] }> {
  const auth = await makeAuth(deps, of);
  const outcome = await callAuth(
    auth.api.startSession({ body: { userId: of.memberId }, returnHeaders: true }),
  );
  assert(outcome.kind === "done", "a new member can sign in");
  const { tx, site, memberId } = of;
  const device = await rememberDevice(tx, deps, { site, memberId, knownId: null });
  return { sessionId: outcome.value.sessionId, cookies: [...outcome.cookies, ...device] };
}

/** Ends all sessions of the member, or all but one. Returns the number. They are refused from the commit on. */
export function endSessions(
  tx: Tx,
  memberId: string,
  exceptSessionId: string | null = null,
): Promise<number> {
  return deleteSessions(tx, { memberId, exceptSessionId });
}

/** Deletes the member's password, passkeys, second factor and sessions. Keeps the member's row. */
export function removePerson(tx: Tx, memberId: string): Promise<void> {
  return deleteIdentity(tx, memberId);
}
