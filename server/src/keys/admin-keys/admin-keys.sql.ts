import { type SqlBool, sql } from "kysely";
import { selectPage } from "#src/db/page-rows.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { PageRequest } from "#src/domain/page-position.ts";

/** `inactive`: restored from a backup and not confirmed yet. */
export type AdminKeyStatus = "active" | "inactive" | "expired" | "revoked";

export interface AdminKeyRow {
  id: string;
  name: string;
  status: "active" | "inactive" | "revoked";
  partial_key_hint: string;
  created_by_type: string;
  created_by_id: string;
  /** Member who took the key over. Null: its creator answers for it. */
  contact_member_id: string | null;
  created_at: Date;
  expires_at: Date | null;
  /** Scopes that limit its rights. Null: all rights of an admin key. */
  scopes: string[] | null;
  /** Addresses and ranges from which it works. Null: all. */
  allowed_addresses: string[] | null;
  revoked_at: Date | null;
  last_used_at: Date | null;
  last_used_address: string | null;
}

const columns = [
  "id",
  "name",
  "status",
  "partial_key_hint",
  "created_by_type",
  "created_by_id",
  "contact_member_id",
  "created_at",
  "expires_at",
  "scopes",
  "allowed_addresses",
  "revoked_at",
  "last_used_at",
  "last_used_address",
] as const;

export interface AdminKeyFilter {
  organizationId: string;
  status?: AdminKeyStatus | undefined;
  /** Time that decides which keys are expired, in milliseconds since the epoch. */
  nowMs: number;
}

export async function insertAdminKey(
  tx: Tx,
  row: AdminKeyRow & { organization_id: string; secret_hash: Uint8Array },
): Promise<void> {
  await tx.insertInto("admin_key").values(row).execute();
}

/** Lists newest first, one row more than the page holds. */
export function listAdminKeys(
  db: Database | Tx,
  filter: AdminKeyFilter,
  page: PageRequest,
): Promise<AdminKeyRow[]> {
  let query = db
    .selectFrom("admin_key")
    .select(columns)
    .where("organization_id", "=", filter.organizationId);
  if (filter.status !== undefined) query = query.where(hasStatus(filter.status, filter.nowMs));
  return selectPage(query, page).execute();
}

function hasStatus(status: AdminKeyStatus, nowMs: number) {
  const now = new Date(nowMs);
  if (status === "revoked" || status === "inactive") return sql<SqlBool>`status = ${status}`;
  if (status === "expired") return sql<SqlBool>`status = 'active' AND expires_at <= ${now}`;
  return sql<SqlBool>`status = 'active' AND (expires_at IS NULL OR expires_at > ${now})`;
}

export async function findAdminKey(
  db: Database | Tx,
  of: { organizationId: string; id: string },
): Promise<AdminKeyRow | null> {
  const row = await db
    .selectFrom("admin_key")
    .select(columns)
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.id)
    .executeTakeFirst();
  return row ?? null;
}

/** Finds a key and locks it until the transaction ends. */
export async function findAdminKeyForUpdate(
  tx: Tx,
  of: { organizationId: string; id: string },
): Promise<AdminKeyRow | null> {
  const row = await tx
    .selectFrom("admin_key")
    .select(columns)
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.id)
    .forNoKeyUpdate()
    .executeTakeFirst();
  return row ?? null;
}
