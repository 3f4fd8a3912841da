import { CompiledQuery, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { prepareOnce } from "#src/db/prepared.ts";

// Both lookups run with each call of a member. Planning takes longer than running, so each connection prepares them.

export interface FoundSession {
  id: string;
  /** Hash of the token. */
  token: string;
  user_id: string;
  started_at: Date;
  last_used_at: Date;
  stepped_up_at: Date | null;
  /** Signature. `findSessionByToken` does not check it. */
  mac: Uint8Array | null;
}

const FIND_SESSION = prepareOnce(
  "find_session",
  `SELECT id, token, user_id, started_at, last_used_at, stepped_up_at, mac
  FROM auth_session WHERE token = $1`,
);

/** Finds a session by the hash of its token, also an expired one, or null. */
export async function findSessionByToken(
  db: Database | Tx,
  tokenHash: string,
): Promise<FoundSession | null> {
  const { rows } = await db.executeQuery<FoundSession>(
    CompiledQuery.raw(FIND_SESSION, [tokenHash]),
  );
  return rows[0] ?? null;
}

/** Rules of the organization for the sessions of its members. */
export interface SessionRules {
  secondFactor: "off" | "admins" | "all";
  /** Maximum lifetime. Null: the default. */
  sessionHours: number | null;
  /** Maximum idle time. Null: the default. */
  idleHours: number | null;
  /** Null: all addresses. */
  consoleAddresses: string[] | null;
  hasSecondFactor: boolean;
  /** The organization requires a session of a directory, and this one is none. An owner in recovery is exempt. */
  lacksCompanySignIn: boolean;
}

interface RulesRow {
  second_factor: SessionRules["secondFactor"] | null;
  session_hours: number | null;
  session_idle_hours: number | null;
  console_addresses: string[] | null;
  has_second_factor: boolean | null;
  lacks_company_sign_in: boolean | null;
}

const FIND_RULES = prepareOnce(
  "find_session_rules",
  `SELECT rules.second_factor, rules.session_hours, rules.session_idle_hours, rules.console_addresses,
    auth_user.two_factor_enabled = true
      OR EXISTS (SELECT FROM auth_passkey WHERE auth_passkey.user_id = member.id)
      OR EXISTS (
        SELECT FROM directory_session AS own WHERE own.session_id = $2 AND own.has_second_factor = true
      ) AS has_second_factor,
    rules.company_sign_in_only = true
      AND NOT EXISTS (SELECT FROM directory_session AS own WHERE own.session_id = $2)
      AND NOT EXISTS (
        SELECT FROM owner_recovery AS recovery
        WHERE recovery.member_id = member.id AND recovery.expires_at > $3 AND member.role = 'owner'
      ) AS lacks_company_sign_in
  FROM member
  JOIN auth_user ON auth_user.id = member.id
  LEFT JOIN security_settings AS rules ON rules.organization_id = member.organization_id
  WHERE member.id = $1`,
);

/**
 * Finds the rules for the member's sessions, and the facts of one session. A second factor at the provider that started the
 * session counts too.
 */
export async function findSessionRules(
  db: Database | Tx,
  memberId: string,
  { sessionId, now }: { sessionId: string; now: Date },
): Promise<SessionRules> {
  const { rows } = await db.executeQuery<RulesRow>(
    CompiledQuery.raw(FIND_RULES, [memberId, sessionId, now]),
  );
  const [row] = rows;
  return {
    secondFactor: row?.second_factor ?? "off",
    sessionHours: row?.session_hours ?? null,
    idleHours: row?.session_idle_hours ?? null,
    consoleAddresses: row?.console_addresses ?? null,
    hasSecondFactor: Boolean(row?.has_second_factor),
    lacksCompanySignIn: Boolean(row?.lacks_company_sign_in),
  };
}

/** Records the time of use of a session and its member. */
export async function recordSessionUse(
  db: Database | Tx,
  of: { sessionId: string; memberId: string; nowMs: number },
): Promise<void> {
  const now = new Date(of.nowMs);
  await sql`UPDATE auth_session SET last_used_at = ${now}
    WHERE id = ${of.sessionId} AND last_used_at < ${now}`.execute(db);
  await sql`UPDATE member SET last_active_at = ${now} WHERE id = ${of.memberId}`.execute(db);
}
