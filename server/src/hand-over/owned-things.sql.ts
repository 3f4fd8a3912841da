import type { OwnedKind, OwnedThing } from "@bursar/contract/admin/owned-things.ts";
import { type RawBuilder, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { contactOf } from "#src/keys/key-contacts.sql.ts";
import type { MemberStatus } from "#src/people/leaving/members.sql.ts";

export interface OwnedFilter {
  organizationId: string;
  kinds: readonly OwnedKind[];
  now: Date;
}

/** Lists things that name the member as responsible, by kind and name. */
export async function listOwned(
  db: Database | Tx,
  filter: OwnedFilter & { memberId: string; limit: number },
): Promise<OwnedThing[]> {
  const { rows } = await sql<OwnedThing>`
    SELECT kind, duty, id, name, workspace_id FROM (${selectOwned(filter)}) AS owned
    WHERE member_id = ${filter.memberId} AND kind = ANY(${[...filter.kinds]}::text[])
    ORDER BY kind, name, id LIMIT ${filter.limit}`.execute(db);
  return rows;
}

export interface LeftBehindRow {
  member_id: string;
  name: string;
  email: string;
  status: MemberStatus;
  things: number;
}

/** Lists members who are not active and still responsible for things, by name. */
export async function listLeft(
  db: Database | Tx,
  filter: OwnedFilter & { limit: number },
): Promise<LeftBehindRow[]> {
  const { rows } = await sql<LeftBehindRow>`
    SELECT member.id AS member_id, member.name, member.email, member.status, count(*)::integer AS things
    FROM (${selectOwned(filter)}) AS owned JOIN member ON member.id = owned.member_id
    WHERE member.organization_id = ${filter.organizationId}::uuid AND member.status <> 'active'
      AND owned.kind = ANY(${[...filter.kinds]}::text[])
    GROUP BY member.id ORDER BY member.name, member.id LIMIT ${filter.limit}`.execute(db);
  return rows;
}

/** All things of the organization, each with its responsible member. */
function selectOwned({ organizationId, now }: OwnedFilter): RawBuilder<unknown> {
  return sql`
    SELECT 'access_review' AS kind, 'reviewer' AS duty, review.id, review.name, NULL AS workspace_id, reviewer.member_id
    FROM access_review AS review JOIN access_review_reviewer AS reviewer ON reviewer.access_review_id = review.id
    WHERE review.organization_id = ${organizationId}::uuid AND review.status = 'open'
    UNION ALL
    SELECT 'access_review', 'next_reviewer', review.id, review.name, NULL, next.member_id
    FROM access_review AS review CROSS JOIN LATERAL (
      SELECT unnest(review.next_reviewer_ids) AS member_id
      UNION ALL
      SELECT reviewer.member_id FROM access_review_reviewer AS reviewer
      WHERE reviewer.access_review_id = review.id AND review.next_reviewer_ids IS NULL) AS next
    WHERE review.organization_id = ${organizationId}::uuid AND review.status IN ('applying', 'closed')
      AND review.recurrence <> 'none'
      AND NOT EXISTS (SELECT FROM access_review AS later WHERE later.previous_id = review.id)
    UNION ALL
    SELECT 'alert_channel', 'recipient', channel.id, channel.name, NULL, member.id
    FROM alert_channel AS channel
    CROSS JOIN LATERAL jsonb_array_elements_text(channel.recipients -> 'addresses') AS given (address)
    JOIN member ON member.organization_id = channel.organization_id AND member.email = given.address
    WHERE channel.organization_id = ${organizationId}::uuid AND channel.archived_at IS NULL
      -- The address of a removed member can belong to a new member.
      AND (member.status <> 'removed' OR NOT EXISTS (
        SELECT FROM member AS present WHERE present.email = member.email AND present.status <> 'removed'))
    UNION ALL
    SELECT 'api_key', 'contact', key.id, key.name, key.workspace_id, ${contactOf(sql`key`)}
    FROM api_key AS key JOIN workspace ON workspace.id = key.workspace_id AND workspace.archived_at IS NULL
    WHERE key.organization_id = ${organizationId}::uuid AND key.owner_member_id IS NULL
      AND key.purpose = 'calls' AND key.status <> 'archived' AND (key.expires_at IS NULL OR key.expires_at > ${now})
    UNION ALL
    SELECT 'admin_key', 'contact', key.id, key.name, NULL, ${contactOf(sql`key`)}
    FROM admin_key AS key
    WHERE key.organization_id = ${organizationId}::uuid AND key.status <> 'revoked'
      AND (key.expires_at IS NULL OR key.expires_at > ${now})`;
}
