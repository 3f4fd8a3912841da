import type { Tx } from "#src/db/pool.ts";
import type { Origin } from "#src/domain/caller.ts";
import { assert } from "#src/lib/assert.ts";
import { newId, type RandomBytes } from "#src/lib/ids.ts";
import { makeAuth } from "./auth.ts";
import type { AuthDeps } from "./auth-settings.ts";
import { callAuth } from "./call-auth.ts";
import { rememberDevice } from "./devices.ts";
import { deleteIdentity, deleteSessions, insertIdentity } from "./people.sql.ts";
import type { Site } from "./site.ts";

/**
 * Lets the member sign in from now on. Its row is there already, in the same transaction. `passwordHash` comes from
 * `hashNewPassword`, which is called before the transaction.
 */
export async function createPerson(
  tx: Tx,
  deps: { nowMs: () => number; randomBytes: RandomBytes },
  person: { memberId: string; passwordHash: string },
): Promise<void> {
  const accountId = newId("auth_", deps.nowMs(), deps.randomBytes);
  await insertIdentity(tx, { ...person, email: authEmailOf(person.memberId), accountId });
}

/**
 * What better-auth knows the member by, in place of its address: that may change, and may be one that better-auth takes
 * for none. Null stands for nobody, and finds nobody.
 */
export function authEmailOf(memberId: string | null): string {
  return `${Buffer.from(memberId ?? "").toString("hex")}x@member.invalid`;
}

/** Begins a session of somebody who was just made, in the same transaction; gives the cookies to be set. */
export async function startSession(
  deps: AuthDeps,
  of: { tx: Tx; site: Site; origin: Origin; memberId: string },
): Promise<{ sessionId: string; cookies: string[] }> {
  const auth = await makeAuth(deps, of);
  const outcome = await callAuth(
    auth.api.startSession({ body: { userId: of.memberId }, returnHeaders: true }),
  );
  assert(outcome.kind === "done", "somebody who was just made can sign in");
  const { tx, site, memberId } = of;
  const device = await rememberDevice(tx, deps, { site, memberId, knownId: null });
  return { sessionId: outcome.value.sessionId, cookies: [...outcome.cookies, ...device] };
}

/** Ends the member's sessions, all of them or all but one; gives how many. From the commit on none is let in. */
export function endSessions(
  tx: Tx,
  memberId: string,
  exceptSessionId: string | null = null,
): Promise<number> {
  return deleteSessions(tx, { memberId, exceptSessionId });
}

/** Forgets how the member signs in: password, passkeys, second factor, sessions. The member's row stays. */
export function removePerson(tx: Tx, memberId: string): Promise<void> {
  return deleteIdentity(tx, memberId);
}
