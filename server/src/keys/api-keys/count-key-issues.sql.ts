import { attentionIssues, type KeyIssue } from "@bursar/contract/key-issues.ts";
import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import {
  type ApiKeyScope,
  type IssueFilter,
  isUnexpired,
  makeIssueCondition,
} from "./api-keys.sql.ts";

interface IssueCounts {
  keys: number;
  healthy: number;
  needingAttention: number;
  byIssue: number[];
}

/** Counts keys that are neither archived nor expired: all, those with each issue, and those without any. */
export async function countKeyIssues(
  db: Database | Tx,
  of: ApiKeyScope & {
    workspaceId?: string | undefined;
    issues: readonly KeyIssue[];
  } & IssueFilter,
): Promise<IssueCounts> {
  const { organizationId, onlyWorkspaceIds, workspaceId, issues } = of;
  const conditions = [
    isUnexpired(of.nowMs),
    ...(workspaceId === undefined ? [] : [sql`api_key.workspace_id = ${workspaceId}`]),
    ...(onlyWorkspaceIds === null
      ? []
      : [sql`api_key.workspace_id = ANY(${[...onlyWorkspaceIds]}::text[])`]),
  ];
  const hasIssues = issues.map((issue) => sql`(${makeIssueCondition(issue, of)})`);
  const isTrue = (issue: KeyIssue) => sql`issues[${sql.lit(issues.indexOf(issue) + 1)}]`;
  const counts = issues.map((issue) => sql`(count(*) FILTER (WHERE ${isTrue(issue)}))::integer`);
  // Without MATERIALIZED, PostgreSQL computes the issues again for each count.
  const { rows } = await sql<IssueCounts>`
    WITH unexpired AS MATERIALIZED (
      SELECT ARRAY[${sql.join(hasIssues)}] AS issues
      FROM api_key
      JOIN api_key_secret AS current ON current.api_key_id = api_key.id AND current.valid_until IS NULL
      LEFT JOIN member ON member.id = api_key.owner_member_id
      LEFT JOIN (SELECT api_key_id, max(last_used_at) AS last_used_at FROM api_key_secret GROUP BY api_key_id)
        AS used ON used.api_key_id = api_key.id
      WHERE api_key.organization_id = ${organizationId}::uuid AND api_key.purpose <> 'playground'
        AND ${sql.join(conditions, sql` AND `)}
    )
    SELECT count(*)::integer AS keys, (count(*) FILTER (WHERE NOT true = ANY(issues)))::integer AS healthy,
      (count(*) FILTER (WHERE ${sql.join(attentionIssues.map(isTrue), sql` OR `)}))::integer AS "needingAttention",
      ARRAY[${sql.join(counts)}] AS "byIssue"
    FROM unexpired`.execute(db);
  return rows[0] ?? { keys: 0, healthy: 0, needingAttention: 0, byIssue: [] };
}
