import type { KeyIssue } from "@bursar/contract/key-issues.ts";
import type { KeyPermission } from "@bursar/contract/permissions.ts";
import { type RawBuilder, type SqlBool, sql } from "kysely";
import { selectPage } from "#src/db/page-rows.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { OwnerState } from "#src/domain/owner-state.ts";
import type { PageRequest, Position } from "#src/domain/page-position.ts";
import { ownerState, permissionUnderOwner } from "#src/key-lookup/owner-state.sql.ts";

export type StoredStatus = "active" | "inactive" | "archived";

/** A key with what stands beside it, without the hash of any secret, which no use case has a need for. */
export interface ApiKeyRow {
  id: string;
  workspace_id: string;
  name: string;
  permission: KeyPermission;
  status: StoredStatus;
  created_by_type: string;
  created_by_id: string;
  created_at: Date;
  expires_at: Date | null;
  archived_at: Date | null;
  allowed_models: string[] | null;
  allowed_addresses: string[] | null;
  /** The person whose key it is; all null where it is the workspace's. */
  owner_member_id: string | null;
  owner_name: string | null;
  owner_email: string | null;
  owner_state: OwnerState | null;
  /** Of the current secret. */
  hint: string;
  secret_created_at: Date;
  /** Of the newest use of any secret; all null where there was none. */
  last_used_at: Date | null;
  last_used_address: string | null;
  last_used_model: string | null;
}

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
  /** Text that name, id, hint, or the owner's name or address contains, whatever its case. */
  search?: string | undefined;
  ownerType?: "workspace" | "member" | undefined;
  ownerMemberId?: string | undefined;
  createdByMemberId?: string | undefined;
  expiringWithinDays?: number | undefined;
  unusedDays?: number | undefined;
  exceedsMaxLifetime?: boolean | undefined;
  issue?: KeyIssue | undefined;
  /** The organization's longest lifetime, or null. */
  maxLifetimeDays: number | null;
  /** Of what is expired, in milliseconds since the epoch. */
  nowMs: number;
}

const DAY_MS = 86_400_000;

function selectApiKeys(db: Database | Tx, scope: ApiKeyScope) {
  const query = db
    .selectFrom("api_key")
    .innerJoin("api_key_secret as current", (join) =>
      join.onRef("current.api_key_id", "=", "api_key.id").on("current.valid_until", "is", null),
    )
    .leftJoin("member", "member.id", "api_key.owner_member_id")
    .leftJoinLateral(
      (eb) =>
        eb
          .selectFrom("api_key_secret as secret")
          .select(["secret.last_used_at", "secret.last_used_address", "secret.last_used_model"])
          .whereRef("secret.api_key_id", "=", "api_key.id")
          .where("secret.last_used_at", "is not", null)
          .orderBy("secret.last_used_at", "desc")
          .limit(1)
          .as("used"),
      (join) => join.onTrue(),
    )
    .select([
      "api_key.id",
      "api_key.workspace_id",
      "api_key.name",
      permissionUnderOwner.as("permission"),
      "api_key.status",
      "api_key.created_by_type",
      "api_key.created_by_id",
      "api_key.created_at",
      "api_key.expires_at",
      "api_key.archived_at",
      "api_key.allowed_models",
      "api_key.allowed_addresses",
      "api_key.owner_member_id",
      "member.name as owner_name",
      "member.email as owner_email",
      ownerState.as("owner_state"),
      "current.hint",
      "current.created_at as secret_created_at",
      "used.last_used_at",
      "used.last_used_address",
      "used.last_used_model",
    ])
    .where("api_key.organization_id", "=", scope.organizationId)
    .where("api_key.purpose", "=", "calls");
  const { onlyWorkspaceIds } = scope;
  if (onlyWorkspaceIds === null) return query;
  return query.where(sql<SqlBool>`api_key.workspace_id = ANY(${[...onlyWorkspaceIds]}::text[])`);
}

/** One row more than the page holds, so that the reader knows whether there is another page. */
export function listApiKeys(
  db: Database | Tx,
  filter: ApiKeyFilter,
  page: PageRequest,
): Promise<ApiKeyRow[]> {
  let query = selectApiKeys(db, filter);
  for (const condition of conditionsOf(filter)) query = query.where(condition);
  return selectPage(query, page, "api_key").execute();
}

function conditionsOf(filter: ApiKeyFilter) {
  const { workspaceId, status, name, search, ownerType, ownerMemberId, createdByMemberId } = filter;
  const now = new Date(filter.nowMs);
  const conditions = [
    workspaceId === undefined ? null : sql<SqlBool>`api_key.workspace_id = ${workspaceId}`,
    status === undefined ? null : hasStatus(status, now),
    name === undefined ? null : containsText(sql`api_key.name`, name),
    search === undefined ? null : matches(search),
    ownerType === undefined
      ? null
      : sql<SqlBool>`(api_key.owner_member_id IS NULL) = ${ownerType === "workspace"}`,
    ownerMemberId === undefined ? null : sql<SqlBool>`api_key.owner_member_id = ${ownerMemberId}`,
    createdByMemberId === undefined
      ? null
      : sql<SqlBool>`api_key.created_by_type = 'member' AND api_key.created_by_id = ${createdByMemberId}`,
    filter.expiringWithinDays === undefined
      ? null
      : sql<SqlBool>`api_key.status <> 'archived' AND api_key.expires_at > ${now}
          AND api_key.expires_at <= ${after(filter.nowMs, filter.expiringWithinDays)}`,
    filter.unusedDays === undefined ? null : isUnusedSince(after(filter.nowMs, -filter.unusedDays)),
    filter.issue === undefined ? null : hasIssue(filter.issue, filter.nowMs),
    filter.exceedsMaxLifetime === undefined
      ? null
      : sql<SqlBool>`(${exceedsLifetime(filter.maxLifetimeDays, now)}) = ${filter.exceedsMaxLifetime}`,
  ];
  return conditions.filter((condition) => condition !== null);
}

function after(nowMs: number, days: number): Date {
  return new Date(nowMs + days * DAY_MS);
}

/** strpos, not LIKE: a % in the text is a %. */
function containsText(value: ReturnType<typeof sql>, text: string) {
  return sql<SqlBool>`strpos(lower(${value}), lower(${text})) > 0`;
}

function matches(text: string) {
  const values = sql`concat_ws(E'\\n', api_key.name, api_key.id, current.hint, member.name, member.email)`;
  return containsText(values, text);
}

function isUnusedSince(since: Date) {
  return sql<SqlBool>`api_key.created_at <= ${since} AND (used.last_used_at IS NULL OR used.last_used_at <= ${since})`;
}

/**
 * Expired is what has not been archived and whose time has passed, and inactive what is disabled or stopped with its
 * owner; the same rules as `statusOf` in api-keys.ts.
 */
function hasStatus(status: StoredStatus | "expired", now: Date) {
  if (status === "archived") return sql<SqlBool>`api_key.status = 'archived'`;
  if (status === "expired") {
    return sql<SqlBool>`api_key.status <> 'archived' AND api_key.expires_at <= ${now}`;
  }
  const isStopped = sql`(api_key.status = 'inactive' OR coalesce(${ownerState}, 'active') <> 'active')`;
  return sql<SqlBool>`api_key.status <> 'archived' AND (api_key.expires_at IS NULL OR api_key.expires_at > ${now})
    AND ${isStopped} = ${status === "inactive"}`;
}

const isWorking = (nowMs: number) =>
  sql<SqlBool>`api_key.status <> 'archived' AND (api_key.expires_at IS NULL OR api_key.expires_at > ${new Date(nowMs)})`;

/** What the words of `keyIssues` mean, of a key that is neither archived nor expired. */
function issueOf(issue: KeyIssue, nowMs: number): RawBuilder<SqlBool> {
  switch (issue) {
    case "never_expires":
      return sql`api_key.expires_at IS NULL`;
    case "no_spend_limit":
      return sql`NOT EXISTS (SELECT 1 FROM spend_limit
        WHERE spend_limit.scope_type = 'api_key' AND spend_limit.scope_id = api_key.id)`;
    case "expires_within_14_days":
      return sql`api_key.expires_at <= ${after(nowMs, 14)}`;
    case "unused_90_days":
      return isUnusedSince(after(nowMs, -90));
    case "wide_permission":
      return sql`${permissionUnderOwner} = 'admin'`;
    case "older_than_180_days":
      return sql`current.created_at <= ${after(nowMs, -180)}`;
    case "no_owner":
      return sql`api_key.owner_member_id IS NULL`;
  }
}

function hasIssue(issue: KeyIssue, nowMs: number) {
  return sql<SqlBool>`${isWorking(nowMs)} AND ${issueOf(issue, nowMs)}`;
}

/** How many keys work, how many of them have each issue, and how many none. */
export async function countKeyIssues(
  db: Database | Tx,
  of: ApiKeyScope & {
    workspaceId?: string | undefined;
    issues: readonly KeyIssue[];
    nowMs: number;
  },
): Promise<{ keys: number; healthy: number; byIssue: number[] }> {
  const keys = selectApiKeys(db, of)
    .where(isWorking(of.nowMs))
    .$if(of.workspaceId !== undefined, (query) =>
      query.where("api_key.workspace_id", "=", of.workspaceId ?? ""),
    )
    .select(
      sql<boolean[]>`ARRAY[${sql.join(of.issues.map((issue) => issueOf(issue, of.nowMs)))}]`.as(
        "issues",
      ),
    );
  const { rows } = await sql<{ keys: number; healthy: number; byIssue: number[] }>`
    SELECT count(*)::integer AS keys, (count(*) FILTER (WHERE NOT true = ANY(issues)))::integer AS healthy,
      ARRAY[${sql.join(of.issues.map((_, index) => sql`(count(*) FILTER (WHERE issues[${sql.lit(index + 1)}]))::integer`))}] AS "byIssue"
    FROM (${keys}) AS working`.execute(db);
  return rows[0] ?? { keys: 0, healthy: 0, byIssue: of.issues.map(() => 0) };
}

/** The same rule as `exceedsMaxLifetime` in describe-api-keys.ts. */
function exceedsLifetime(maxDays: number | null, now: Date) {
  if (maxDays === null) return sql<boolean>`false`;
  return sql<boolean>`api_key.status <> 'archived' AND coalesce(api_key.expires_at, 'infinity') > ${now}
    AND coalesce(api_key.expires_at, 'infinity') > current.created_at + make_interval(hours => ${24 * maxDays})`;
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
  const query = selectApiKeys(db, scope).where("api_key.id", "=", id);
  return (await query.executeTakeFirst()) ?? null;
}

/**
 * The key, locked with its secrets until the transaction ends. The lock is a statement of its own: one that both waits
 * and joins would give the secrets as they were before the wait.
 */
export async function findApiKeyForUpdate(
  tx: Tx,
  scope: ApiKeyScope,
  id: string,
): Promise<ApiKeyRow | null> {
  await tx
    .selectFrom("api_key")
    .select("id")
    .where("organization_id", "=", scope.organizationId)
    .where("id", "=", id)
    .forUpdate()
    .execute();
  return findApiKey(tx, scope, id);
}

export interface NewApiKeyRow
  extends Pick<
    ApiKeyRow,
    | "id"
    | "workspace_id"
    | "name"
    | "permission"
    | "status"
    | "created_by_type"
    | "created_by_id"
    | "created_at"
    | "expires_at"
    | "allowed_models"
    | "allowed_addresses"
    | "owner_member_id"
  > {
  organization_id: string;
}

export async function insertApiKey(tx: Tx, row: NewApiKeyRow): Promise<void> {
  await tx.insertInto("api_key").values(row).execute();
}

export async function updateApiKey(
  tx: Tx,
  organizationId: string,
  row: Pick<
    ApiKeyRow,
    "id" | "name" | "status" | "expires_at" | "archived_at" | "allowed_models" | "allowed_addresses"
  >,
): Promise<void> {
  const { id, name, status, expires_at, archived_at, allowed_models, allowed_addresses } = row;
  await tx
    .updateTable("api_key")
    .set({ name, status, expires_at, archived_at, allowed_models, allowed_addresses })
    .where("organization_id", "=", organizationId)
    .where("id", "=", id)
    .execute();
}
