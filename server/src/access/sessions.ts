import type { Database } from "#src/db/pool.ts";
import type { MemberCaller } from "#src/domain/caller.ts";
import type { RowSigner } from "#src/signed-rows/row-signer.ts";
import { findSignedMember } from "./member-lookup.sql.ts";
import { sessionTokenHashes } from "./session-cookie.ts";
import { findSessionByToken, recordSessionUse } from "./session-lookup.sql.ts";

/** Finds signed-in members. */
export interface Sessions {
  /**
   * Returns the member of the session in the `Cookie` header, with current roles. Null without a session, after its
   * end, and for a member who is not active.
   */
  find(cookieHeader: string): Promise<MemberCaller | null>;
}

/** Maximum lifetime of a session. */
export const SESSION_MS = 30 * 86_400_000;
/** Maximum idle time of a session. */
export const SESSION_IDLE_MS = 7 * 86_400_000;
/** Minimum time between two records of use. */
const NOTE_USE_EVERY_MS = 60_000;

interface SessionTimes {
  started_at: Date;
  last_used_at: Date;
}

/** End of an idle session, milliseconds since the epoch. */
export function sessionEndsAtMs({ started_at, last_used_at }: SessionTimes): number {
  return Math.min(started_at.getTime() + SESSION_MS, last_used_at.getTime() + SESSION_IDLE_MS);
}

/**
 * Finds sessions by the hash of the cookie's token. Every request reads session, member and roles again, so changes
 * apply from their commit on.
 */
export function makeSessions(deps: {
  database: Database;
  rows: RowSigner;
  nowMs: () => number;
}): Sessions {
  return {
    find: async (cookieHeader) => {
      for (const hash of sessionTokenHashes(cookieHeader)) {
        const nowMs = deps.nowMs();
        const session = await findSessionByToken(deps.database, hash);
        if (session === null || nowMs >= sessionEndsAtMs(session)) continue;
        if (!deps.rows.isUsable("auth_session", session, session.mac)) continue;
        const member = await findSignedMember(deps.database, deps.rows, session.user_id);
        if (member === null) continue;
        if (nowMs - session.last_used_at.getTime() >= NOTE_USE_EVERY_MS) {
          await recordSessionUse(deps.database, {
            sessionId: session.id,
            memberId: member.id,
            nowMs,
          });
        }
        return {
          kind: "member",
          ...member,
          sessionId: session.id,
          steppedUpAtMs: session.stepped_up_at?.getTime() ?? null,
        };
      }
      return null;
    },
  };
}
