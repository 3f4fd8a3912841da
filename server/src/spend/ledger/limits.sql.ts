import { type RawBuilder, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import type { PeriodName, ScopeType } from "#src/db/tables.ts";

// What is configured. What was spent against it is in balances.sql.ts.

export type Enforcement = "strict" | "soft" | "alert_only";

/** One configured spend limit; `amountNanoUsd` per period. */
export interface SpendLimit {
  id: string;
  organizationId: string;
  scopeType: ScopeType;
  scopeId: string;
  period: PeriodName;
  amountNanoUsd: bigint;
  enforcement: Enforcement;
  /** What a strict limit holds for an open-ended request in place of a larger worst case; null: all of that. */
  openEndedHoldNanoUsd: bigint | null;
  /** Another one after each change, also of a limit that was deleted and made anew. */
  revision: bigint;
  createdAt: Date;
  updatedAt: Date;
}

export type NewSpendLimit = Omit<
  SpendLimit,
  "openEndedHoldNanoUsd" | "revision" | "createdAt" | "updatedAt"
> & {
  openEndedHoldNanoUsd?: bigint | null;
};

/** `scopeType` and `scopeId` narrow the list; without them it holds all limits of the organization. */
export interface SpendLimitFilter {
  organizationId: string;
  scopeType?: ScopeType | undefined;
  scopeId?: string | undefined;
}

const MAX_INT8 = 2n ** 63n - 1n;

export const spendLimitColumns = [
  "id",
  "organization_id as organizationId",
  "scope_type as scopeType",
  "scope_id as scopeId",
  "period",
  "amount_nano_usd as amountNanoUsd",
  "enforcement",
  "open_ended_hold_nano_usd as openEndedHoldNanoUsd",
  "revision",
  "created_at as createdAt",
  "updated_at as updatedAt",
] as const;

/** What stands there already refuses all that the new one refuses: nodes that do not know it yet do no harm. */
const isEased = sql<boolean>`(l.enforcement = 'strict' AND l.amount_nano_usd <= excluded.amount_nano_usd
  AND coalesce(excluded.open_ended_hold_nano_usd, ${MAX_INT8}::bigint) <= coalesce(l.open_ended_hold_nano_usd, ${MAX_INT8}::bigint))`;

/** First day of the period that runs by the database's clock. */
const periodStart = sql`CASE l.period WHEN 'daily' THEN date_trunc('day', now() AT TIME ZONE 'UTC')
  WHEN 'weekly' THEN date_trunc('week', now() AT TIME ZONE 'UTC')
  ELSE date_trunc('month', now() AT TIME ZONE 'UTC') END::date`;

/**
 * Notes that limits are raised, or removed where `amountNanoUsd` is null: alerts about what lies above the spend of this
 * moment wait again. Part of the statement that changes them, or before it.
 */
function recordRaise(of: RawBuilder<unknown>, amountNanoUsd: bigint | null) {
  return sql`
    INSERT INTO spend_limit_raise (scope_type, scope_id, period, period_start, settled_nano_usd, amount_nano_usd, raised_at)
    SELECT l.scope_type, l.scope_id, l.period, ${periodStart}, coalesce(b.settled_nano_usd, 0),
      ${amountNanoUsd}::bigint, now()
    FROM spend_limit l LEFT JOIN balance b ON b.scope_type = l.scope_type AND b.scope_id = l.scope_id
      AND b.period = l.period AND b.period_start = ${periodStart}
    WHERE ${of}`;
}

/**
 * Creates the limit of (scope, period), or replaces all that the one that stands there asks for: that one keeps
 * its id and date of creation, and `row.id` is not used. The caller has checked that the scope is the organization's.
 */
export async function upsertSpendLimit(tx: Database | Tx, row: NewSpendLimit): Promise<SpendLimit> {
  // One statement, so that whoever reads the new version reads the limit with it. A scope belongs to one organization
  // for ever; should a caller ever mix two up, no row comes back and it fails.
  const isRaised = sql`l.scope_type = ${row.scopeType} AND l.scope_id = ${row.scopeId} AND l.period = ${row.period}
    AND l.organization_id = ${row.organizationId}::uuid AND l.amount_nano_usd < ${row.amountNanoUsd}::bigint`;
  const { rows } = await sql<SpendLimit>`
    WITH changed AS (UPDATE limits_version SET value = value + 1 RETURNING value),
      raised AS (${recordRaise(isRaised, row.amountNanoUsd)})
    INSERT INTO spend_limit AS l
      (id, organization_id, scope_type, scope_id, period, amount_nano_usd, enforcement, open_ended_hold_nano_usd,
        version, revision)
    SELECT ${row.id}, ${row.organizationId}::uuid, ${row.scopeType}, ${row.scopeId}, ${row.period},
      ${row.amountNanoUsd}::bigint, ${row.enforcement}, ${row.openEndedHoldNanoUsd ?? null}::bigint,
      changed.value, changed.value
    FROM changed
    ON CONFLICT (scope_type, scope_id, period) DO UPDATE SET
      amount_nano_usd = excluded.amount_nano_usd, enforcement = excluded.enforcement,
      open_ended_hold_nano_usd = excluded.open_ended_hold_nano_usd, updated_at = now(),
      revision = excluded.revision,
      version = CASE WHEN ${isEased} THEN l.version ELSE excluded.version END,
      version_at = CASE WHEN ${isEased} THEN l.version_at ELSE now() END
    WHERE l.organization_id = excluded.organization_id
    RETURNING id, organization_id AS "organizationId", scope_type AS "scopeType", scope_id AS "scopeId", period,
      amount_nano_usd AS "amountNanoUsd", enforcement, open_ended_hold_nano_usd AS "openEndedHoldNanoUsd",
      revision, created_at AS "createdAt", updated_at AS "updatedAt"`.execute(tx);
  const [limit] = rows;
  if (limit === undefined) throw new Error("a scope belongs to one organization for ever");
  return limit;
}

/** Limits of one organization, in a fixed order (scope type, scope, period). */
export function listSpendLimits(
  db: Database | Tx,
  filter: SpendLimitFilter,
): Promise<SpendLimit[]> {
  let query = db
    .selectFrom("spend_limit")
    .select(spendLimitColumns)
    .where("organization_id", "=", filter.organizationId)
    .orderBy("scope_type")
    .orderBy("scope_id")
    .orderBy("period");
  if (filter.scopeType !== undefined) query = query.where("scope_type", "=", filter.scopeType);
  if (filter.scopeId !== undefined) query = query.where("scope_id", "=", filter.scopeId);
  return query.execute();
}

/** The limit of exactly this scope and period, or null. */
export async function findSpendLimit(
  db: Database | Tx,
  of: { organizationId: string; scopeType: ScopeType; scopeId: string; period: PeriodName },
): Promise<SpendLimit | null> {
  const row = await db
    .selectFrom("spend_limit")
    .select(spendLimitColumns)
    .where("organization_id", "=", of.organizationId)
    .where("scope_type", "=", of.scopeType)
    .where("scope_id", "=", of.scopeId)
    .where("period", "=", of.period)
    .executeTakeFirst();
  return row ?? null;
}

/** Removes one limit; null when the organization has none with this id. */
export async function deleteSpendLimit(
  tx: Database | Tx,
  of: { organizationId: string; id: string },
): Promise<SpendLimit | null> {
  // Raised first and locked until the commit. Where nothing is deleted it says nothing new, and that does no harm.
  await tx.updateTable("limits_version").set({ value: sql<bigint>`value + 1` }).execute();
  const isDeleted = sql`l.organization_id = ${of.organizationId}::uuid AND l.id = ${of.id}`;
  await recordRaise(isDeleted, null).execute(tx);
  const row = await tx
    .deleteFrom("spend_limit")
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.id)
    .returning(spendLimitColumns)
    .executeTakeFirst();
  return row ?? null;
}

/** Every limit of the installation: what a node keeps in memory to admit requests. */
export function listAllSpendLimits(db: Database | Tx): Promise<SpendLimit[]> {
  return db.selectFrom("spend_limit").select(spendLimitColumns).execute();
}

/**
 * True for a strict limit `l` that does not count all spend yet: a live node does not follow it, or a node that did not
 * follow it has appended requests that no fold has counted.
 */
export const isActivating = sql<boolean>`(l.enforcement = 'strict' AND (
  EXISTS (SELECT FROM node WHERE lease_expires_at IS NOT NULL AND limits_version < l.version)
  OR EXISTS (SELECT FROM usage_batch AS batch LEFT JOIN node ON node.id = batch.node_id
    WHERE batch.set_aside_at IS NULL AND (node.id IS NULL OR node.limits_version < l.version))))`;

/** Finds limits that are activating, with the start of the activation, by id. */
export async function findActivating(
  db: Database | Tx,
  ids: readonly string[],
): Promise<Map<string, Date>> {
  if (ids.length === 0) return new Map();
  const { rows } = await sql<{ id: string; since: Date }>`
    SELECT l.id, l.version_at AS since FROM spend_limit l
    WHERE l.id = ANY(${[...ids]}::text[]) AND ${isActivating}`.execute(db);
  return new Map(rows.map(({ id, since }) => [id, since]));
}
