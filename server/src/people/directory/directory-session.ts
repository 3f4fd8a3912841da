import type { PublicCall } from "#src/access/call.ts";
import type { Tx } from "#src/db/pool.ts";
import { hashSecret } from "#src/lib/secret-hash.ts";
import type { Site } from "#src/people/identity/site.ts";
import { formatPendingCookie, readPendingToken } from "./pending-token.ts";
import { insertDirectorySession, takeProved } from "./sign-in.sql.ts";

/**
 * Records that a directory began the sign-in that a code has completed. Does nothing for other sign-ins. The member used a
 * second factor of this server, so the provider vouches for none.
 */
export async function attachDirectory(
  tx: Tx,
  { browser }: PublicCall,
  of: { site: Site; memberId: string; sessionId: string; now: Date },
): Promise<void> {
  const token = readPendingToken(browser, of.site);
  if (token === null) return;
  const proved = await takeProved(tx, { ...of, tokenHash: hashSecret(token) });
  if (proved === null) return;
  await insertDirectorySession(tx, {
    ...proved,
    session_id: of.sessionId,
    has_second_factor: false,
  });
  browser.setCookies([formatPendingCookie(of.site, null)]);
}
