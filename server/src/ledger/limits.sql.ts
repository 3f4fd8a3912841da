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
  createdAt: Date;
  updatedAt: Date;
}

export type NewSpendLimit = Omit<SpendLimit, "createdAt" | "updatedAt">;

/** `scopeType` and `scopeId` narrow the list; without them it holds all limits of the organization. */
export interface SpendLimitFilter {
  organizationId: string;
  scopeType?: ScopeType | undefined;
  scopeId?: string | undefined;
}

const columns = [
  "id",
  "organization_id as organizationId",
  "scope_type as scopeType",
  "scope_id as scopeId",
  "period",
  "amount_nano_usd as amountNanoUsd",
  "enforcement",
  "created_at as createdAt",
  "updated_at as updatedAt",
] as const;

/**
 * Creates the limit of (scope, period), or replaces amount and enforcement of the one that stands there: that one keeps
 * its id and date of creation, and `row.id` is not used. The caller has checked that the scope is the organization's.
 */
export function upsertSpendLimit(tx: Database | Tx, row: NewSpendLimit): Promise<SpendLimit> {
  return tx
    .insertInto("spend_limit")
    .values({
      id: row.id,
      organization_id: row.organizationId,
      scope_type: row.scopeType,
      scope_id: row.scopeId,
      period: row.period,
      amount_nano_usd: row.amountNanoUsd,
      enforcement: row.enforcement,
    })
    .onConflict((conflict) =>
      conflict
        .columns(["scope_type", "scope_id", "period"])
        .doUpdateSet((eb) => ({
          amount_nano_usd: eb.ref("excluded.amount_nano_usd"),
          enforcement: eb.ref("excluded.enforcement"),
          updated_at: eb.fn<Date>("now"),
        }))
        // A scope belongs to one organization for ever; should a caller ever mix two up, no row comes back and it fails.
        .where("spend_limit.organization_id", "=", row.organizationId),
    )
    .returning(columns)
    .executeTakeFirstOrThrow();
}

/** Limits of one organization, in a fixed order (scope type, scope, period). */
export function listSpendLimits(
  db: Database | Tx,
  filter: SpendLimitFilter,
): Promise<SpendLimit[]> {
  let query = db
    .selectFrom("spend_limit")
    .select(columns)
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
    .select(columns)
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
  const row = await tx
    .deleteFrom("spend_limit")
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.id)
    .returning(columns)
    .executeTakeFirst();
  return row ?? null;
}

/** Every limit of the installation: what a node keeps in memory to admit requests. */
export function listAllSpendLimits(db: Database | Tx): Promise<SpendLimit[]> {
  return db.selectFrom("spend_limit").select(columns).execute();
}
