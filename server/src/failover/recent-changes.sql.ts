import { type RawBuilder, sql } from "kysely";
import type { Database } from "#src/db/pool.ts";
import type { SubjectState } from "./subject-state.rule.ts";

// New audit events, with the restrictions of the changed subjects, in one statement and so in one snapshot. A failover
// between two statements could otherwise read the earlier state of a subject as its newest one.

export interface ReadChange {
  id: string;
  organizationId: string;
  seq: string;
  event: string;
  actorType: string;
  actorId: string;
  subjectType: string;
  subjectId: string;
  /** Milliseconds since the epoch. */
  createdAtMs: number;
}

export interface NewChanges {
  changes: ReadChange[];
  states: SubjectState[];
  /** Number of the last event of each organization. */
  heads: { organizationId: string; seq: string }[];
}

/** Maximum events of an organization in one read. The next read continues. */
const MAX_EVENTS = 500;

/** Reads the events after `seen`, a number for each organization. An organization without a number begins at its end. */
export async function readNewChanges(
  database: Database,
  seen: ReadonlyMap<string, bigint>,
): Promise<NewChanges> {
  const { rows } = await sql<NewChanges>`
    WITH seen AS (SELECT * FROM unnest(${[...seen.keys()]}::uuid[], ${[...seen.values()].map(String)}::bigint[])
        AS s (organization_id, seq)),
      new AS (SELECT e.* FROM seen CROSS JOIN LATERAL (SELECT * FROM audit_event AS e
        WHERE e.organization_id = seen.organization_id AND e.seq > seen.seq ORDER BY e.seq LIMIT ${MAX_EVENTS}) AS e),
      members AS (SELECT subject_id AS id FROM new WHERE subject_type = 'member'
        UNION SELECT actor_id FROM new WHERE actor_type = 'member' AND subject_type IN ('session', 'passkey')),
      keys AS (SELECT key.* FROM api_key AS key WHERE purpose <> 'playground' AND (
        key.id IN (SELECT subject_id FROM new WHERE subject_type = 'api_key')
        OR key.owner_member_id IN (SELECT id FROM members)))
    SELECT
      coalesce((SELECT json_agg(json_build_object('id', id, 'organizationId', organization_id, 'seq', seq::text,
        'event', event, 'actorType', actor_type, 'actorId', actor_id, 'subjectType', subject_type,
        'subjectId', subject_id, 'createdAtMs', ${toMs("created_at")}) ORDER BY organization_id, seq) FROM new), '[]') AS changes,
      coalesce((SELECT json_agg(json_build_object('organizationId', organization_id, 'seq', seq::text))
        FROM audit_head), '[]') AS heads,
      (SELECT coalesce(json_agg(state), '[]') FROM (
        SELECT json_build_object('type', 'api_key', 'id', id, 'status', status, 'permission', permission,
          'ownerMemberId', owner_member_id, 'expiresAtMs', ${toMs("expires_at")}, 'allowedModels', allowed_models, 'allowedAddresses', allowed_addresses,
          'allowedOrigins', allowed_origins, 'userDirectoryId', user_directory_id, 'requiresUser', requires_user,
          'ranks', (SELECT coalesce(json_agg(json_build_object('rank', held.rank, 'isDisabled', held.is_disabled,
              'allowedModels', held.allowed_models, 'allowedAddresses', held.allowed_addresses,
              'expiresAtMs', ${toMs("held.expires_at")}, 'setByType', held.set_by_type, 'setById', held.set_by_id,
              'setAtMs', ${toMs("held.set_at")})), '[]')
            FROM api_key_restriction AS held WHERE held.api_key_id = keys.id),
          'secrets', (SELECT coalesce(json_agg(json_build_object('id', secret.id::text,
              'hash', encode(secret.hash, 'hex'), 'hint', secret.hint, 'createdAtMs', ${toMs("secret.created_at")},
              'validUntilMs', ${toMs("secret.valid_until")}, 'row', to_jsonb(secret))), '[]')
            FROM api_key_secret AS secret WHERE secret.api_key_id = keys.id)) AS state FROM keys
        UNION ALL SELECT json_build_object('type', 'admin_key', 'id', id, 'status', status, 'expiresAtMs', ${toMs("expires_at")})
        FROM admin_key WHERE id IN (SELECT subject_id FROM new WHERE subject_type = 'admin_key')
        UNION ALL SELECT json_build_object('type', 'workspace', 'id', id, 'archivedAtMs', ${toMs("archived_at")},
          'personalKeys', json_build_object('personal_keys', coalesce(personal_keys, 'off'),
            'personal_key_models', personal_key_models, 'personal_key_lifetime_days', personal_key_lifetime_days,
            'personal_keys_per_member', personal_keys_per_member))
        FROM workspace LEFT JOIN personal_key_rules ON workspace_id = id WHERE id IN (SELECT subject_id FROM new WHERE subject_type = 'workspace')
        UNION ALL SELECT json_build_object('type', 'member', 'id', id, 'status', status, 'role', role,
          'workspaces', (SELECT coalesce(json_agg(json_build_object('id', workspace_id, 'role', given.role)), '[]')
            FROM workspace_member AS given WHERE member_id = member.id),
          'groupIds', (SELECT coalesce(json_agg(group_id), '[]') FROM group_member WHERE member_id = member.id),
          'memberships', (SELECT coalesce(json_agg(json_build_object('groupId', held.group_id, 'row', to_jsonb(held),
              'listed', to_jsonb(listed), 'directoryIds', ARRAY(SELECT directory_id FROM claimed_membership AS stated
                WHERE stated.group_id = held.group_id AND stated.member_id = held.member_id))), '[]')
            FROM group_member AS held LEFT JOIN scim_group_member AS listed USING (group_id, member_id)
            WHERE held.member_id = member.id),
          'sessionIds', (SELECT coalesce(json_agg(id), '[]') FROM auth_session WHERE user_id = member.id))
        FROM member WHERE id IN (SELECT id FROM members)
        UNION ALL SELECT json_build_object('type', 'group', 'id', changed.id, 'row', to_jsonb(member_group),
          'models', json_build_object('allowed_models', allowed_models, 'model_lists', model_lists),
          'workspaces', (SELECT coalesce(json_agg(json_build_object('id', workspace_id, 'role', given.role)), '[]')
            FROM group_workspace AS given WHERE group_id = changed.id))
        FROM (SELECT DISTINCT subject_id AS id FROM new WHERE subject_type = 'group') AS changed
          LEFT JOIN member_group ON member_group.id = changed.id
        UNION ALL SELECT json_build_object('type', 'invite', 'id', id, 'revokedAtMs', ${toMs("revoked_at")},
          'inviterMemberId', CASE invited_by_type WHEN 'member' THEN invited_by_id END)
        FROM invite WHERE id IN (SELECT subject_id FROM new WHERE subject_type = 'invite')
          OR (invited_by_type = 'member' AND invited_by_id IN (SELECT id FROM members))
      ) AS subjects) AS states`.execute(database);
  const [row] = rows;
  return row ?? { changes: [], states: [], heads: [] };
}

/** Milliseconds since the epoch. */
function toMs(column: string): RawBuilder<number | null> {
  return sql`(extract(epoch FROM ${sql.ref(column)}) * 1000)::double precision`;
}

/** Returns those of the ids that the database has. */
export async function listKeptEvents(
  database: Database,
  ids: readonly string[],
): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const { rows } = await sql<{ id: string }>`
    SELECT id FROM audit_event WHERE id = ANY(${[...ids]}::text[])`.execute(database);
  return new Set(rows.map(({ id }) => id));
}

/** Returns those of the subjects that a person has changed after the event `afterSeq` of the organization. */
export async function listChangedSubjects(
  database: Database,
  of: { organizationId: string; afterSeq: bigint; subjectIds: readonly string[] },
): Promise<Set<string>> {
  const { rows } = await sql<{ id: string }>`
    SELECT DISTINCT subject_id AS id FROM audit_event
    WHERE organization_id = ${of.organizationId} AND subject_id = ANY(${[...of.subjectIds]}::text[])
      AND seq > ${of.afterSeq} AND actor_type <> 'system'`.execute(database);
  return new Set(rows.map(({ id }) => id));
}
