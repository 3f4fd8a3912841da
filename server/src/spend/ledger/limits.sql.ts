import { type RawBuilder, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { sharedScopeName } from "#src/db/scope-name.ts";
import type { PeriodName, ScopeType } from "#src/db/tables.ts";
import { BATCHES_NODE } from "./batches-node.ts";
import { createLimitBalances } from "./watched-balances.sql.ts";

// Configured spend limits. The spend is in balances.sql.ts.

export type Enforcement = "strict" | "soft" | "alert_only";

/** Rule of a strict limit for requests with unknown parts. */
export type UnknownFeatureRule = "hold" | "refuse";

/** Rule of a strict limit for streams: held in steps of their output, or whole. */
export type HoldRule = "steps" | "whole";

/** A configured spend limit: `amountNanoUsd` for each period. */
export interface SpendLimit {
  id: string;
  organizationId: string;
  scopeType: ScopeType;
  scopeId: string;
  period: PeriodName;
  amountNanoUsd: bigint;
  enforcement: Enforcement;
  /** Highest hold of a strict limit for an open-ended request. Null: its whole worst case. */
  openEndedHoldNanoUsd: bigint | null;
  unknownFeatures: UnknownFeatureRule;
  hold: HoldRule;
  /** Name of a group or tag. Nodes read it for their refusals. */
  scopeName?: string | null;
  /** Each change sets a new number, also for a limit that was deleted and created again. */
  revision: bigint;
  createdAt: Date;
  updatedAt: Date;
}

export type NewSpendLimit = Omit<
  SpendLimit,
  | "openEndedHoldNanoUsd"
  | "unknownFeatures"
  | "hold"
  | "scopeName"
  | "revision"
  | "createdAt"
  | "updatedAt"
> & {
  openEndedHoldNanoUsd?: bigint | null;
  unknownFeatures?: UnknownFeatureRule;
  /** Absent: whole. */
  hold?: HoldRule;
};

/** Filter for limits of the organization. `scopeType` and `scopeId` are optional. */
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
  "unknown_features as unknownFeatures",
  "hold",
  "revision",
  "created_at as createdAt",
  "updated_at as updatedAt",
] as const;
const columns = sql.raw(
  spendLimitColumns.map((column) => column.replace(/ as (\w+)$/, ' AS "$1"')).join(", "),
);

/** True if the stored limit refuses every request that the new limit refuses. Nodes with the stored limit are then safe. */
const isEased = sql<boolean>`(l.enforcement = 'strict' AND l.amount_nano_usd <= excluded.amount_nano_usd
  AND coalesce(excluded.open_ended_hold_nano_usd, ${MAX_INT8}::bigint) <= coalesce(l.open_ended_hold_nano_usd, ${MAX_INT8}::bigint)
  AND (l.unknown_features = 'refuse' OR excluded.unknown_features = 'hold')
  AND (l.hold = 'whole' OR excluded.hold = 'steps'))`;

/** First day of the current period, by the database's clock. */
const periodStart = sql`CASE l.period WHEN 'daily' THEN date_trunc('day', now() AT TIME ZONE 'UTC')
  WHEN 'weekly' THEN date_trunc('week', now() AT TIME ZONE 'UTC')
  ELSE date_trunc('month', now() AT TIME ZONE 'UTC') END::date`;

/**
 * Records that limits `l` are raised, or removed if `amount` is null. Alerts above the current spend can then fire again.
 * Part of the statement that changes the limits, or before it.
 */
function recordRaise(limits: RawBuilder<unknown>, amount: RawBuilder<bigint | null>) {
  return sql`
    INSERT INTO spend_limit_raise (scope_type, scope_id, period, period_start, settled_nano_usd, amount_nano_usd, raised_at)
    SELECT l.scope_type, l.scope_id, l.period, ${periodStart}, coalesce(b.settled_nano_usd, 0), ${amount}, now()
    FROM ${limits} LEFT JOIN balance b ON b.scope_type = l.scope_type AND b.scope_id = l.scope_id
      AND b.period = l.period AND b.period_start = ${periodStart}`;
}

/**
 * Creates the limit of a scope and period, or replaces the settings of a stored one. A stored limit keeps its id and
 * creation time, and `row.id` is not used. The caller has checked that the scope belongs to the organization.
 */
export async function upsertSpendLimit(tx: Database | Tx, row: NewSpendLimit): Promise<SpendLimit> {
  const [limit] = await upsertSpendLimits(tx, [row]);
  if (limit === undefined) throw new Error("the statement returns a row for each limit");
  return limit;
}

/** Rows of one statement. */
const MAX_ROWS = 1_000;

/** Does the same for several limits of different scopes or periods. Returns them in any order. */
export async function upsertSpendLimits(
  tx: Database | Tx,
  all: readonly NewSpendLimit[],
): Promise<SpendLimit[]> {
  const limits: SpendLimit[] = [];
  for (let at = 0; at < all.length; at += MAX_ROWS) {
    const rows = all.slice(at, at + MAX_ROWS);
    const saved = await upsertRows(tx, rows);
    // A scope always belongs to one organization. For a wrong one the statement returns no row.
    if (saved.length !== rows.length)
      throw new Error("a scope belongs to one organization for ever");
    const counted = saved.filter(({ scopeType }) => scopeType !== "group_member");
    if (counted.length > 0) await createLimitBalances(tx, counted);
    limits.push(...saved);
  }
  return limits;
}

/** One statement, so that a reader of the new version also reads the limits. */
async function upsertRows(
  tx: Database | Tx,
  rows: readonly NewSpendLimit[],
): Promise<SpendLimit[]> {
  const wanted = sql`unnest(${rows.map(({ id }) => id)}::text[],
      ${rows.map(({ organizationId }) => organizationId)}::uuid[], ${rows.map(({ scopeType }) => scopeType)}::text[],
      ${rows.map(({ scopeId }) => scopeId)}::text[], ${rows.map(({ period }) => period)}::text[],
      ${rows.map(({ amountNanoUsd }) => amountNanoUsd)}::bigint[],
      ${rows.map(({ enforcement }) => enforcement)}::text[],
      ${rows.map((row) => row.openEndedHoldNanoUsd ?? null)}::bigint[],
      ${rows.map((row) => row.unknownFeatures ?? "hold")}::text[],
      ${rows.map((row) => row.hold ?? "whole")}::text[])
    AS wanted (id, organization_id, scope_type, scope_id, period, amount_nano_usd, enforcement,
      open_ended_hold_nano_usd, unknown_features, hold)`;
  const raised = sql`spend_limit AS l JOIN ${wanted} ON wanted.scope_type = l.scope_type
    AND wanted.scope_id = l.scope_id AND wanted.period = l.period AND wanted.organization_id = l.organization_id
    AND l.amount_nano_usd < wanted.amount_nano_usd`;
  const { rows: saved } = await sql<SpendLimit>`
    WITH changed AS (UPDATE limits_version SET value = value + 1 RETURNING value),
      raised AS (${recordRaise(raised, sql`wanted.amount_nano_usd`)})
    INSERT INTO spend_limit AS l
      (id, organization_id, scope_type, scope_id, period, amount_nano_usd, enforcement, open_ended_hold_nano_usd,
        unknown_features, hold, version, revision)
    SELECT wanted.*, changed.value, changed.value FROM ${wanted} CROSS JOIN changed
    ON CONFLICT (scope_type, scope_id, period) DO UPDATE SET
      amount_nano_usd = excluded.amount_nano_usd, enforcement = excluded.enforcement,
      open_ended_hold_nano_usd = excluded.open_ended_hold_nano_usd,
      unknown_features = excluded.unknown_features, hold = excluded.hold, updated_at = now(),
      revision = excluded.revision,
      version = CASE WHEN ${isEased} THEN l.version ELSE excluded.version END,
      version_at = CASE WHEN ${isEased} THEN l.version_at ELSE now() END
    WHERE l.organization_id = excluded.organization_id
    RETURNING ${columns}`.execute(tx);
  return saved;
}

/** Lists limits of one organization, in a fixed order (scope type, scope, period). */
export async function listSpendLimits(
  db: Database | Tx,
  { organizationId, scopeType, scopeId }: SpendLimitFilter,
): Promise<SpendLimit[]> {
  const isOfType = scopeType === undefined ? sql`true` : sql`scope_type = ${scopeType}`;
  const isOfScope = scopeId === undefined ? sql`true` : sql`scope_id = ${scopeId}`;
  const { rows } = await sql<SpendLimit>`
    SELECT ${columns} FROM spend_limit
    WHERE organization_id = ${organizationId}::uuid AND ${isOfType} AND ${isOfScope}
    ORDER BY scope_type, scope_id, period`.execute(db);
  return rows;
}

/** Lists limits of these scopes, in any order. */
export async function listLimitsOfScopes(
  db: Database | Tx,
  of: { organizationId: string; scopeType: ScopeType; scopeIds: readonly string[] },
): Promise<SpendLimit[]> {
  const { rows } = await sql<SpendLimit>`
    SELECT ${columns} FROM spend_limit WHERE organization_id = ${of.organizationId}::uuid
      AND scope_type = ${of.scopeType} AND scope_id = ANY(${of.scopeIds}::text[])`.execute(db);
  return rows;
}

/** Finds the limit of this scope and period, or null. */
export async function findSpendLimit(
  db: Database | Tx,
  of: { organizationId: string; scopeType: ScopeType; scopeId: string; period: PeriodName },
): Promise<SpendLimit | null> {
  const { rows } = await sql<SpendLimit>`
    SELECT ${columns} FROM spend_limit
    WHERE organization_id = ${of.organizationId}::uuid AND scope_type = ${of.scopeType} AND scope_id = ${of.scopeId}
      AND period = ${of.period}`.execute(db);
  return rows[0] ?? null;
}

/** Deletes one limit, and returns it. Null: the organization has no limit with this id. */
export async function deleteSpendLimit(
  tx: Database | Tx,
  { organizationId, id }: { organizationId: string; id: string },
): Promise<SpendLimit | null> {
  const [limit] = await deleteSpendLimits(tx, { organizationId, ids: [id] });
  return limit ?? null;
}

/** Deletes limits, and returns those that the organization had. */
export async function deleteSpendLimits(
  tx: Database | Tx,
  { organizationId, ids }: { organizationId: string; ids: readonly string[] },
): Promise<SpendLimit[]> {
  // The version is increased first, and locked until the commit. Without a deletion, a new version has no effect.
  await sql`UPDATE limits_version SET value = value + 1`.execute(tx);
  const isDeleted = sql`organization_id = ${organizationId}::uuid AND id = ANY(${ids}::text[])`;
  const deleted = sql`(SELECT * FROM spend_limit WHERE ${isDeleted}) AS l`;
  await recordRaise(deleted, sql`NULL::bigint`).execute(tx);
  const { rows } = await sql<SpendLimit>`
    DELETE FROM spend_limit WHERE ${isDeleted} RETURNING ${columns}`.execute(tx);
  return rows;
}

/** Makes nodes read the name of a group again after a change, if it has a limit. */
export async function invalidateScopeName(
  tx: Tx,
  { scopeType, scopeId }: { scopeType: "group"; scopeId: string },
): Promise<void> {
  await sql`UPDATE limits_version SET value = value + 1 WHERE EXISTS (SELECT FROM spend_limit
    WHERE scope_type = ${scopeType} AND scope_id = ${scopeId})`.execute(tx);
}

/** Lists every limit of the installation that counts requests. Nodes keep them in memory. */
export async function listAllSpendLimits(db: Database | Tx): Promise<SpendLimit[]> {
  const { rows } =
    await sql<SpendLimit>`SELECT ${columns}, ${sharedScopeName("spend_limit")} AS "scopeName"
    FROM spend_limit WHERE scope_type <> 'group_member'`.execute(db);
  return rows;
}

/**
 * True for a strict limit `l` that does not count all spend yet. Either a live node does not follow it, or a node that did
 * not follow it has appended requests that no fold has counted. Lines of message batches are held in every balance, so no
 * limit misses them.
 */
export const isActivating = sql<boolean>`(l.enforcement = 'strict' AND l.scope_type <> 'group_member' AND (
  EXISTS (SELECT FROM node_contact
    WHERE (lease_expires_at IS NOT NULL OR awaited_until IS NOT NULL) AND limits_version < l.version)
  OR EXISTS (SELECT FROM usage_batch AS batch LEFT JOIN node_contact AS node ON node.id = batch.node_id
    WHERE batch.set_aside_at IS NULL AND batch.node_id <> ${BATCHES_NODE} AND (node.id IS NULL OR node.limits_version < l.version))))`;

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
