import { attentionIssues, type KeyIssue } from "@bursar/contract/key-issues.ts";
import type { KeyPermission, Rank } from "@bursar/contract/permissions.ts";
import { type RawBuilder, type SqlBool, sql } from "kysely";
import { lockApiKeys, shareWorkspacesOfKeys } from "#src/access/lock-keys.sql.ts";
import { selectPage } from "#src/db/page-rows.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { KeyPurpose } from "#src/db/tables.ts";
import type { OwnerState } from "#src/domain/owner-state.ts";
import type { PageRequest, Position } from "#src/domain/page-position.ts";
import { ownerState, permissionUnderOwner } from "#src/key-lookup/owner-state.sql.ts";
import { attentionDays } from "./key-attention.rule.ts";

export type StoredStatus = "active" | "inactive" | "archived";

/** API key with its owner and last use. Contains no hash of a secret, because no use case needs one. */
export interface ApiKeyRow {
  id: string;
  workspace_id: string;
  name: string;
  permission: KeyPermission;
  purpose: KeyPurpose;
  status: StoredStatus;
  created_by_type: string;
  created_by_id: string;
  /** Member who took the key over. Null: its creator answers for it. */
  contact_member_id: string | null;
  created_at: Date;
  expires_at: Date | null;
  archived_at: Date | null;
  allowed_models: string[] | null;
  allowed_addresses: string[] | null;
  /** Expiry by the maximum lifetime or a rotation policy. No rank has set it. */
  lifetime_ends_at: Date | null;
  /** Rank of the caller that archived the key. */
  archived_rank: Rank | null;
  tags: Record<string, string>;
  /** Rank that set each tag, by name. */
  tag_ranks: Record<string, Rank>;
  /** True if inactive because it was restored from a backup and not confirmed yet. */
  is_held: boolean;
  /** Directory whose users the requests name. Null: requests name none. */
  user_directory_id: string | null;
  /** True if a request without a known user is refused. Null without a directory. */
  requires_user: boolean | null;
  /** Origins whose pages can use the key, or `*`. Null: no pages. */
  allowed_origins: string[] | null;
  /** Owner of the key. All four are null for a key of the workspace. */
  owner_member_id: string | null;
  owner_name: string | null;
  owner_email: string | null;
  owner_state: OwnerState | null;
  /** Hint of the current secret. */
  hint: string;
  secret_created_at: Date;
  /** Last use of any secret. All three are null for an unused key. */
  last_used_at: Date | null;
  last_used_address: string | null;
  last_used_model: string | null;
}

/** `onlyWorkspaceIds`: workspaces whose keys the caller can see. Null: all of the organization. */
export interface ApiKeyScope {
  organizationId: string;
  onlyWorkspaceIds: readonly string[] | null;
}

export interface ApiKeyFilter extends ApiKeyScope {
  workspaceId?: string | undefined;
  status?: StoredStatus | "expired" | undefined;
  /** Text that the name contains, in any case. */
  name?: string | undefined;
  /** Text that name, id, hint, or the owner's name or address contains, in any case. */
  search?: string | undefined;
  ownerType?: "workspace" | "member" | undefined;
  ownerMemberId?: string | undefined;
  createdByMemberId?: string | undefined;
  expiringWithinDays?: number | undefined;
  unusedDays?: number | undefined;
  exceedsMaxLifetime?: boolean | undefined;
  issue?: KeyIssue | undefined;
  needsAttention?: boolean | undefined;
  /** Maximum lifetime of the organization. Null: no maximum. */
  maxLifetimeDays: number | null;
  /** Time at which keys count as expired, milliseconds since the epoch. */
  nowMs: number;
}

const DAY_MS = 86_400_000;

const isHeld = sql<boolean>`api_key.status = 'inactive' AND EXISTS (SELECT FROM held_key WHERE key_id = api_key.id)`;

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
      "api_key.purpose",
      "api_key.status",
      "api_key.created_by_type",
      "api_key.created_by_id",
      "api_key.contact_member_id",
      "api_key.created_at",
      "api_key.expires_at",
      "api_key.archived_at",
      "api_key.allowed_models",
      "api_key.allowed_addresses",
      "api_key.lifetime_ends_at",
      "api_key.archived_rank",
      "api_key.tags",
      "api_key.tag_ranks",
      "api_key.user_directory_id",
      "api_key.requires_user",
      "api_key.allowed_origins",
      isHeld.as("is_held"),
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
    .where("api_key.purpose", "!=", "playground");
  const { onlyWorkspaceIds } = scope;
  if (onlyWorkspaceIds === null) return query;
  return query.where(sql<SqlBool>`api_key.workspace_id = ANY(${[...onlyWorkspaceIds]}::text[])`);
}

/** Lists the rows of a page, and one more row if another page exists. */
export function listApiKeys(
  db: Database | Tx,
  filter: ApiKeyFilter,
  page: PageRequest,
): Promise<ApiKeyRow[]> {
  let query = selectApiKeys(db, filter);
  for (const condition of makeConditions(filter)) query = query.where(condition);
  return selectPage(query, page, "api_key").execute();
}

function makeConditions(filter: ApiKeyFilter) {
  const { workspaceId, status, name, search, ownerType, ownerMemberId, createdByMemberId } = filter;
  const now = new Date(filter.nowMs);
  const conditions = [
    workspaceId === undefined ? null : sql<SqlBool>`api_key.workspace_id = ${workspaceId}`,
    status === undefined ? null : hasStatus(status, now),
    name === undefined ? null : containsText(sql`api_key.name`, name),
    search === undefined ? null : containsSearchText(search),
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
          AND api_key.expires_at <= ${addDays(filter.nowMs, filter.expiringWithinDays)}`,
    filter.unusedDays === undefined
      ? null
      : isUnusedSince(addDays(filter.nowMs, -filter.unusedDays)),
    filter.issue === undefined ? null : hasIssue(filter.issue, filter),
    filter.needsAttention === undefined
      ? null
      : sql<SqlBool>`(${needsAttention(filter)}) = ${filter.needsAttention}`,
    filter.exceedsMaxLifetime === undefined
      ? null
      : sql<SqlBool>`(${exceedsLifetime(filter.maxLifetimeDays, now)}) = ${filter.exceedsMaxLifetime}`,
  ];
  return conditions.filter((condition) => condition !== null);
}

function addDays(nowMs: number, days: number): Date {
  return new Date(nowMs + days * DAY_MS);
}

/** `LIKE` would treat a `%` in the text as a wildcard. */
function containsText(value: ReturnType<typeof sql>, text: string) {
  return sql<SqlBool>`strpos(lower(${value}), lower(${text})) > 0`;
}

function containsSearchText(text: string) {
  const values = sql`concat_ws(E'\\n', api_key.name, api_key.id, current.hint, member.name, member.email)`;
  return containsText(values, text);
}

function isUnusedSince(since: Date) {
  return sql<SqlBool>`api_key.created_at <= ${since} AND (used.last_used_at IS NULL OR used.last_used_at <= ${since})`;
}

/**
 * Has the rules of `statusOf` in describe-api-keys.ts. An archived key is never expired. A key is inactive if it is
 * disabled, or if its owner is not active.
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

/** Condition of keys that are neither archived nor expired. */
export const isUnexpired = (nowMs: number) =>
  sql<SqlBool>`api_key.status <> 'archived' AND (api_key.expires_at IS NULL OR api_key.expires_at > ${new Date(nowMs)})`;

/** False for a Claude Code key, whose laptops have an end of their own. */
const hasSecret = sql`api_key.purpose = 'calls'`;

export type IssueFilter = Pick<ApiKeyFilter, "nowMs" | "maxLifetimeDays">;

/** Condition of an issue, for a key that is neither archived nor expired. Has the rules of `listAttention`. */
export function makeIssueCondition(
  issue: KeyIssue,
  { nowMs, maxLifetimeDays }: IssueFilter,
): RawBuilder<SqlBool> {
  switch (issue) {
    case "never_expires":
      return sql`api_key.expires_at IS NULL AND ${hasSecret}`;
    case "no_spend_limit":
      return sql`api_key.id NOT IN (SELECT scope_id FROM spend_limit WHERE scope_type = 'api_key')`;
    case "expires_within_14_days":
      return sql`api_key.expires_at <= ${addDays(nowMs, attentionDays.beforeExpiry)}`;
    case "unused_90_days":
      return isUnusedSince(addDays(nowMs, -attentionDays.unused));
    case "wide_permission":
      return sql`${permissionUnderOwner} = 'admin'`;
    case "older_than_180_days":
      return sql`current.created_at <= ${addDays(nowMs, -attentionDays.secretAge)} AND ${hasSecret}`;
    case "no_owner":
      return sql`api_key.owner_member_id IS NULL`;
    case "exceeds_max_lifetime":
      return exceedsLifetime(maxLifetimeDays, new Date(nowMs));
  }
}

function hasIssue(issue: KeyIssue, filter: IssueFilter) {
  return sql<SqlBool>`${isUnexpired(filter.nowMs)} AND ${makeIssueCondition(issue, filter)}`;
}

function needsAttention(filter: IssueFilter) {
  const issues = attentionIssues.map((issue) => sql`(${makeIssueCondition(issue, filter)})`);
  return sql<SqlBool>`coalesce(${isUnexpired(filter.nowMs)} AND (${sql.join(issues, sql` OR `)}), false)`;
}

/** Has the rule of `exceedsMaxLifetime` in describe-api-keys.ts. */
function exceedsLifetime(maxDays: number | null, now: Date) {
  if (maxDays === null) return sql<boolean>`false`;
  return sql<boolean>`api_key.status <> 'archived' AND ${hasSecret} AND coalesce(api_key.expires_at, 'infinity') > ${now}
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
 * Finds the key and locks it until the transaction ends, after its workspace. The lock is a separate statement: a statement
 * that waits and joins would return the secrets from before the wait.
 */
export async function findApiKeyForUpdate(
  tx: Tx,
  scope: ApiKeyScope,
  id: string,
): Promise<ApiKeyRow | null> {
  await lockKeysWithWorkspaces(tx, scope, [id]);
  return findApiKey(tx, scope, id);
}

/** `findApiKeyForUpdate` for several keys, in any order. */
export async function findApiKeysForUpdate(
  tx: Tx,
  scope: ApiKeyScope,
  ids: readonly string[],
): Promise<ApiKeyRow[]> {
  await lockKeysWithWorkspaces(tx, scope, ids);
  return findApiKeys(tx, scope, ids);
}

async function lockKeysWithWorkspaces(
  tx: Tx,
  { organizationId }: ApiKeyScope,
  ids: readonly string[],
): Promise<void> {
  await shareWorkspacesOfKeys(tx, { organizationId, apiKeyIds: ids });
  await lockApiKeys(tx, { organizationId, ids });
}

export function findApiKeys(
  db: Database | Tx,
  scope: ApiKeyScope,
  ids: readonly string[],
): Promise<ApiKeyRow[]> {
  return selectApiKeys(db, scope).where("api_key.id", "in", ids).execute();
}

export interface NewApiKeyRow
  extends Pick<
    ApiKeyRow,
    | "id"
    | "workspace_id"
    | "name"
    | "permission"
    | "purpose"
    | "status"
    | "created_by_type"
    | "created_by_id"
    | "created_at"
    | "expires_at"
    | "allowed_models"
    | "allowed_addresses"
    | "lifetime_ends_at"
    | "owner_member_id"
    | "tags"
    | "tag_ranks"
    | "user_directory_id"
    | "requires_user"
    | "allowed_origins"
  > {
  organization_id: string;
}

export async function insertApiKeys(tx: Tx, rows: readonly NewApiKeyRow[]): Promise<void> {
  const values = rows.map((row) => ({ ...row, ...toJsonTags(row) }));
  await tx.insertInto("api_key").values(values).execute();
}

export async function updateApiKey(
  tx: Tx,
  organizationId: string,
  row: Pick<
    ApiKeyRow,
    | "id"
    | "name"
    | "status"
    | "expires_at"
    | "lifetime_ends_at"
    | "archived_at"
    | "archived_rank"
    | "allowed_models"
    | "allowed_addresses"
    | "tags"
    | "tag_ranks"
    | "user_directory_id"
    | "requires_user"
    | "allowed_origins"
  >,
): Promise<void> {
  const { id, name, status, expires_at, lifetime_ends_at, archived_at, archived_rank } = row;
  const { allowed_models, allowed_addresses, allowed_origins } = row;
  const { user_directory_id, requires_user } = row;
  await tx
    .updateTable("api_key")
    .set({
      ...{ name, status, expires_at, lifetime_ends_at, archived_at, archived_rank },
      ...{ allowed_models, allowed_addresses, allowed_origins },
      ...{ user_directory_id, requires_user },
      ...toJsonTags(row),
    })
    .where("organization_id", "=", organizationId)
    .where("id", "=", id)
    .execute();
}

function toJsonTags({ tags, tag_ranks }: Pick<ApiKeyRow, "tags" | "tag_ranks">) {
  return { tags: JSON.stringify(tags), tag_ranks: JSON.stringify(tag_ranks) };
}
