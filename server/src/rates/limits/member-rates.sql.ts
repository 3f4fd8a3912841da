import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import type { MemberRate } from "./member-rates.rule.ts";

// Default rates of groups, and those that apply to each member. `member_default_rate` has one row for each member, model
// group, kind and rank.

interface Members {
  organizationId: string;
  memberIds: readonly string[];
}

/** Lists the defaults of all groups of the members, one for each model group, kind, rank and group. */
export async function listGroupRates(
  tx: Tx,
  { organizationId, memberIds }: Members,
): Promise<MemberRate[]> {
  const { rows } = await sql<MemberRate>`
    SELECT held.member_id AS "memberId", value.model_group AS "modelGroup", each.kind, value.rank,
      held.group_id AS "groupId", each.per_minute AS "perMinute"
    FROM rate_limit_value AS value JOIN group_member AS held ON held.group_id = value.scope_id
    CROSS JOIN LATERAL (VALUES ('requests', value.requests_per_minute), ('input_tokens', value.input_tokens_per_minute),
      ('output_tokens', value.output_tokens_per_minute)) AS each (kind, per_minute)
    WHERE value.organization_id = ${organizationId}::uuid AND value.scope_type = 'group_member'
      AND held.member_id = ANY(${[...memberIds]}::text[]) AND each.per_minute IS NOT NULL`.execute(
    tx,
  );
  return rows;
}

/** Lists the members of all groups with a default rate. */
export async function listMembersWithRates(tx: Tx, organizationId: string): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    SELECT DISTINCT held.member_id AS id
    FROM rate_limit_value AS value JOIN group_member AS held ON held.group_id = value.scope_id
    WHERE value.organization_id = ${organizationId}::uuid AND value.scope_type = 'group_member'
    ORDER BY id`.execute(tx);
  return rows.map(({ id }) => id);
}

/** Lists the defaults that apply to the members. */
export async function listMemberRates(
  db: Database | Tx,
  { organizationId, memberIds }: Members,
): Promise<MemberRate[]> {
  const { rows } = await sql<MemberRate>`
    SELECT member_id AS "memberId", model_group AS "modelGroup", kind, rank, group_id AS "groupId", per_minute AS "perMinute"
    FROM member_default_rate
    WHERE organization_id = ${organizationId}::uuid AND member_id = ANY(${[...memberIds]}::text[])`.execute(
    db,
  );
  return rows;
}

/** Replaces the defaults that apply to the members, with two statements for any number of them. */
export async function replaceMemberRates(
  tx: Tx,
  { organizationId, memberIds }: Members,
  rates: readonly MemberRate[],
): Promise<void> {
  await sql`DELETE FROM member_default_rate
    WHERE organization_id = ${organizationId}::uuid AND member_id = ANY(${[...memberIds]}::text[])`.execute(
    tx,
  );
  if (rates.length === 0) return;
  await sql`
    INSERT INTO member_default_rate (organization_id, member_id, model_group, kind, rank, group_id, per_minute)
    SELECT ${organizationId}::uuid, * FROM unnest(${rates.map(({ memberId }) => memberId)}::text[],
      ${rates.map(({ modelGroup }) => modelGroup)}::text[], ${rates.map(({ kind }) => kind)}::text[],
      ${rates.map(({ rank }) => rank)}::text[], ${rates.map(({ groupId }) => groupId)}::text[],
      ${rates.map(({ perMinute }) => perMinute)}::integer[])`.execute(tx);
}

/** Finds the owner of a key and the owner's groups, as of its next request. */
export async function findOwnerOfKey(
  db: Database | Tx,
  of: { organizationId: string; apiKeyId: string },
): Promise<{ memberId: string | null; groupIds: string[] }> {
  const { rows } = await sql<{ memberId: string | null; groupIds: string[] }>`
    SELECT owner_member_id AS "memberId",
      ARRAY(SELECT group_id FROM group_member WHERE member_id = api_key.owner_member_id ORDER BY group_id) AS "groupIds"
    FROM api_key WHERE organization_id = ${of.organizationId}::uuid AND id = ${of.apiKeyId}`.execute(
    db,
  );
  return rows[0] ?? { memberId: null, groupIds: [] };
}

/** Scopes of a member's requests. */
export interface MemberScopes {
  groupIds: string[];
  apiKeyIds: string[];
  /** Workspaces of these keys. */
  workspaceIds: string[];
}

/** Finds the groups and the keys of a member, without archived keys. Null: no such member, or a removed one. */
export async function findScopesOfMember(
  db: Database,
  { organizationId, memberId }: { organizationId: string; memberId: string },
): Promise<MemberScopes | null> {
  const { rows } = await sql<MemberScopes>`
    WITH keys AS (SELECT id, workspace_id FROM api_key WHERE organization_id = ${organizationId}::uuid
      AND owner_member_id = ${memberId} AND status <> 'archived' AND purpose <> 'playground')
    SELECT ARRAY(SELECT group_id FROM group_member WHERE member_id = member.id ORDER BY group_id) AS "groupIds",
      ARRAY(SELECT id FROM keys ORDER BY id) AS "apiKeyIds",
      ARRAY(SELECT DISTINCT workspace_id FROM keys ORDER BY workspace_id) AS "workspaceIds"
    FROM member WHERE organization_id = ${organizationId}::uuid AND id = ${memberId} AND status <> 'removed'`.execute(
    db,
  );
  return rows[0] ?? null;
}
