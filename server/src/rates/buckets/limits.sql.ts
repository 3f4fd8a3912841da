import type { Database, Tx } from "#src/db/pool.ts";
import { sharedScopeName } from "#src/db/scope-name.ts";
import type { RateScopeType } from "#src/db/tables.ts";
import type { RateKind } from "./bucket.ts";

// Configured rate limits. limit-changes.sql.ts changes them, and buckets.sql.ts has their levels.

/** Number per minute of each kind. Null: not limited. */
export type PerMinute = Readonly<Record<RateKind, number | null>>;

/** One configured rate limit. */
export interface RateLimit {
  id: string;
  organizationId: string;
  scopeType: RateScopeType;
  scopeId: string;
  modelGroup: string;
  perMinute: PerMinute;
  /** Name of a group. Nodes read it for their refusals. */
  scopeName?: string | null;
  /** Changes with each update, also if the limit was deleted and created again. */
  revision: bigint;
  createdAt: Date;
  updatedAt: Date;
}

export const rateLimitColumns = [
  "rate_limit.id",
  "rate_limit.organization_id as organizationId",
  "rate_limit.scope_type as scopeType",
  "rate_limit.scope_id as scopeId",
  "rate_limit.model_group as modelGroup",
  "rate_limit.requests_per_minute as requests",
  "rate_limit.input_tokens_per_minute as inputTokens",
  "rate_limit.output_tokens_per_minute as outputTokens",
  "rate_limit.revision",
  "rate_limit.created_at as createdAt",
  "rate_limit.updated_at as updatedAt",
] as const;

export interface RateLimitRow extends Omit<RateLimit, "perMinute"> {
  requests: number | null;
  inputTokens: number | null;
  outputTokens: number | null;
}

export function fromRowRateLimit(row: RateLimitRow): RateLimit {
  const { requests, inputTokens, outputTokens, ...limit } = row;
  const perMinute = { requests, input_tokens: inputTokens, output_tokens: outputTokens };
  return { ...limit, perMinute };
}

/** Returns the limit of this scope and group, or null. */
export async function findRateLimit(
  db: Database | Tx,
  of: Pick<RateLimit, "organizationId" | "scopeType" | "scopeId" | "modelGroup">,
): Promise<RateLimit | null> {
  const row = await db
    .selectFrom("rate_limit")
    .select(rateLimitColumns)
    .where("organization_id", "=", of.organizationId)
    .where("scope_type", "=", of.scopeType)
    .where("scope_id", "=", of.scopeId)
    .where("model_group", "=", of.modelGroup)
    .executeTakeFirst();
  return row === undefined ? null : fromRowRateLimit(row);
}

/** Returns all limits of these scopes of the organization. */
export async function listScopeRateLimits(
  db: Database | Tx,
  of: { organizationId: string; scopeIds: readonly string[] },
): Promise<RateLimit[]> {
  const rows = await db
    .selectFrom("rate_limit")
    .select(rateLimitColumns)
    .where("organization_id", "=", of.organizationId)
    .where("scope_id", "in", of.scopeIds)
    .execute();
  return rows.map(fromRowRateLimit);
}

/**
 * Returns all limits of the installation that requests count in, except those of archived workspaces and keys. A node holds
 * them in memory.
 */
export async function listLiveRateLimits(db: Database | Tx): Promise<RateLimit[]> {
  const rows = await db
    .selectFrom("rate_limit")
    .leftJoin("workspace", "workspace.id", "rate_limit.scope_id")
    .leftJoin("api_key", "api_key.id", "rate_limit.scope_id")
    .leftJoin("workspace as home", "home.id", "api_key.workspace_id")
    .select([...rateLimitColumns, sharedScopeName("rate_limit").as("scopeName")])
    .where("rate_limit.scope_type", "<>", "group_member")
    .where("workspace.archived_at", "is", null)
    .where("api_key.archived_at", "is", null)
    .where("home.archived_at", "is", null)
    .execute();
  return rows.map(fromRowRateLimit);
}
