import type { OrganizationRole } from "@bursar/contract/permissions.ts";
import { selectPage } from "#src/db/page-rows.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { PageRequest } from "#src/domain/page-position.ts";

export interface DirectoryRow {
  id: string;
  organization_id: string;
  name: string;
  issuer: string;
  client_id: string | null;
  client_secret_sealed: Uint8Array | null;
  is_enabled: boolean;
  allowed_domains: string[];
  default_role: Exclude<OrganizationRole, "owner">;
  second_factor: "claims" | "trusted" | "here";
  created_at: Date;
  updated_at: Date;
}

const columns = [
  "id",
  "organization_id",
  "name",
  "issuer",
  "client_id",
  "client_secret_sealed",
  "is_enabled",
  "allowed_domains",
  "default_role",
  "second_factor",
  "created_at",
  "updated_at",
] as const;

interface DirectoryOf {
  organizationId: string;
  id: string;
}

/** Throws a unique violation of `directory_issuer` if the organization has a directory with this issuer. */
export async function insertDirectory(tx: Tx, row: DirectoryRow): Promise<void> {
  await tx.insertInto("directory").values(row).execute();
}

/** Returns one row more than the page holds. */
export async function listDirectories(
  db: Database | Tx,
  organizationId: string,
  page: PageRequest,
): Promise<DirectoryRow[]> {
  const query = db
    .selectFrom("directory")
    .select(columns)
    .where("organization_id", "=", organizationId);
  return selectPage(query, page).execute();
}

export async function findDirectory(
  db: Database | Tx,
  of: DirectoryOf,
): Promise<DirectoryRow | null> {
  const row = await db
    .selectFrom("directory")
    .select(columns)
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.id)
    .executeTakeFirst();
  return row ?? null;
}

/** Finds a directory and locks it until the transaction ends. */
export async function findDirectoryForUpdate(
  tx: Tx,
  of: DirectoryOf,
): Promise<DirectoryRow | null> {
  const row = await tx
    .selectFrom("directory")
    .select(columns)
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.id)
    .forUpdate()
    .executeTakeFirst();
  return row ?? null;
}

export async function updateDirectory(tx: Tx, row: DirectoryRow): Promise<void> {
  await tx
    .updateTable("directory")
    .set({
      name: row.name,
      client_id: row.client_id,
      client_secret_sealed: row.client_secret_sealed,
      is_enabled: row.is_enabled,
      allowed_domains: row.allowed_domains,
      default_role: row.default_role,
      second_factor: row.second_factor,
      updated_at: row.updated_at,
    })
    .where("organization_id", "=", row.organization_id)
    .where("id", "=", row.id)
    .execute();
}

export async function deleteDirectory(tx: Tx, of: DirectoryOf): Promise<void> {
  await tx
    .deleteFrom("directory")
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.id)
    .execute();
}
