import type { PublicCall } from "#src/access/call.ts";
import type { Tx } from "#src/db/pool.ts";
import { hashSecret } from "#src/lib/secret-hash.ts";
import type { Site } from "#src/people/identity/site.ts";
import { lockPeople } from "#src/people/leaving/people-lock.sql.ts";
import type { NoteEvent } from "#src/people/sign-in/audit-member.ts";
import { applyClaims } from "./apply-claims.ts";
import { formatPendingCookie, readPendingToken } from "./pending-token.ts";
import { findOrganizationOfProved, insertDirectorySession, takeProved } from "./sign-in.sql.ts";

/**
 * Locks the organization's people for a sign-in that a directory began, before its other rows. Returns whether one is
 * pending.
 */
export async function lockDirectorySignIn(
  tx: Tx,
  { browser }: PublicCall,
  of: { site: Site; memberId: string; now: Date },
): Promise<boolean> {
  const token = readPendingToken(browser, of.site);
  if (token === null) return false;
  const pending = await findOrganizationOfProved(tx, { ...of, tokenHash: hashSecret(token) });
  if (pending === null) return false;
  await lockPeople(tx, pending);
  return true;
}

/**
 * Records that a directory began the sign-in that a code has completed. Does nothing for other sign-ins. The member used a
 * second factor of this server, so the provider vouches for none. Applies the claims. The caller has called
 * `lockDirectorySignIn`.
 */
export async function attachDirectory(
  { tx, note }: { tx: Tx; note: NoteEvent },
  deps: { nowMs: () => number; randomBytes: (size: number) => Uint8Array },
  { browser, origin }: PublicCall,
  of: { site: Site; memberId: string; sessionId: string; now: Date },
): Promise<void> {
  const token = readPendingToken(browser, of.site);
  if (token === null) return;
  const proved = await takeProved(tx, { ...of, tokenHash: hashSecret(token) });
  if (proved === null) return;
  const { directory_id, subject, provider_session } = proved;
  await insertDirectorySession(tx, {
    ...{ session_id: of.sessionId, directory_id, subject, provider_session },
    has_second_factor: false,
  });
  await applyClaims({ tx, note }, deps, origin, proved);
  browser.setCookies([formatPendingCookie(of.site, null)]);
}
