import type { ServerProcess } from "../../server/test/harness/server-process.ts";
import { insertLargeUsage } from "./large-usage.ts";

// Rows of a very large company, inserted by SQL. The API would take many minutes.

export const KEYS = 10_000;
export const WORKSPACES = 1_000;
export const MEMBERS = 500;
/** Workspaces in which each member has an own role. */
const ROLES = 70;
const GROUPS = 20;
const WORKSPACES_OF_GROUP = 10;

type Sql = ServerProcess["sql"];

/** Inserts workspaces, keys, members, roles, groups, the audit events of the roles, and a year of usage. */
export async function insertLargeCompany(server: ServerProcess): Promise<void> {
  const { sql } = server;
  await insertKeys(sql);
  await insertPeople(sql);
  await insertLargeUsage(server);
  await sql("VACUUM ANALYZE");
}

/** Number of entries of the access list. */
export async function countGrants({ mustAdmin }: ServerProcess): Promise<number> {
  let count = 0;
  for (let page: unknown = null; page !== undefined; ) {
    const cursor = page === null ? "" : `&page=${String(page)}`;
    const answer = await mustAdmin("GET", `/v1/admin/access?limit=1000${cursor}`);
    count += (answer["data"] as unknown[]).length;
    page = answer["next_page"] ?? undefined;
  }
  return count;
}

async function insertKeys(sql: Sql): Promise<void> {
  await sql(
    `INSERT INTO workspace (id, organization_id, name, display_color, tags)
     SELECT 'wksp_large' || lpad(i::text, 20, '0'), (SELECT id FROM organization), 'Team ' || i, '#3F7CAC', '{}'
     FROM generate_series(1, $1::int) AS i`,
    [WORKSPACES],
  );
  await sql(
    `INSERT INTO api_key (id, organization_id, workspace_id, name, permission, created_by_type, created_by_id, created_at)
     SELECT 'apikey_large' || lpad(i::text, 20, '0'), (SELECT id FROM organization),
       'wksp_large' || lpad((1 + i % $2)::text, 20, '0'), 'Key ' || i, 'write', 'system', 'large',
       date_trunc('milliseconds', now() - random() * interval '400 days')
     FROM generate_series(1, $1::int) AS i`,
    [KEYS, WORKSPACES],
  );
  await sql(
    `INSERT INTO api_key_secret (api_key_id, hash, hint, created_at, last_used_at)
     SELECT id, sha256(id::bytea), 'sk-ant-api03-' || right(id, 4), now(), now() - random() * interval '40 days'
     FROM api_key WHERE created_by_id = 'large'`,
  );
  await sql(
    `INSERT INTO spend_limit (id, organization_id, scope_type, scope_id, period, amount_nano_usd, enforcement)
     SELECT 'spl_large' || right(id, 20), organization_id, 'workspace', id, 'monthly', 100000000000, 'strict'
     FROM workspace WHERE id LIKE 'wksp_large%'`,
  );
}

async function insertPeople(sql: Sql): Promise<void> {
  await sql(
    `INSERT INTO member (id, organization_id, name, email, role, created_at)
     SELECT 'user_large' || lpad(i::text, 20, '0'), (SELECT id FROM organization), 'Person ' || i,
       'person' || i || '@large.example', 'user', now() - random() * interval '400 days'
     FROM generate_series(1, $1::int) AS i`,
    [MEMBERS],
  );
  await sql(
    `INSERT INTO workspace_member (workspace_id, member_id, role, created_at)
     SELECT 'wksp_large' || lpad((1 + (m * 7 + w * 13) % $2)::text, 20, '0'), 'user_large' || lpad(m::text, 20, '0'),
       'workspace_user', now() - random() * interval '400 days'
     FROM generate_series(1, $1::int) AS m, generate_series(1, $3::int) AS w ON CONFLICT DO NOTHING`,
    [MEMBERS, WORKSPACES, ROLES],
  );
  await sql(
    `INSERT INTO member_group (id, organization_id, name)
     SELECT 'grp_large' || lpad(i::text, 20, '0'), (SELECT id FROM organization), 'Group ' || i
     FROM generate_series(1, $1::int) AS i`,
    [GROUPS],
  );
  await sql(
    `INSERT INTO group_member (group_id, member_id, created_at)
     SELECT 'grp_large' || lpad((1 + m % $2)::text, 20, '0'), 'user_large' || lpad(m::text, 20, '0'),
       now() - random() * interval '400 days'
     FROM generate_series(1, $1::int) AS m`,
    [MEMBERS, GROUPS],
  );
  await sql(
    `INSERT INTO group_workspace (group_id, workspace_id, role)
     SELECT 'grp_large' || lpad(g::text, 20, '0'), 'wksp_large' || lpad((g * 31 + w)::text, 20, '0'), 'workspace_user'
     FROM generate_series(1, $1::int) AS g, generate_series(1, $2::int) AS w`,
    [GROUPS, WORKSPACES_OF_GROUP],
  );
  await sql(
    `INSERT INTO audit_event (id, organization_id, seq, event, actor_type, actor_id, subject_type, subject_id, workspace_id,
       after, request_id, previous_hash, hash, created_at)
     SELECT 'event_large' || number, organization_id, 10000000 + number, 'workspace_member.added', 'system', 'large',
       'member', member_id, workspace_id, '{"role": "workspace_user"}', 'large', '', '', created_at
     FROM (SELECT workspace.organization_id, given.*, row_number() OVER () AS number
       FROM workspace_member AS given JOIN workspace ON workspace.id = given.workspace_id
       WHERE given.member_id LIKE 'user_large%') AS given`,
  );
}
