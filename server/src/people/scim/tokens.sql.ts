import { sql } from "kysely";
import { selectPage } from "#src/db/page-rows.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { PageRequest } from "#src/domain/page-position.ts";

export interface ScimTokenRow {
  id: string;
  directory_id: string;
  partial_token_hint: string;
  created_by_type: string;
  created_by_id: string;
  created_at: Date;
  valid_until: Date | null;
  revoked_at: Date | null;
  last_used_at: Date | null;
}

const columns = [
  "id",
  "directory_id",
  "partial_token_hint",
  "created_by_type",
  "created_by_id",
  "created_at",
  "valid_until",
  "revoked_at",
  "last_used_at",
] as const;

interface TokensOf {
  organizationId: string;
  directoryId: string;
}

export async function insertToken(
  tx: Tx,
  row: ScimTokenRow & { organization_id: string; secret_hash: Uint8Array },
): Promise<void> {
  await tx.insertInto("scim_token").values(row).execute();
}

/** Returns one row more than the page holds. */
export function listTokens(
  db: Database | Tx,
  { organizationId, directoryId }: TokensOf,
  page: PageRequest,
): Promise<ScimTokenRow[]> {
  const query = db
    .selectFrom("scim_token")
    .select(columns)
    .where("organization_id", "=", organizationId)
    .where("directory_id", "=", directoryId);
  return selectPage(query, page).execute();
}

/** Counts tokens that are neither revoked nor expired. */
export async function countValidTokens(
  db: Database | Tx,
  { organizationId, directoryId, now }: TokensOf & { now: Date },
): Promise<number> {
  const row = await db
    .selectFrom("scim_token")
    .select(sql<number>`count(*)::integer`.as("count"))
    .where("organization_id", "=", organizationId)
    .where("directory_id", "=", directoryId)
    .where("revoked_at", "is", null)
    .where((eb) => eb.or([eb("valid_until", "is", null), eb("valid_until", ">", now)]))
    .executeTakeFirstOrThrow();
  return row.count;
}

/** Finds a token and locks it until the transaction ends. */
export async function findTokenForUpdate(
  tx: Tx,
  of: TokensOf & { id: string },
): Promise<ScimTokenRow | null> {
  const row = await tx
    .selectFrom("scim_token")
    .select(columns)
    .where("organization_id", "=", of.organizationId)
    .where("directory_id", "=", of.directoryId)
    .where("id", "=", of.id)
    .forUpdate()
    .executeTakeFirst();
  return row ?? null;
}

export async function endToken(
  tx: Tx,
  row: Pick<ScimTokenRow, "id" | "valid_until" | "revoked_at">,
): Promise<void> {
  await tx
    .updateTable("scim_token")
    .set({ valid_until: row.valid_until, revoked_at: row.revoked_at })
    .where("id", "=", row.id)
    .execute();
}
