import type { OrganizationRole } from "@bursar/contract/permissions.ts";
import { sql } from "kysely";
import { selectPage } from "#src/db/page-rows.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { PageRequest } from "#src/domain/page-position.ts";
import type { ClaimMapping } from "./claims.rule.ts";

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
  role_claim: string | null;
  /** Sorted by value. */
  role_mappings: RoleMapping[];
  group_claim: string | null;
  /** Sorted by value and group. */
  group_mappings: GroupMapping[];
  created_at: Date;
  updated_at: Date;
}

type RoleMapping = ClaimMapping["role_mappings"][number];
type GroupMapping = ClaimMapping["group_mappings"][number];

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
  "role_claim",
  "group_claim",
  "created_at",
  "updated_at",
] as const;

export function selectDirectories(db: Database | Tx) {
  return db
    .selectFrom("directory")
    .select(columns)
    .select([
      sql<RoleMapping[]>`coalesce((
        SELECT json_agg(json_build_object('value', mapping.value, 'role', mapping.role) ORDER BY mapping.value COLLATE "C")
        FROM directory_role AS mapping WHERE mapping.directory_id = directory.id), '[]')`.as(
        "role_mappings",
      ),
      sql<GroupMapping[]>`coalesce((
        SELECT json_agg(json_build_object('value', mapping.value, 'group_id', mapping.group_id)
          ORDER BY mapping.value COLLATE "C", mapping.group_id COLLATE "C")
        FROM directory_group AS mapping WHERE mapping.directory_id = directory.id), '[]')`.as(
        "group_mappings",
      ),
    ]);
}

interface DirectoryOf {
  organizationId: string;
  id: string;
}

/** Throws a unique violation of `directory_issuer` if the organization has a directory with this issuer. */
export async function insertDirectory(tx: Tx, row: DirectoryRow): Promise<void> {
  const { role_mappings, group_mappings, ...directory } = row;
  await tx.insertInto("directory").values(directory).execute();
  await insertMappings(tx, row);
}

/** Replaces the mappings of a stored directory. */
export async function replaceMappings(tx: Tx, row: DirectoryRow): Promise<void> {
  await tx.deleteFrom("directory_role").where("directory_id", "=", row.id).execute();
  await tx.deleteFrom("directory_group").where("directory_id", "=", row.id).execute();
  await insertMappings(tx, row);
}

async function insertMappings(
  tx: Tx,
  { id, role_mappings, group_mappings }: DirectoryRow,
): Promise<void> {
  const roles = role_mappings.map((mapping) => ({ ...mapping, directory_id: id }));
  if (roles.length > 0) await tx.insertInto("directory_role").values(roles).execute();
  const groups = group_mappings.map((mapping) => ({ ...mapping, directory_id: id }));
  if (groups.length > 0) await tx.insertInto("directory_group").values(groups).execute();
}

/** Returns which of the ids are groups that members and claims can fill. */
export async function listFillableGroups(
  tx: Tx,
  of: { organizationId: string; ids: readonly string[] },
): Promise<string[]> {
  if (of.ids.length === 0) return [];
  const rows = await tx
    .selectFrom("member_group")
    .select("id")
    .where("organization_id", "=", of.organizationId)
    .where("source", "=", "direct")
    .where("id", "in", of.ids)
    .execute();
  return rows.map(({ id }) => id);
}

/** Returns one row more than the page holds. */
export async function listDirectories(
  db: Database | Tx,
  organizationId: string,
  page: PageRequest,
): Promise<DirectoryRow[]> {
  const query = selectDirectories(db).where("organization_id", "=", organizationId);
  return selectPage(query, page).execute();
}

export async function findDirectory(
  db: Database | Tx,
  of: DirectoryOf,
): Promise<DirectoryRow | null> {
  const row = await selectDirectories(db)
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
  const row = await selectDirectories(tx)
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
      role_claim: row.role_claim,
      group_claim: row.group_claim,
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
