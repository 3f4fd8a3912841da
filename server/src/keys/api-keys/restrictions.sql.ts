import type { Rank } from "@bursar/contract/permissions.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { RankedRestrictions } from "./effective-restrictions.rule.ts";

export interface RestrictionRow extends RankedRestrictions {
  api_key_id: string;
}

export async function listRestrictions(
  db: Database | Tx,
  apiKeyIds: readonly string[],
): Promise<RestrictionRow[]> {
  if (apiKeyIds.length === 0) return [];
  return await db
    .selectFrom("api_key_restriction")
    .selectAll()
    .where("api_key_id", "in", apiKeyIds)
    .execute();
}

/** Restrictions of one key. */
export interface RestrictionsOfKey {
  apiKeyId: string;
  restrictions: readonly RankedRestrictions[];
}

/** Replaces all rows of keys, whose own rows are locked. */
export async function saveRestrictions(tx: Tx, of: readonly RestrictionsOfKey[]): Promise<void> {
  const ids = of.map(({ apiKeyId }) => apiKeyId);
  await tx.deleteFrom("api_key_restriction").where("api_key_id", "in", ids).execute();
  const rows = of.flatMap(({ apiKeyId, restrictions }) =>
    restrictions.map((row) => ({ ...row, apiKeyId })),
  );
  if (rows.length === 0) return;
  const values = rows.map((row) => ({
    api_key_id: row.apiKeyId,
    rank: row.rank,
    is_disabled: row.is_disabled,
    allowed_models: row.allowed_models,
    allowed_addresses: row.allowed_addresses,
    expires_at: row.expires_at,
    set_by_type: row.set_by_type,
    set_by_id: row.set_by_id,
    set_at: row.set_at,
  }));
  await tx.insertInto("api_key_restriction").values(values).execute();
}

/** A key of a member in a workspace, as far as a further key inherits from it. */
export interface OwnedKey {
  id: string;
  name: string;
  status: "active" | "inactive" | "archived";
  archived_rank: Rank | null;
  expires_at: Date | null;
}

export async function listOwnedKeys(
  tx: Tx,
  of: { organizationId: string; workspaceId: string; memberId: string },
): Promise<OwnedKey[]> {
  return await tx
    .selectFrom("api_key")
    .select(["id", "name", "status", "archived_rank", "expires_at"])
    .where("organization_id", "=", of.organizationId)
    .where("workspace_id", "=", of.workspaceId)
    .where("owner_member_id", "=", of.memberId)
    .where("purpose", "!=", "playground")
    .execute();
}

/** Counts personal keys of the member that are neither archived nor expired. Claude Code keys are excluded. */
export async function countLivingKeys(
  tx: Tx,
  of: { organizationId: string; memberId: string; now: Date },
): Promise<number> {
  const { count } = await tx
    .selectFrom("api_key")
    .select((eb) => eb.fn.countAll().as("count"))
    .where("organization_id", "=", of.organizationId)
    .where("owner_member_id", "=", of.memberId)
    .where("purpose", "=", "calls")
    .where("status", "!=", "archived")
    .where((eb) => eb.or([eb("expires_at", "is", null), eb("expires_at", ">", of.now)]))
    .executeTakeFirstOrThrow();
  return Number(count);
}
