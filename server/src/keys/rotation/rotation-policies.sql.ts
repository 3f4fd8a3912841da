import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import type { RotationPolicy, RotationStep } from "./rotation-policy.rule.ts";

export async function saveRotationPolicy(
  tx: Tx,
  workspaceId: string,
  policy: RotationPolicy,
): Promise<void> {
  const values = {
    rotation_days: policy.rotationDays,
    remind_days: policy.remindDays,
    grace_days: policy.graceDays,
    effective_at: new Date(policy.effectiveAtMs),
  };
  await tx
    .insertInto("rotation_policy")
    .values({ workspace_id: workspaceId, ...values })
    .onConflict((conflict) => conflict.column("workspace_id").doUpdateSet(values))
    .execute();
}

export async function deleteRotationPolicy(tx: Tx, workspaceId: string): Promise<void> {
  await tx.deleteFrom("rotation_policy").where("workspace_id", "=", workspaceId).execute();
}

/** A key that works, or is disabled, in a workspace with a policy. */
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
  /** When the owner first heard of the secret's age under this policy, or null. */
  first_notice_at: Date | null;
}

/** Keys that may have to be rotated by `now`: of one workspace, or of all. `keys/rotation/rotation-policy.rule.ts` has the last word. */
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
      AND (api_key.expires_at IS NULL OR api_key.expires_at > ${of.now})
    JOIN api_key_secret AS current ON current.api_key_id = api_key.id AND current.valid_until IS NULL
    WHERE current.created_at <= ${of.now}::timestamptz
        - make_interval(hours => 24 * (policy.rotation_days - policy.remind_days)) ${inWorkspace}
    ORDER BY current.created_at, api_key.id`.execute(db);
  return rows;
}

/** Notes that this was said or done about the secret; false where it was before, under this policy. */
export async function insertNotice(
  tx: Tx,
  row: { secretId: bigint; kind: RotationStep; policyEffectiveAt: Date; sentAt: Date },
): Promise<boolean> {
  const inserted = await tx
    .insertInto("rotation_notice")
    .values({
      api_key_secret_id: row.secretId,
      kind: row.kind,
      policy_effective_at: row.policyEffectiveAt,
      sent_at: row.sentAt,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning("kind")
    .executeTakeFirst();
  return inserted !== undefined;
}

/**
 * Lets the key expire now, unless it has got a new secret, was archived or has expired meanwhile, or the policy is gone or
 * another one; false then.
 */
export async function expireKey(
  tx: Tx,
  of: Pick<AgingKey, "id" | "secret_id" | "workspace_id" | "effective_at"> & { now: Date },
): Promise<boolean> {
  // The lock is a statement of its own: the conditions are then read as they are after the wait.
  await tx.selectFrom("api_key").select("id").where("id", "=", of.id).forUpdate().execute();
  const { rows } = await sql`
    UPDATE api_key SET expires_at = ${of.now}
    WHERE id = ${of.id} AND status <> 'archived' AND (expires_at IS NULL OR expires_at > ${of.now})
      AND EXISTS (SELECT 1 FROM api_key_secret AS secret
        WHERE secret.id = ${of.secret_id} AND secret.api_key_id = api_key.id AND secret.valid_until IS NULL)
      AND EXISTS (SELECT 1 FROM rotation_policy AS policy
        WHERE policy.workspace_id = ${of.workspace_id} AND policy.effective_at = ${of.effective_at})
    RETURNING id`.execute(tx);
  return rows.length === 1;
}

/**
 * Addresses of who looks after the key: its owner; of a workspace's key, or one whose owner is gone, the Workspace Admins;
 * and where there are none, the Owners and Admins of the organization.
 */
export async function findKeepers(
  db: Database | Tx,
  of: { organizationId: string; workspaceId: string; ownerMemberId: string | null },
): Promise<string[]> {
  const { rows } = await sql<{ email: string; closeness: number }>`
    SELECT member.email, CASE
        WHEN member.id = ${of.ownerMemberId} THEN 1
        WHEN EXISTS (SELECT 1 FROM workspace_member AS given
          WHERE given.member_id = member.id AND given.workspace_id = ${of.workspaceId} AND given.role = 'workspace_admin') THEN 2
        WHEN member.role IN ('owner', 'admin') THEN 3
      END AS closeness
    FROM member
    WHERE member.organization_id = ${of.organizationId} AND member.status = 'active'
    ORDER BY closeness, member.email`.execute(db);
  const near = rows.filter(({ closeness }) => closeness !== null);
  const nearest = near[0]?.closeness;
  return near.filter(({ closeness }) => closeness === nearest).map(({ email }) => email);
}
