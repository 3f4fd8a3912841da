import { sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";
import type { ActorType } from "./increase-requests.sql.ts";

/** Lists active members with one of the roles in the organization or the workspace, oldest first. */
export async function findApproverAddresses(
  tx: Tx,
  of: {
    organizationId: string;
    organizationRoles: readonly string[];
    workspaceId: string | null;
    workspaceRoles: readonly string[];
    limit: number;
  },
): Promise<{ id: string; email: string }[]> {
  const { rows } = await sql<{ id: string; email: string }>`
    SELECT m.id, m.email FROM member m
    WHERE m.organization_id = ${of.organizationId}::uuid AND m.status = 'active'
      AND (m.role = ANY(${[...of.organizationRoles]}::text[]) OR EXISTS (SELECT FROM given_workspace_role w
        WHERE w.member_id = m.id AND w.workspace_id = ${of.workspaceId}
          AND w.role = ANY(${[...of.workspaceRoles]}::text[])))
    ORDER BY m.created_at, m.id LIMIT ${of.limit}`.execute(tx);
  return rows;
}

/** Finds the requester's address: the member, or the key's owner. Null: no active member. */
export async function findRequesterAddress(
  tx: Tx,
  requester: { type: ActorType; id: string },
): Promise<{ memberId: string; email: string } | null> {
  const { rows } = await sql<{ memberId: string; email: string }>`
    SELECT m.id AS "memberId", m.email FROM member m
    WHERE m.status = 'active' AND m.id = CASE ${requester.type}::text
      WHEN 'member' THEN ${requester.id}
      WHEN 'api_key' THEN (SELECT k.owner_member_id FROM api_key k WHERE k.id = ${requester.id}) END`.execute(
    tx,
  );
  return rows[0] ?? null;
}
