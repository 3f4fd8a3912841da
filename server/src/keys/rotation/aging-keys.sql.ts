import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import type { RotationStep } from "./rotation-policy.rule.ts";

/** Key that is neither archived nor expired, in a workspace with a rotation policy. */
export interface AgingKey {
  id: string;
  organization_id: string;
  workspace_id: string;
  workspace_name: string;
  name: string;
  hint: string;
  owner_member_id: string | null;
  expires_at: Date | null;
  secret_id: bigint;
  secret_created_at: Date;
  rotation_days: number;
  remind_days: number;
  grace_days: number;
  effective_at: Date;
  /** Time of the first notice about the secret under this policy. Null: none was sent. */
  first_notice_at: Date | null;
}

/** Lists keys that may be due by `now`, in one workspace or in all. `rotation-policy.rule.ts` decides whether they are. */
export async function listAgingKeys(
  db: Database | Tx,
  of: { now: Date; workspaceId?: string },
): Promise<AgingKey[]> {
  const inWorkspace =
    of.workspaceId === undefined ? sql`` : sql`AND api_key.workspace_id = ${of.workspaceId}`;
  const { rows } = await sql<AgingKey>`
    SELECT api_key.id, api_key.organization_id, api_key.workspace_id, workspace.name AS workspace_name, api_key.name,
      current.hint, api_key.owner_member_id, api_key.expires_at, current.id AS secret_id,
      current.created_at AS secret_created_at, policy.rotation_days, policy.remind_days, policy.grace_days,
      policy.effective_at,
      (SELECT min(notice.sent_at) FROM rotation_notice AS notice
        WHERE notice.api_key_secret_id = current.id AND notice.policy_effective_at = policy.effective_at) AS first_notice_at
    FROM rotation_policy AS policy
    JOIN workspace ON workspace.id = policy.workspace_id AND workspace.archived_at IS NULL
    JOIN api_key ON api_key.workspace_id = workspace.id AND api_key.status <> 'archived'
      -- Other keys have no secret that can be rotated.
      AND api_key.purpose = 'calls'
      AND (api_key.expires_at IS NULL OR api_key.expires_at > ${of.now})
    JOIN api_key_secret AS current ON current.api_key_id = api_key.id AND current.valid_until IS NULL
    WHERE current.created_at <= ${of.now}::timestamptz
        - make_interval(hours => 24 * (policy.rotation_days - policy.remind_days)) ${inWorkspace}
    ORDER BY current.created_at, api_key.id`.execute(db);
  return rows;
}

/** Records a step for the secret. Returns false if it was recorded before under this policy. */
export async function insertNotice(
  tx: Tx,
  row: { secretId: bigint; kind: RotationStep; policyEffectiveAt: Date; sentAt: Date },
): Promise<boolean> {
  const { rows } = await sql`
    INSERT INTO rotation_notice (api_key_secret_id, kind, policy_effective_at, sent_at)
    VALUES (${row.secretId}, ${row.kind}, ${row.policyEffectiveAt}, ${row.sentAt})
    ON CONFLICT DO NOTHING RETURNING kind`.execute(tx);
  return rows.length === 1;
}

/**
 * Expires the key now. Returns false if it has a new secret, was archived, has expired, or if its policy was deleted or
 * replaced meanwhile.
 */
export async function expireKey(
  tx: Tx,
  of: Pick<AgingKey, "id" | "secret_id" | "workspace_id" | "effective_at"> & { now: Date },
): Promise<boolean> {
  // A separate statement locks the key, so the update reads its conditions after the wait.
  await sql`SELECT id FROM api_key WHERE id = ${of.id} FOR NO KEY UPDATE`.execute(tx);
  const { rows } = await sql`
    UPDATE api_key SET expires_at = ${of.now}, lifetime_ends_at = ${of.now}
    WHERE id = ${of.id} AND status <> 'archived' AND (expires_at IS NULL OR expires_at > ${of.now})
      AND EXISTS (SELECT 1 FROM api_key_secret AS secret
        WHERE secret.id = ${of.secret_id} AND secret.api_key_id = api_key.id AND secret.valid_until IS NULL)
      AND EXISTS (SELECT 1 FROM rotation_policy AS policy
        WHERE policy.workspace_id = ${of.workspace_id} AND policy.effective_at = ${of.effective_at})
    RETURNING id`.execute(tx);
  return rows.length === 1;
}

/**
 * Returns the addresses of the members responsible for a key: its owner, else the Workspace Admins, else the
 * organization's Owners and Admins. Members that are not active are skipped.
 */
export async function listNoticeRecipients(
  db: Database | Tx,
  of: { organizationId: string; workspaceId: string; ownerMemberId: string | null },
): Promise<string[]> {
  const { rows } = await sql<{ email: string; rank: number }>`
    SELECT member.email, CASE
        WHEN member.id = ${of.ownerMemberId} THEN 1
        WHEN EXISTS (SELECT 1 FROM given_workspace_role AS held
          WHERE held.member_id = member.id AND held.workspace_id = ${of.workspaceId} AND held.role = 'workspace_admin') THEN 2
        WHEN member.role IN ('owner', 'admin') THEN 3
      END AS rank
    FROM member
    WHERE member.organization_id = ${of.organizationId} AND member.status = 'active'
    ORDER BY rank, member.email`.execute(db);
  const ranked = rows.filter(({ rank }) => rank !== null);
  const firstRank = ranked[0]?.rank;
  return ranked.filter(({ rank }) => rank === firstRank).map(({ email }) => email);
}
