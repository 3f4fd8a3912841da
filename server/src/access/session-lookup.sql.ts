import type { Database, Tx } from "#src/db/pool.ts";

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

/** Finds a session by the hash of its token, also an expired one, or null. */
export async function findSessionByToken(
  db: Database | Tx,
  tokenHash: string,
): Promise<FoundSession | null> {
  const row = await db
    .selectFrom("auth_session")
    .select(["id", "token", "user_id", "started_at", "last_used_at", "stepped_up_at", "mac"])
    .where("token", "=", tokenHash)
    .executeTakeFirst();
  return row ?? null;
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

/**
 * Finds the rules for the member's sessions, and the facts of one session. A second factor at the provider that started the
 * session counts too.
 */
export async function findSessionRules(
  db: Database | Tx,
  memberId: string,
  { sessionId, now }: { sessionId: string; now: Date },
): Promise<SessionRules> {
  const row = await db
    .selectFrom("member")
    .innerJoin("auth_user", "auth_user.id", "member.id")
    .leftJoin("security_settings as rules", "rules.organization_id", "member.organization_id")
    .select((eb) => [
      "rules.second_factor",
      "rules.session_hours",
      "rules.session_idle_hours",
      "rules.console_addresses",
      eb
        .or([
          eb("auth_user.two_factor_enabled", "=", true),
          eb.exists(
            eb
              .selectFrom("auth_passkey")
              .select("auth_passkey.id")
              .whereRef("auth_passkey.user_id", "=", "member.id"),
          ),
          eb.exists(
            eb
              .selectFrom("directory_session")
              .select("directory_session.session_id")
              .where("directory_session.session_id", "=", sessionId)
              .where("directory_session.has_second_factor", "=", true),
          ),
        ])
        .as("has_second_factor"),
      eb
        .and([
          eb("rules.company_sign_in_only", "=", true),
          eb.not(
            eb.exists(
              eb
                .selectFrom("directory_session")
                .select("directory_session.session_id")
                .where("directory_session.session_id", "=", sessionId),
            ),
          ),
          eb.not(
            eb.exists(
              eb
                .selectFrom("owner_recovery")
                .select("owner_recovery.member_id")
                .whereRef("owner_recovery.member_id", "=", "member.id")
                .where("owner_recovery.expires_at", ">", now)
                .where("member.role", "=", "owner"),
            ),
          ),
        ])
        .as("lacks_company_sign_in"),
    ])
    .where("member.id", "=", memberId)
    .executeTakeFirst();
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
  await db
    .updateTable("auth_session")
    .set({ last_used_at: now })
    .where("id", "=", of.sessionId)
    .where("last_used_at", "<", now)
    .execute();
  await db
    .updateTable("member")
    .set({ last_active_at: now })
    .where("id", "=", of.memberId)
    .execute();
}
