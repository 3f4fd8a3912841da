import type { OrganizationRole } from "@bursar/contract/permissions.ts";
import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";

export interface OpenSession {
  id: string;
  /** Address at the sign-in. Null: unknown. */
  ip_address: string | null;
  started_at: Date;
  last_used_at: Date;
  is_of_directory: boolean;
}

/** Lists sessions of active members that began and were used after these times. */
export async function listSessionsOfOrganization(
  db: Database | Tx,
  of: { organizationId: string; startedAfter: Date; usedAfter: Date },
): Promise<OpenSession[]> {
  const { rows } = await sql<OpenSession>`
    SELECT session.id, session.ip_address, session.started_at, session.last_used_at,
      EXISTS (SELECT FROM directory_session AS own WHERE own.session_id = session.id) AS is_of_directory
    FROM member JOIN auth_session AS session ON session.user_id = member.id
    WHERE member.organization_id = ${of.organizationId} AND member.status = 'active'
      AND session.started_at > ${of.startedAfter} AND session.last_used_at > ${of.usedAfter}`.execute(
    db,
  );
  return rows;
}

export interface ActiveMember {
  role: OrganizationRole;
  /** An own one, or one that a directory confirmed for a session. */
  has_second_factor: boolean;
  /** Linked to an enabled directory. */
  has_directory: boolean;
}

/** Lists active members with their ways to sign in. */
export async function listActiveMembers(
  db: Database | Tx,
  organizationId: string,
): Promise<ActiveMember[]> {
  const { rows } = await sql<ActiveMember>`
    SELECT member.role,
      person.two_factor_enabled
        OR EXISTS (SELECT FROM auth_passkey WHERE auth_passkey.user_id = member.id)
        OR EXISTS (
          SELECT FROM auth_session AS session JOIN directory_session AS own ON own.session_id = session.id
          WHERE session.user_id = member.id AND own.has_second_factor
        ) AS has_second_factor,
      EXISTS (
        SELECT FROM directory_identity AS link JOIN directory ON directory.id = link.directory_id
        WHERE link.member_id = member.id AND directory.is_enabled
      ) AS has_directory
    FROM member JOIN auth_user AS person ON person.id = member.id
    WHERE member.organization_id = ${organizationId} AND member.status = 'active'`.execute(db);
  return rows;
}
