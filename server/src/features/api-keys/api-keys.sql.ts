import type { KeyPermission } from "@bursar/contract/permissions.ts";
import { type SqlBool, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import type { PageRequest, Position } from "#src/domain/page-position.ts";

export type StoredStatus = "active" | "inactive" | "archived";

/** A key without its secret's hash, which no use case has a need for. */
export interface ApiKeyRow {
  id: string;
  workspace_id: string;
  name: string;
  permission: KeyPermission;
  status: StoredStatus;
  partial_key_hint: string;
  created_by_type: string;
  created_by_id: string;
  created_at: Date;
  expires_at: Date | null;
}

const columns = [
  "id",
  "workspace_id",
  "name",
  "permission",
  "status",
  "partial_key_hint",
  "created_by_type",
  "created_by_id",
  "created_at",
  "expires_at",
] as const;

/** `onlyWorkspaceIds` are those whose keys exist for the caller, or null for all of the organization's. */
export interface ApiKeyScope {
  organizationId: string;
  onlyWorkspaceIds: readonly string[] | null;
}

export interface ApiKeyFilter extends ApiKeyScope {
  workspaceId?: string | undefined;
  status?: StoredStatus | "expired" | undefined;
  /** Text that the name contains, whatever its case. */
  name?: string | undefined;
  /** The member who made it. */
  createdByMemberId?: string | undefined;
  /** Of what is expired, in milliseconds since the epoch. */
  nowMs: number;
}

export async function insertApiKey(
  tx: Tx,
  row: ApiKeyRow & { organization_id: string; secret_hash: Uint8Array },
): Promise<void> {
  await tx.insertInto("api_key").values(row).execute();
}

/** One row more than the page holds, so that the reader knows whether there is another page. */
export function listApiKeys(
  db: Database | Tx,
  filter: ApiKeyFilter,
  page: PageRequest,
): Promise<ApiKeyRow[]> {
  const isOlder = page.direction === "older";
  const order = isOlder ? "desc" : "asc";
  let query = db
    .selectFrom("api_key")
    .select(columns)
    .where("organization_id", "=", filter.organizationId);
  const { onlyWorkspaceIds, createdByMemberId } = filter;
  if (onlyWorkspaceIds !== null) query = query.where(isAnyOf(onlyWorkspaceIds));
  if (createdByMemberId !== undefined) {
    query = query
      .where("created_by_type", "=", "member")
      .where("created_by_id", "=", createdByMemberId);
  }
  if (filter.workspaceId !== undefined) {
    query = query.where("workspace_id", "=", filter.workspaceId);
  }
  if (filter.name !== undefined) {
    // strpos, not LIKE: a % in the text is a %.
    query = query.where(sql<SqlBool>`strpos(lower(name), lower(${filter.name})) > 0`);
  }
  if (filter.status !== undefined) query = query.where(hasStatus(filter.status, filter.nowMs));
  const { from } = page;
  if (from) {
    query = query.where(({ eb, refTuple, tuple }) =>
      eb(
        refTuple("created_at", "id"),
        isOlder ? "<" : ">",
        tuple(new Date(from.createdAtMs), from.id),
      ),
    );
  }
  return query
    .orderBy("created_at", order)
    .orderBy("id", order)
    .limit(page.limit + 1)
    .execute();
}

function isAnyOf(workspaceIds: readonly string[]) {
  return sql<SqlBool>`workspace_id = ANY(${[...workspaceIds]}::text[])`;
}

/** Expired is what has not been archived and whose time has passed; the same rule as `statusOf` in api-keys.ts. */
function hasStatus(status: StoredStatus | "expired", nowMs: number) {
  const now = new Date(nowMs);
  if (status === "archived") return sql<SqlBool>`status = 'archived'`;
  if (status === "expired") return sql<SqlBool>`status <> 'archived' AND expires_at <= ${now}`;
  return sql<SqlBool>`status = ${status} AND (expires_at IS NULL OR expires_at > ${now})`;
}

export async function findApiKeyPosition(
  db: Database | Tx,
  scope: ApiKeyScope,
  id: string,
): Promise<Position | null> {
  const row = await findApiKey(db, scope, id);
  return row && { createdAtMs: row.created_at.getTime(), id: row.id };
}

export async function findApiKey(
  db: Database | Tx,
  scope: ApiKeyScope,
  id: string,
): Promise<ApiKeyRow | null> {
  let query = db
    .selectFrom("api_key")
    .select(columns)
    .where("organization_id", "=", scope.organizationId)
    .where("id", "=", id);
  if (scope.onlyWorkspaceIds !== null) query = query.where(isAnyOf(scope.onlyWorkspaceIds));
  return (await query.executeTakeFirst()) ?? null;
}

/** The key, locked until the transaction ends. */
export async function findApiKeyForUpdate(
  tx: Tx,
  scope: ApiKeyScope,
  id: string,
): Promise<ApiKeyRow | null> {
  let query = tx
    .selectFrom("api_key")
    .select(columns)
    .where("organization_id", "=", scope.organizationId)
    .where("id", "=", id)
    .forUpdate();
  if (scope.onlyWorkspaceIds !== null) query = query.where(isAnyOf(scope.onlyWorkspaceIds));
  return (await query.executeTakeFirst()) ?? null;
}

export async function updateApiKey(
  tx: Tx,
  of: { organizationId: string; id: string; name: string; status: StoredStatus },
): Promise<void> {
  await tx
    .updateTable("api_key")
    .set({ name: of.name, status: of.status })
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.id)
    .execute();
}
