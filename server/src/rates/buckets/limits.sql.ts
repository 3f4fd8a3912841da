import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import type { RateScopeType } from "#src/db/tables.ts";
import type { RateKind } from "./bucket.ts";

// Configured rate limits. buckets.sql.ts has their levels.

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
  /** Changes with each update, also if the limit was deleted and created again. */
  revision: bigint;
  createdAt: Date;
  updatedAt: Date;
}

export type NewRateLimit = Omit<RateLimit, "revision" | "createdAt" | "updatedAt">;

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

/** Returns the next revision. The row is locked until the commit, so its readers see all earlier changes. */
async function nextRevision(tx: Tx): Promise<bigint> {
  const { value } = await tx
    .updateTable("rate_limits_version")
    .set({ value: sql<bigint>`value + 1` })
    .returning("value")
    .executeTakeFirstOrThrow();
  return value;
}

/**
 * Creates the limit of (scope, group), or replaces its numbers. A replaced limit keeps its id and creation time. The caller
 * must lock the scope, which belongs to the organization.
 */
export async function upsertRateLimit(tx: Tx, limit: NewRateLimit): Promise<RateLimit> {
  const { perMinute } = limit;
  const values = {
    requests_per_minute: perMinute.requests,
    input_tokens_per_minute: perMinute.input_tokens,
    output_tokens_per_minute: perMinute.output_tokens,
    revision: await nextRevision(tx),
  };
  const row = await tx
    .insertInto("rate_limit")
    .values({
      id: limit.id,
      organization_id: limit.organizationId,
      scope_type: limit.scopeType,
      scope_id: limit.scopeId,
      model_group: limit.modelGroup,
      ...values,
    })
    .onConflict((conflict) =>
      conflict
        .columns(["scope_type", "scope_id", "model_group"])
        .doUpdateSet({ ...values, updated_at: sql<Date>`now()` })
        // A scope belongs to one organization. If a caller confuses two, no row is returned and the call fails.
        .where("rate_limit.organization_id", "=", limit.organizationId),
    )
    .returning(rateLimitColumns)
    .executeTakeFirstOrThrow();
  return fromRowRateLimit(row);
}

/** Deletes one limit with its buckets. Returns null if the organization has no such limit. */
export async function deleteRateLimit(
  tx: Tx,
  of: { organizationId: string; id: string },
): Promise<RateLimit | null> {
  await nextRevision(tx);
  const row = await tx
    .deleteFrom("rate_limit")
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.id)
    .returning(rateLimitColumns)
    .executeTakeFirst();
  if (row === undefined) return null;
  await tx.deleteFrom("rate_bucket").where("rate_limit_id", "=", of.id).execute();
  return fromRowRateLimit(row);
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
    .select(rateLimitColumns)
    .where("rate_limit.scope_type", "<>", "group_member")
    .where("workspace.archived_at", "is", null)
    .where("api_key.archived_at", "is", null)
    .where("home.archived_at", "is", null)
    .execute();
  return rows.map(fromRowRateLimit);
}
