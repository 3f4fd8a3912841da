import type { OrganizationRole } from "@bursar/contract/permissions.ts";
import type { Database } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { MemberCaller } from "#src/domain/caller.ts";
import { compileRanges, isInRanges } from "#src/key-lookup/address-ranges.ts";
import type { RowSigner } from "#src/signed-rows/row-signer.ts";
import { findSignedMember } from "./member-lookup.sql.ts";
import { sessionTokenHashes } from "./session-cookie.ts";
import {
  findSessionByToken,
  findSessionRules,
  recordSessionUse,
  type SessionRules,
} from "./session-lookup.sql.ts";

/** Finds signed-in members. */
export interface Sessions {
  /**
   * Returns the member of the session in the `Cookie` header, with current roles. Null without a session, after its
   * end, and for a member who is not active. Throws a 403 if the organization's sessions do not work from the address.
   */
  find(cookieHeader: string, address: () => string | null): Promise<MemberCaller | null>;
}

/** Maximum lifetime of a session. */
export const SESSION_MS = 30 * 86_400_000;
/** Maximum idle time of a session. */
export const SESSION_IDLE_MS = 7 * 86_400_000;
const HOUR_MS = 3_600_000;
/** Minimum time between two records of use. */
const NOTE_USE_EVERY_MS = 60_000;

interface SessionTimes {
  started_at: Date;
  last_used_at: Date;
}

/** Lengths of a session in milliseconds. */
export interface SessionLengths {
  longestMs: number;
  idleMs: number;
}

/** Applies the rules of the organization, which can only shorten sessions. */
export function sessionLengthsOf(
  rules: Pick<SessionRules, "sessionHours" | "idleHours">,
): SessionLengths {
  const { sessionHours, idleHours } = rules;
  return {
    longestMs: sessionHours === null ? SESSION_MS : Math.min(SESSION_MS, sessionHours * HOUR_MS),
    idleMs: idleHours === null ? SESSION_IDLE_MS : Math.min(SESSION_IDLE_MS, idleHours * HOUR_MS),
  };
}

/** End of an idle session, milliseconds since the epoch. */
export function sessionEndsAtMs(
  { started_at, last_used_at }: SessionTimes,
  { longestMs, idleMs }: SessionLengths,
): number {
  return Math.min(started_at.getTime() + longestMs, last_used_at.getTime() + idleMs);
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
    find: async (cookieHeader, address) => {
      for (const hash of sessionTokenHashes(cookieHeader)) {
        const nowMs = deps.nowMs();
        const session = await findSessionByToken(deps.database, hash);
        if (session === null) continue;
        if (!deps.rows.isUsable("auth_session", session, session.mac)) continue;
        const of = { sessionId: session.id, now: new Date(nowMs) };
        const rules = await findSessionRules(deps.database, session.user_id, of);
        if (rules.lacksCompanySignIn) continue;
        if (nowMs >= sessionEndsAtMs(session, sessionLengthsOf(rules))) continue;
        const member = await findSignedMember(deps.database, deps.rows, session.user_id);
        if (member === null) continue;
        checkConsoleAddress(rules.consoleAddresses, address);
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
          ...(isSecondFactorMissing(rules, member.role) && { isSecondFactorMissing: true }),
          steppedUpAtMs: session.stepped_up_at?.getTime() ?? null,
        };
      }
      return null;
    },
  };
}

/** True if the rule requires a second factor that the member does not have. */
export function isSecondFactorMissing(
  rules: Pick<SessionRules, "secondFactor" | "hasSecondFactor">,
  role: OrganizationRole,
): boolean {
  if (rules.hasSecondFactor || rules.secondFactor === "off") return false;
  return rules.secondFactor === "all" || role === "owner" || role === "admin";
}

function checkConsoleAddress(allowed: string[] | null, address: () => string | null): void {
  if (allowed === null || isInRanges(compileRanges(allowed), address())) return;
  throw new ApiError(
    "address_not_allowed",
    `The console cannot be used from ${address() ?? "an unknown address"}. An Owner or Admin can change the ` +
      "console addresses, or the operator with `./bursar security-settings update`.",
  );
}
